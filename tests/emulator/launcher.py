"""Start MiniStack, mended in a few places where it is not AWS; run inside the emulator's own environment.

It ends with whoever holds the other end of its standard input, however that one ends, and takes the workers
that run the functions, and its folder, with it. No policy is dropped: what they ask for is what they get.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from tests.emulator import mended_functions, mended_rights


def main(folder: Path) -> None:
    """Serve until standard input ends; the port and the rest are MiniStack's own environment variables."""
    threading.Thread(target=_end_with_the_parent, args=(folder,), daemon=True).start()
    mended_rights.mend()
    mended_functions.mend(folder)
    importlib.import_module("ministack.app").main()


def _end_with_the_parent(folder: Path) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    # The workers are of this group, and one of them may be in the middle of a long call.
    os.killpg(os.getpgrp(), signal.SIGKILL)
