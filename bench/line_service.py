"""The line as shipped: `scanward serve` as its own process, fed over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

TOKEN = "bench"  # noqa: S105 - the service of a benchmark, on loopback, for seconds
FILES_A_REQUEST = 250
_BEHIND = b"\r\n"


def service_seconds(files: list[Path], scratch: Path) -> float:
    """Return the seconds from the first byte sent until every object is in both zones."""
    log = scratch / "log"
    with log.open("wb") as output:
        service = subprocess.Popen(
            [Path(sys.executable).with_name("scanward"), "serve", "--port", "0", "--data", scratch / "data"],
            env=os.environ
            | {
                "SCANWARD_START_TOKEN": TOKEN,
                "SCANWARD_KEY_FILE": str(scratch / "key"),
                "SCANWARD_LOG_LEVEL": "WARNING",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            port = _port(log)
            _wait(port, "/ready", lambda answer: answer.get("status") == "ready")
            began = time.perf_counter()
            for start in range(0, len(files), FILES_A_REQUEST):
                _upload(port, files[start : start + FILES_A_REQUEST])
            _wait(port, "/executions?status=RUNNING&limit=1", lambda answer: not answer["executions"])
            seconds = time.perf_counter() - began
            _check(port, len(files))
        finally:
            service.terminate()
            service.wait(60)
    return seconds


def _port(log: Path) -> int:
    for _ in range(600):
        said = re.search(rb"http://127\.0\.0\.1:(\d+)", log.read_bytes())
        if said:
            return int(said[1])
        time.sleep(0.1)
    raise TimeoutError


def _ask(
    port: int, method: str, path: str, body: Iterator[bytes] | None = None, kind: str = ""
) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Content-Type": kind} if kind else {})
    connection.request(method, path, body=body, headers=headers, encode_chunked=body is not None)
    answer: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _upload(port: int, files: list[Path]) -> None:
    boundary = uuid4().hex

    def parts() -> Iterator[bytes]:
        for path in files:
            head = f'Content-Disposition: form-data; name="files"; filename="{path.name}"'
            yield f"--{boundary}\r\n{head}\r\n\r\n".encode() + path.read_bytes() + _BEHIND
        yield f"--{boundary}--\r\n".encode()

    answer = _ask(port, "POST", "/uploads", parts(), f"multipart/form-data; boundary={boundary}")
    if answer["counts"] != {"accepted": len(files)}:
        sys.exit(f"the upload was not accepted whole: {answer['counts']}")


def _wait(port: int, path: str, until: Callable[[dict[str, object]], bool]) -> None:
    for _ in range(6000):
        # The address is announced before the socket listens.
        with contextlib.suppress(ConnectionRefusedError):
            if until(_ask(port, "GET", path)):
                return
        time.sleep(0.05)
    raise TimeoutError


def _check(port: int, count: int) -> None:
    """Fail unless every object came out: a line that loses some would be fast."""
    studies: Any = _ask(port, "GET", "/studies?limit=1000")["studies"]
    delivered = sum(study["instances"] for study in studies)
    if delivered != count:
        sys.exit(f"{delivered} of {count} objects were delivered")
