"""Workers that objects hang, until SIGTERM: `python -m tests.faults.stuck_service FOLDER`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from scanward import wiring
from scanward.entrypoints.worker.supervisor import Supervisor, supervised
from tests.faults import poisoned
from tests.faults.site import settings


def main(folder: Path) -> None:
    site = settings(folder, workers=2, stop_seconds=1.0)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    with supervised(Supervisor(site, wiring.open_ports(site), poisoned.main)) as supervisor:
        while not supervisor.ready:
            ended.wait(0.01)
        (folder / "workers").write_text(" ".join(map(str, supervisor.processes)))
        ended.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
