"""The change feed at the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pydicom
import pytest

from scanward import pipeline, wiring
from tests.doors.serving import CT, MR, Served, serving, settings_for

pytestmark = pytest.mark.integration
FIELDS = {"sequence", "at", "action", "study_uid", "series_uid", "instance_uid"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server where two objects came, a third was refused, and one was deleted."""
    settings = settings_for(tmp_path_factory.mktemp("lived"))
    with serving(settings) as running:
        running.upload(("a.dcm", CT), ("b.dcm", MR), ("c.dcm", b"no DICOM of Jane^Doe"))
        line = wiring.open_line(settings, running.ports)
        for claim in running.ports.queue.claim("test", 20, 60):
            running.ports.queue.finish([pipeline.process(claim, line)])
        assert running.client.delete(f"/dicomweb/raw/studies/{study_of(CT)}").status_code == 204
        yield running


def study_of(raw: bytes) -> str:
    return str(pydicom.dcmread(BytesIO(raw), stop_before_pixels=True).StudyInstanceUID)


def read(served: Served, zone: str, **asked: object) -> list[dict[str, object]]:
    answer = served.client.get(f"/dicomweb/{zone}/changes", params=asked)  # type: ignore[arg-type]  # as httpx takes them
    assert answer.status_code == 200
    changes: list[dict[str, object]] = answer.json()["changes"]
    return changes


def test_raw_tells_what_came_was_refused_and_went(lived: Served) -> None:
    changes = read(lived, "raw")
    assert [one["action"] for one in changes] == ["stored", "stored", "quarantined", "deleted"]
    assert [one["sequence"] for one in changes] == [1, 2, 3, 4]
    assert {changes[0]["study_uid"], changes[3]["study_uid"]} == {study_of(CT)}
    assert set(changes[0]) == FIELDS
    assert changes[2]["instance_uid"] == ""


def test_deid_tells_new_uids_only_on_a_deletion_too(lived: Served) -> None:
    changes = read(lived, "deid")
    assert [one["action"] for one in changes] == ["de-identified", "de-identified", "deleted"]
    assert len({one["instance_uid"] for one in changes}) == 2
    for one in changes:
        assert all(
            str(one[level]).startswith("2.25.") for level in ("study_uid", "series_uid", "instance_uid")
        )
    text = lived.client.get("/dicomweb/deid/changes").text
    for raw in (CT, MR):
        dataset = pydicom.dcmread(BytesIO(raw), stop_before_pixels=True)
        for uid in (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID):
            assert str(uid) not in text


def test_the_feed_is_read_on_from_where_one_stopped(lived: Served) -> None:
    since, found, more = 0, [], True
    while more:
        page = lived.client.get("/dicomweb/raw/changes", params={"since": since, "limit": 3}).json()
        found += [one["sequence"] for one in page["changes"]]
        since, more = page["since"], page["more"]
    assert found == [1, 2, 3, 4]
    assert lived.client.get("/dicomweb/raw/changes?since=4").json() == {
        "changes": [],
        "since": 4,
        "more": False,
    }


def test_a_window_of_time_bounds_what_is_told(lived: Served) -> None:
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert len(read(lived, "raw", begin=(now - hour).isoformat(), end=(now + hour).isoformat())) == 4
    assert read(lived, "raw", begin=(now + hour).isoformat()) == []
    assert read(lived, "raw", end=(now - hour).replace(tzinfo=None).isoformat()) == []
    last = read(lived, "raw")[3]["at"]
    assert [one["sequence"] for one in read(lived, "raw", begin=last)] == [4]


@pytest.mark.parametrize(
    "path",
    [
        "/dicomweb/raw/changes?since=-1",
        "/dicomweb/raw/changes?since=x",
        "/dicomweb/raw/changes?since=99999999999999999999",
        "/dicomweb/raw/changes?limit=0",
        "/dicomweb/raw/changes?limit=1001",
        "/dicomweb/raw/changes?begin=soon",
        "/dicomweb/quarantine/changes",
    ],
)
def test_what_cannot_be_read_is_refused(lived: Served, path: str) -> None:
    assert lived.client.get(path).status_code == 422


def test_nobody_reads_the_feed_without_the_token(lived: Served) -> None:
    assert lived.client.get("/dicomweb/deid/changes", headers={"Authorization": ""}).status_code == 401
