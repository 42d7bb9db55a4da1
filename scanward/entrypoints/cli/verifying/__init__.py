"""`scanward verify`: an object beside its de-identified one."""
