"""What a client learns of the roots before it asks (PS3.18 8.9), and by which name they are told."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.doors.serving import CT, Served, serving, settings_for

pytestmark = pytest.mark.integration
_WADL = "{http://wadl.dev.java.net/2009/02}"


def test_the_roots_are_listed(served: Served) -> None:
    roots = served.client.get("/dicomweb").json()["roots"]
    assert [one["url"] for one in roots] == [f"{served.url}/dicomweb/raw", f"{served.url}/dicomweb/deid"]
    assert "Store (STOW-RS)" in roots[0]["services"]
    assert "Store (STOW-RS)" not in roots[1]["services"]


@pytest.mark.parametrize(("zone", "writes"), [("raw", True), ("deid", False)])
def test_each_root_describes_its_resources(served: Served, zone: str, writes: bool) -> None:  # noqa: FBT001 - the test's parameter
    answer = served.client.request("OPTIONS", f"/dicomweb/{zone}")
    assert answer.headers["content-type"] == "application/vnd.sun.wadl+xml"
    root = ET.fromstring(answer.content)  # noqa: S314 - our own
    methods = {
        one.attrib["path"]: {method.attrib["name"] for method in one} for one in root.iter(f"{_WADL}resource")
    }
    assert "GET" in methods["studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/metadata"]
    assert ("POST" in methods["studies"]) is writes
    as_json = served.client.request("OPTIONS", f"/dicomweb/{zone}", headers={"Accept": "application/json"})
    assert set(as_json.json()["resources"]) == set(methods)
    assert served.client.request("OPTIONS", "/dicomweb/quarantine").status_code == 422


def test_behind_a_proxy_addresses_bear_the_public_name(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, public_url="https://images.example.org/pacs")) as running:
        running.upload(("a.dcm", CT))
        (study,) = running.client.get("/dicomweb/raw/studies").json()
        assert study["00081190"]["Value"][0].startswith(
            "https://images.example.org/pacs/dicomweb/raw/studies/"
        )
        path = study["00081190"]["Value"][0].removeprefix("https://images.example.org/pacs")
        assert (
            b"https://images.example.org/pacs/dicomweb/raw/" in running.client.get(f"{path}/metadata").content
        )
        assert running.url.encode() not in running.client.get(f"{path}/metadata").content
