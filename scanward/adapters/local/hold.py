"""Who has the store open: only who has it alone may sweep it, lest work under way be taken for a leftover."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

_PATIENCE: Final = 0.2
_PAUSE: Final = 0.05


class Hold:
    """A share in the store, kept until the process ends or the hold is dropped. The kernel gives it back."""

    def __init__(self, root: Path) -> None:
        """Open the lock file, without a share yet."""
        self._descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def alone(self) -> bool:
        """Take the store alone if no other process has it, waiting a moment for one that is about to end."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    return False
                time.sleep(_PAUSE)
            else:
                return True

    def share(self) -> None:
        """Take a share, waiting for whoever sweeps."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def __del__(self) -> None:
        """Give the share back."""
        os.close(self._descriptor)
