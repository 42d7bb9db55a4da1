"""`scanward doctor`: what may be wrong with a site, each finding with what to do about it."""
