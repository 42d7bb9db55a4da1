"""Orthanc beside Scanward in a network namespace of their own: Orthanc listens on every address there is.

`python -m tests.doors.orthanc FOLDER` plays both ways inside it and prints what came of it as JSON.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from tests.doors.serving import CT, MR, TOKEN, Served, serving, settings_for

PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_URL: Final = "http://127.0.0.1:8042"
_OUR_ROOT: Final = "/dicom-web/servers/scanward"


def why_not() -> str:
    """Return why it cannot be played here, "" if it can."""
    if shutil.which("Orthanc") is None or not PLUGIN.exists():
        return "Orthanc with its DICOMweb plugin is not installed (Debian: orthanc, orthanc-dicomweb)"
    inside = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True)
    return "" if inside.returncode == 0 else "a network namespace is not allowed here"


def played(folder: Path) -> dict[str, Any]:
    """Play both ways, and return what came of it."""
    inside = f'ip link set lo up && exec "{sys.executable}" -m tests.doors.orthanc "{folder}"'
    run = subprocess.run(
        ["unshare", "--net", "sh", "-c", inside], check=True, stdout=subprocess.PIPE, text=True, timeout=200
    )
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


@contextmanager
def _orthanc(folder: Path, root: str) -> Iterator[httpx.Client]:
    configuration = folder / "orthanc.json"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "orthanc"),
                "IndexDirectory": str(folder / "orthanc"),
                "RemoteAccessAllowed": False,
                "DicomServerEnabled": False,
                "Plugins": [str(PLUGIN)],
                "DicomWeb": {"Servers": {"scanward": {"Url": f"{root}/", "HttpHeaders": headers}}},
            }
        )
    )
    with (folder / "orthanc.log").open("wb") as log:
        server = subprocess.Popen(["Orthanc", str(configuration)], stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=_URL, timeout=60, trust_env=False) as client:
                _wait(client)
                yield client
        finally:
            server.terminate()
            server.wait(30)


def _wait(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            client.get("/system")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError


def _play(running: Served, orthanc: httpx.Client) -> dict[str, Any]:
    kind = {"Content-Type": "application/dicom"}
    running.client.post("/dicomweb/raw/studies", content=MR, headers=kind).raise_for_status()
    found = orthanc.post(f"{_OUR_ROOT}/qido", json={"Uri": "/studies", "Arguments": {"PatientID": "4MR1"}})
    study = running.client.get("/dicomweb/raw/studies").json()[0]["0020000D"]["Value"][0]
    retrieved = orthanc.post(f"{_OUR_ROOT}/retrieve", json={"Resources": [{"Study": study}]})
    there = [orthanc.get(f"/instances/{one}/file").content for one in orthanc.get("/instances").json()]
    mine = orthanc.post("/instances", content=CT, headers=kind).json()["ID"]
    sent = orthanc.post(f"{_OUR_ROOT}/stow", json={"Resources": [mine]})
    query = {"PatientID": "1CT1"}
    kept = running.client.get("/dicomweb/raw/instances", params=query)
    address = kept.json()[0]["00081190"]["Value"][0] if kept.content else ""
    back = (
        running.client.get(address, headers=kind | {"Accept": "application/dicom; transfer-syntax=*"}).content
        if address
        else b""
    )
    return {
        "found": [found.status_code, study in found.text],
        "retrieved": [retrieved.status_code, there == [MR]],
        "sent": [sent.status_code, back == CT],
    }


def main() -> None:
    """Play inside the namespace."""
    folder = Path(sys.argv[1])
    with (
        serving(settings_for(folder)) as running,
        _orthanc(folder, f"{running.url}/dicomweb/raw") as orthanc,
    ):
        print(json.dumps(_play(running, orthanc)))  # noqa: T201 - the answer to the test outside


if __name__ == "__main__":
    main()
