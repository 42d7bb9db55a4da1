"""DELETE at the door, by a client that knows nothing of Scanward and by hand."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from scanward import pipeline, wiring
from scanward.entrypoints.http import policy
from scanward.entrypoints.http.policy import DELETIONS, POLICIES
from scanward.errors import Misconfigured
from tests.doors.serving import CT, MR, TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Served]:
    """Return a server with two objects in raw and what the line made of them in deid."""
    settings = settings_for(tmp_path)
    with serving(settings) as running:
        assert running.upload(("a.dcm", CT), ("b.dcm", MR)).json()["counts"] == {"accepted": 2}
        line = wiring.open_line(settings, running.ports)
        running.ports.queue.finish(
            [pipeline.process(claim, line) for claim in running.ports.queue.claim("test", 20, 60)]
        )
        yield running


def place_of(raw: bytes) -> tuple[str, str, str]:
    dataset = pydicom.dcmread(BytesIO(raw), stop_before_pixels=True)
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def paths_of(raw: bytes, zone: str = "raw") -> list[str]:
    study, series, instance = place_of(raw)
    path = f"/dicomweb/{zone}/studies/{study}"
    return [path, f"{path}/series/{series}", f"{path}/series/{series}/instances/{instance}"]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_is_deleted_is_found_nowhere_any_more(archive: Served, level: int) -> None:
    study, series, instance = paths_of(CT)
    assert archive.client.delete((study, series, instance)[level]).status_code == 204
    for path in (study, series, instance, f"{instance}/metadata", f"{study}/metadata"):
        assert archive.client.get(path, headers={"Accept": "*/*"}).status_code == 404
    assert archive.client.get(f"/dicomweb/raw/studies?StudyInstanceUID={place_of(CT)[0]}").status_code == 204
    assert len(archive.client.get("/dicomweb/raw/instances").json()) == 1
    assert len(archive.client.get("/dicomweb/deid/instances").json()) == 1
    assert len(archive.client.get("/executions").json()["executions"]) == 1


def test_a_client_deletes_by_its_own_interface(archive: Served) -> None:
    client = DICOMwebClient(f"{archive.url}/dicomweb/raw", headers={"Authorization": f"Bearer {TOKEN}"})
    client.delete_study(place_of(CT)[0])
    client.delete_instance(*place_of(MR))
    assert client.search_for_studies() == []


def test_deleting_twice_is_not_found(archive: Served) -> None:
    for path, status in zip(paths_of(CT) * 2, [204, 404, 404, 404, 404, 404], strict=True):
        assert archive.client.delete(path).status_code == status


def test_the_deid_zone_is_read_only(archive: Served) -> None:
    (found,) = archive.client.get("/dicomweb/deid/studies?Modality=CT").json()
    study = found["0020000D"]["Value"][0]
    answer = archive.client.delete(f"/dicomweb/deid/studies/{study}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert len(archive.client.get("/dicomweb/deid/instances").json()) == 2


@pytest.mark.parametrize("path", ["/dicomweb/raw/studies/x", "/dicomweb/quarantine/studies/1.2"])
def test_what_is_no_uid_and_no_zone_is_refused(archive: Served, path: str) -> None:
    assert archive.client.delete(path).status_code == 422


def test_nobody_deletes_without_the_token_or_from_another_page(archive: Served) -> None:
    for headers, status in (({"Authorization": ""}, 401), ({"Origin": "https://elsewhere.example"}, 403)):
        assert archive.client.delete(paths_of(CT)[0], headers=headers).status_code == status
    assert len(archive.client.get("/dicomweb/raw/instances").json()) == 2


def test_nothing_of_a_deleted_patient_is_left_in_a_file_of_the_site(archive: Served) -> None:
    for raw in (CT, MR):
        assert archive.client.delete(paths_of(raw)[0]).status_code == 204
    for path in archive.settings.data.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for value in (b"CompressedSamples", b"1CT1", b"4MR1", b"ANON-"):
            assert value not in content, path.name


def test_a_deletion_without_a_policy_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="/forgotten"):
        policy.check(POLICIES, [*DELETIONS, "/forgotten"])
    with pytest.raises(Misconfigured, match="without a route"):
        policy.check(POLICIES, list(DELETIONS)[1:])
