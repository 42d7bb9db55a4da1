"""The run that is recorded: take an inbox in, and work it off, in one process.

strace … python -m tests.faults.recorded_run FOLDER     (writes the acknowledged names to standard output)
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scanward import wiring
from tests.faults.site import send, settings, work_alone

BATCH = 4


def main(folder: Path) -> None:
    site = settings(folder)
    ports = wiring.open_ports(site)
    waiting = sorted((folder / "inbox").iterdir())
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        send(ports, (path.read_bytes() for path in batch), (path.name for path in batch))
        os.write(1, "".join(f"{path.name}\n" for path in batch).encode())
        if start % (2 * BATCH):
            work_alone(site, ports)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
