"""Workers by themselves, until SIGTERM: `python -m tests.faults.worker_alone FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from scanward.entrypoints import worker
from tests.faults.site import settings

if __name__ == "__main__":
    worker.run(settings(Path(sys.argv[1]), workers=1))
