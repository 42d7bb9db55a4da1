"""A real `scanward serve` as its own process, asked over HTTP."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.running import SCANWARD, environment

TOKEN = "start-up-token-of-a-test"


@dataclass(slots=True)
class Service:
    """A running service: its data folder, what it logs to, and a client that has the token."""

    data: Path
    stdout: Path
    stderr: Path
    client: httpx.Client

    def settle(self, seconds: float = 180) -> list[dict[str, object]]:
        """Wait until nothing runs any more; return all executions."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            running = self.client.get("/executions", params={"status": "RUNNING", "limit": 1}).json()
            if not running["executions"]:
                return list(self.client.get("/executions", params={"limit": 1000}).json()["executions"])
            time.sleep(0.2)
        raise TimeoutError


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Service]:
    """Start a service on a free port, and stop it as an administrator would."""
    data, out, err = folder / "data", folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [SCANWARD, "serve", "--port", "0", "--data", data],
            env=environment(folder / "home", start_token=TOKEN, **settings),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            with httpx.Client(
                base_url=_address(out, process), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
            ) as client:
                _await_health(client)
                yield Service(data, out, err, client)
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_health(client: httpx.Client) -> None:
    """The address is announced before the socket listens."""
    for _ in range(300):
        try:
            client.get("/health")
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return


def _address(out: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        said = re.search(rb"http://127\.0\.0\.1:\d+", out.read_bytes())
        if said:
            return said[0].decode()
        time.sleep(0.1)
    raise TimeoutError(f"the service did not start, exit code {process.poll()}")
