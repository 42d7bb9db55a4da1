"""`scanward serve` as it is run: a process of its own, its printed address, its log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SERVE = """
import sys
from scanward import logs
from scanward.entrypoints.http import server
from scanward.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings.log_level)
    server.run(settings, "127.0.0.1", 0)
"""


@dataclass
class Serving:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    token: str
    log: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def resident_kilobytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
        raise AssertionError


@contextmanager
def process(folder: Path, **changes: str) -> Iterator[Serving]:
    script = folder / "serve.py"
    script.write_text(_SERVE)
    log = folder / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCANWARD_")}
    environment |= {
        "SCANWARD_DATA": str(folder / "data"),
        "SCANWARD_KEY_FILE": str(folder / "key" / "site.key"),
        "SCANWARD_FREE_SPACE_BYTES": "0",
        "SCANWARD_WORKERS": "1",
        **changes,
    }
    with log.open("w") as errors:
        running = subprocess.Popen(
            [sys.executable, script], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        try:
            assert running.stdout is not None
            printed = running.stdout.readline().split()[-1]
            url, _, token = printed.partition("?token=")
            yield Serving(running, url.rstrip("/"), token, log)
        finally:
            if running.poll() is None:
                running.terminate()
                try:
                    running.wait(40)
                except subprocess.TimeoutExpired:
                    running.kill()
                    running.wait()
            if running.stdout is not None:
                running.stdout.close()
