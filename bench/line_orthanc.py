"""Orthanc, storing the same files once, in a network namespace of its own: it listens on every address."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PORT = 8042
_REFUSED = 400


def orthanc_version() -> str:
    """Return the version of the Orthanc that is installed."""
    said = subprocess.run([_orthanc(), "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    return found[0] if found else "?"


def _orthanc() -> str:
    found = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if found is None:
        sys.exit(
            "Orthanc is not installed; `make bench-line` does that as root, or leave it out with --no-orthanc"
        )
    return found


def orthanc_seconds(files: list[Path], scratch: Path) -> float:
    """Return the seconds until Orthanc has stored every file; both sides have no network but their own."""
    listed = scratch / "files"
    listed.write_text("\n".join(map(str, files)))
    inside = f'ip link set lo up && exec "{sys.executable}" -m bench.line_orthanc "{listed}" "{scratch}"'
    run = subprocess.run(
        ["unshare", "--net", "sh", "-c", inside], check=True, stdout=subprocess.PIPE, text=True, timeout=1800
    )
    return float(run.stdout)


def _inside(files: list[str], scratch: Path) -> float:
    configuration = scratch / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": str(scratch / "storage"),
                "IndexDirectory": str(scratch / "storage"),
                "RemoteAccessAllowed": False,
                "HttpPort": PORT,
                "DicomServerEnabled": False,
                "SyncStorageArea": True,
            }
        )
    )
    with (scratch / "log").open("wb") as log:
        server = subprocess.Popen([_orthanc(), configuration], stdout=log, stderr=log)
        try:
            connection = _connected()
            began = time.perf_counter()
            for name in files:
                _store(connection, Path(name).read_bytes())
            return time.perf_counter() - began
        finally:
            server.terminate()
            server.wait(60)


def _store(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/instances", body, {"Content-Type": "application/dicom"})
    answer = connection.getresponse()
    answer.read()
    if answer.status >= _REFUSED:
        sys.exit(f"Orthanc answered {answer.status}")


def _connected() -> http.client.HTTPConnection:
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        try:
            connection.request("GET", "/system")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    raise TimeoutError


if __name__ == "__main__":
    print(_inside(Path(sys.argv[1]).read_text().splitlines(), Path(sys.argv[2])))
