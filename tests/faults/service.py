"""A small service for the kill tests: takes an inbox in, works, and notes each name once it is acknowledged.

python -m tests.faults.service FOLDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from scanward import wiring
from scanward.entrypoints import worker
from tests.faults.site import send, settings

BATCH = 5
PACE = 0.02
"""Seconds between batches, so that a kill finds both the door and the workers at work."""


def main(folder: Path) -> None:
    site = settings(folder, workers=2, lease_seconds=2.0)
    ports = wiring.open_ports(site)
    told = folder / "acknowledged"
    done = set(told.read_text().split()) if told.exists() else set()
    waiting = sorted(path for path in (folder / "inbox").iterdir() if path.name not in done)
    with worker.supervise(site, ports) as supervisor, told.open("a") as log:
        while not supervisor.ready:
            time.sleep(0.01)
        (folder / "workers").write_text(" ".join(map(str, supervisor.processes)))
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            send(ports, (path.read_bytes() for path in batch), (path.name for path in batch))
            log.write("".join(f"{path.name}\n" for path in batch))
            log.flush()
            time.sleep(PACE)
        while not supervisor.idle or (folder / "hold").exists():
            time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
