"""Storing through DICOMweb (PS3.18 10.5): what is answered, and what is there afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

from scanward.adapters.local.files import FileStore
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sweep import sweep
from scanward.ports.object_store import Zone
from tests.doors.serving import CT, FILES, MR, TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration

STUDIES = "/dicomweb/raw/studies"
RELATED = 'multipart/related; type="application/dicom"; boundary=edge'


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Served]:
    with serving(settings_for(tmp_path)) as running:
        yield running


def related(*objects: bytes, kind: str = "application/dicom", boundary: str = "edge") -> bytes:
    parts = [f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + one + b"\r\n" for one in objects]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def store(archive: Served, *objects: bytes, path: str = STUDIES, accept: str = "*/*") -> httpx.Response:
    headers = {"Content-Type": RELATED, "Accept": accept}
    return archive.client.post(path, content=related(*objects), headers=headers)


def place_of(raw: bytes) -> tuple[str, str, str]:
    dataset = pydicom.dcmread(BytesIO(raw), stop_before_pixels=True)
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def address_of(raw: bytes) -> str:
    study, series, instance = place_of(raw)
    return f"{STUDIES}/{study}/series/{series}/instances/{instance}"


def fetched(archive: Served, raw: bytes) -> bytes:
    return archive.client.get(
        address_of(raw), headers={"Accept": "application/dicom; transfer-syntax=*"}
    ).content


def files_of(folder: Path, zone: str) -> list[Path]:
    return [path for path in (folder / "store" / zone).rglob("*") if path.is_file()]


def changed(raw: bytes, **values: str) -> bytes:
    """Return other bytes under the same UIDs, but for what is changed."""
    dataset = pydicom.dcmread(BytesIO(raw))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
        if keyword == "SOPInstanceUID":
            dataset.file_meta.MediaStorageSOPInstanceUID = UID(value)
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def reasons(answer: httpx.Response, sequence: str, reason: str) -> list[int]:
    items: list[dict[str, Any]] = answer.json().get(sequence, {}).get("Value", [])
    return [one[reason]["Value"][0] for one in items if reason in one]


def failures(answer: httpx.Response) -> list[int]:
    return reasons(answer, "00081198", "00081197")


def others(answer: httpx.Response) -> list[int]:
    return reasons(answer, "0008119A", "00081197")


def warnings(answer: httpx.Response) -> list[int]:
    return reasons(answer, "00081199", "00081196")


def test_what_is_stored_is_told_where_it_is_and_is_there_byte_for_byte(archive: Served) -> None:
    answer = store(archive, CT, MR)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    module = answer.json()
    assert "Value" not in module["00081190"]  # two studies (PS3.18 Table I.1-1)
    assert {"00081198", "0008119A"}.isdisjoint(module)
    told = module["00081199"]["Value"]
    assert [one["00081155"]["Value"] for one in told] == [[place_of(CT)[2]], [place_of(MR)[2]]]
    assert told[0]["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert told[0]["00081190"]["Value"] == [archive.url + address_of(CT)]
    assert (fetched(archive, CT), fetched(archive, MR)) == (CT, MR)
    assert archive.staged() == []


def test_a_single_object_is_stored_without_multipart(archive: Served) -> None:
    answer = archive.client.post(STUDIES, content=CT, headers={"Content-Type": "application/dicom"})
    assert answer.status_code == 200
    assert answer.json()["00081190"]["Value"] == [f"{archive.url}{STUDIES}/{place_of(CT)[0]}"]
    assert fetched(archive, CT) == CT


def test_what_is_stored_goes_down_the_line(archive: Served) -> None:
    store(archive, CT)
    (execution,) = archive.ports.executions.list()
    assert execution.status == "RUNNING"


def test_the_client_of_another_project_stores(archive: Served) -> None:
    client = DICOMwebClient(f"{archive.url}/dicomweb/raw", headers={"Authorization": f"Bearer {TOKEN}"})
    datasets = [pydicom.dcmread(BytesIO(raw)) for raw in (CT, MR)]
    answer = client.store_instances(datasets)
    assert [one.ReferencedSOPInstanceUID for one in answer.ReferencedSOPSequence] == [
        dataset.SOPInstanceUID for dataset in datasets
    ]
    again = client.store_instances(datasets[:1], study_instance_uid=place_of(CT)[0])
    assert "FailedSOPSequence" not in again


def test_every_file_that_the_gate_passes_is_stored_and_retrieved_byte_for_byte(archive: Served) -> None:
    kept, seen = 0, set()
    for path in sorted(FILES.glob("*.dcm")):
        raw = path.read_bytes()
        answer = store(archive, raw)
        assert answer.status_code in {200, 202, 400, 409}, path.name
        for one in answer.json().get("00081199", {}).get("Value", []):
            address = one["00081190"]["Value"][0]
            assert (
                archive.client.get(
                    address, headers={"Accept": "application/dicom; transfer-syntax=*"}
                ).content
                == raw
            ), path.name
            seen.add(address)
            kept += 1
    assert kept > 60
    assert len(seen) > 30


def test_the_answer_is_xml_where_that_is_asked_for(archive: Served) -> None:
    """PS3.18 10.5.3.2, PS3.19 A.1."""
    answer = store(archive, CT, b"no object", accept="application/dicom+xml")
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/dicom+xml"
    assert '<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">' in (
        answer.text
    )
    assert f'<Value number="1">{place_of(CT)[2]}</Value>' in answer.text
    assert '<Value number="1">49152</Value>' in answer.text


def test_an_answer_that_the_client_does_not_take_stores_nothing(archive: Served) -> None:
    """PS3.18 8.5: 406; the body is not taken first."""
    assert store(archive, CT, accept="text/csv").status_code == 406
    assert archive.ports.catalog.studies(Zone.RAW) == []


@pytest.mark.parametrize("path", ["/dicomweb/deid/studies", "/dicomweb/deid/studies/1.2.3"])
def test_the_deid_zone_is_read_only(archive: Served, path: str) -> None:
    answer = store(archive, CT, path=path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert archive.ports.catalog.studies(Zone.RAW) == []


def test_nobody_stores_without_the_token(archive: Served) -> None:
    headers = {"Content-Type": RELATED, "Authorization": ""}
    assert archive.client.post(STUDIES, content=related(CT), headers=headers).status_code == 401
    assert archive.ports.catalog.studies(Zone.RAW) == []


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "nonsense",
        "application/json",
        'multipart/related; type="application/dicom+xml"; boundary=edge',
        'multipart/related; type="image/jpeg"; boundary=edge',
        "multipart/form-data; boundary=edge",
    ],
)
def test_another_media_type_is_not_supported(archive: Served, kind: str) -> None:
    """PS3.18 Table 10.5.3-1: 415."""
    answer = archive.client.post(STUDIES, content=related(CT), headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_parts_of_another_media_type_are_not_supported(archive: Served) -> None:
    headers = {"Content-Type": RELATED}
    answer = archive.client.post(STUDIES, content=related(CT, kind="text/plain"), headers=headers)
    assert (answer.status_code, others(answer)) == (415, [0xC002])


def test_some_stored_and_some_not_is_202(archive: Served) -> None:
    """PS3.18 Table 10.5.3-1: 202; Other Failures Sequence for what cannot be named."""
    broken = changed(MR)[:-100]
    answer = store(archive, CT, b"no object", broken)
    assert answer.status_code == 202
    assert (failures(answer), others(answer)) == ([0xC000], [0xC000])
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081155"]["Value"] == [place_of(MR)[2]]
    assert failed["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.4"]
    assert fetched(archive, CT) == CT


def test_what_the_gate_refuses_is_in_quarantine(archive: Served) -> None:
    answer = store(archive, CT[:-100])
    assert (answer.status_code, failures(answer)) == (400, [0xC000])
    (kept,) = files_of(archive.settings.data, "quarantine")
    assert kept.read_bytes() == CT[:-100]
    assert archive.ports.catalog.studies(Zone.RAW) == []


def test_an_unknown_transfer_syntax_is_a_conflict_with_its_reason(archive: Served) -> None:
    unknown = CT.replace(ExplicitVRLittleEndian.encode(), b"1.2.840.10008.1.2.7")
    answer = store(archive, unknown)
    assert (answer.status_code, failures(answer)) == (409, [0xC122])


def test_a_mixture_of_reasons_is_a_conflict(archive: Served) -> None:
    other = changed(MR, SOPInstanceUID=generate_uid())
    answer = store(archive, b"no object", other, path=f"{STUDIES}/{place_of(CT)[0]}")
    assert answer.status_code == 409
    assert (failures(answer), others(answer)) == ([0xA901], [0xC000])


def test_an_object_of_another_study_fails_and_is_nowhere(archive: Served) -> None:
    """PS3.18 10.5.1: the target's study; Table 10.5.3-1: 202 and 409."""
    path = f"{STUDIES}/{place_of(CT)[0]}"
    answer = store(archive, CT, MR, path=path)
    assert (answer.status_code, failures(answer)) == (202, [0xA901])
    assert answer.json()["00081190"]["Value"] == [archive.url + path]
    alone = store(archive, MR, path=path)
    assert (alone.status_code, failures(alone)) == (409, [0xA901])
    assert [one.study_uid for one in archive.ports.catalog.studies(Zone.RAW)] == [place_of(CT)[0]]
    assert not files_of(archive.settings.data, "quarantine")


def test_a_medium_directory_is_no_class_that_is_stored(archive: Served) -> None:
    directory = (FILES / "dicomdirtests" / "DICOMDIR").read_bytes()
    answer = store(archive, directory)
    assert answer.status_code == 409
    assert failures(answer) + others(answer) == [0x0122]


def test_an_object_that_could_not_be_retrieved_fails(archive: Served) -> None:
    dataset = pydicom.dcmread(BytesIO(CT))
    del dataset.SeriesInstanceUID
    buffer = BytesIO()
    dataset.save_as(buffer)
    answer = store(archive, buffer.getvalue())
    assert (answer.status_code, failures(answer)) == (409, [0xA900])


def test_the_same_bytes_again_are_stored_already(archive: Served) -> None:
    for _ in range(2):
        answer = store(archive, CT, CT)
        assert (answer.status_code, warnings(answer)) == (200, [])
    assert len(archive.ports.executions.list()) == 1


def test_other_bytes_of_one_instance_replace_it_and_a_warning_says_so(archive: Served) -> None:
    other = changed(CT, PatientComments="later")
    store(archive, CT)
    answer = store(archive, other)
    assert (answer.status_code, warnings(answer), failures(answer)) == (202, [0xB100], [])
    assert fetched(archive, CT) == other
    assert {one.raw_key for one in archive.ports.executions.list()} == {
        path.name for path in files_of(archive.settings.data, "raw")
    }


def test_older_bytes_again_stay_history_and_a_warning_says_so(archive: Served) -> None:
    other = changed(CT, PatientComments="later")
    store(archive, CT, other)
    answer = store(archive, CT)
    assert (answer.status_code, warnings(answer)) == (202, [0xB101])
    assert fetched(archive, CT) == other


@pytest.mark.parametrize(
    ("setting", "status", "warned", "failed"), [("keep", 202, [0xB101], []), ("reject", 409, [], [0x0111])]
)
def test_other_bytes_of_one_instance_are_kept_out_as_the_site_has_it(
    tmp_path: Path, setting: str, status: int, warned: list[int], failed: list[int]
) -> None:
    other = changed(CT, PatientComments="later")
    with serving(settings_for(tmp_path, duplicates=setting)) as archive:
        assert store(archive, CT).status_code == 200
        answer = store(archive, other)
        assert (answer.status_code, warnings(answer), failures(answer)) == (status, warned, failed)
        assert fetched(archive, CT) == CT
        assert store(archive, CT).status_code == 200
        both = store(archive, changed(MR, PatientComments="one"), changed(MR, PatientComments="two"))
        assert both.status_code == 202
        assert (warnings(both), failures(both)) == (warned, failed)
        assert len(files_of(tmp_path / "data", "raw")) == 2


def test_32_clients_that_store_the_same_instance_at_once_lose_nothing(archive: Served) -> None:
    versions = [changed(CT, PatientComments=f"version {number}") for number in range(4)]
    together = threading.Barrier(32)

    def send(number: int) -> int:
        with httpx.Client(base_url=archive.url, headers=archive.client.headers, timeout=60) as client:
            together.wait()
            body = related(versions[number % 4], MR)
            return client.post(STUDIES, content=body, headers={"Content-Type": RELATED}).status_code

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(send, range(32)))
    assert set(statuses) <= {200, 202}
    assert fetched(archive, CT) in versions
    assert fetched(archive, MR) == MR
    kept = {path.read_bytes() for path in files_of(archive.settings.data, "raw")}
    assert kept == {*versions, MR}
    assert len(archive.ports.executions.list()) == 5
    assert archive.staged() == []


def test_compressed_objects_are_stored_as_they_are(archive: Served) -> None:
    raw = (FILES / "SC_rgb_jpeg_dcmtk.dcm").read_bytes()
    headers = {"Content-Type": RELATED}
    kind = f"application/dicom; transfer-syntax={JPEGBaseline8Bit}"
    answer = archive.client.post(STUDIES, content=related(raw, kind=kind), headers=headers)
    assert answer.status_code == 200
    assert fetched(archive, raw) == raw


@pytest.mark.parametrize(("setting", "status"), [("keep", "skipped"), ("reject", "rejected")])
def test_uploads_are_told_the_same_of_other_bytes(tmp_path: Path, setting: str, status: str) -> None:
    with serving(settings_for(tmp_path, duplicates=setting)) as archive:
        archive.upload(("a.dcm", CT))
        (row,) = archive.upload(("b.dcm", changed(CT, PatientComments="later"))).json()["files"]
        assert (row["status"], row["execution_id"]) == (status, "")
        assert "SCANWARD_DUPLICATES" in row["reason"]
        assert fetched(archive, CT) == CT


def test_of_versions_that_come_at_once_one_is_taken_where_others_are_rejected(tmp_path: Path) -> None:
    versions = [changed(CT, PatientComments=f"version {number}") for number in range(8)]
    with serving(settings_for(tmp_path, duplicates="reject")) as archive:
        together = threading.Barrier(8)

        def send(raw: bytes) -> int:
            with httpx.Client(base_url=archive.url, headers=archive.client.headers, timeout=60) as client:
                together.wait()
                headers = {"Content-Type": RELATED}
                return client.post(STUDIES, content=related(raw), headers=headers).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(send, versions))
        assert sorted(statuses) == [200, *[409] * 7]
        assert fetched(archive, CT) == versions[statuses.index(200)]
        # Senders who met on the way may leave bytes without a row, which a start sweeps when it is alone.
        objects, catalog = archive.ports.objects, archive.ports.catalog
        assert isinstance(objects, FileStore)
        assert isinstance(catalog, SqlCatalog)
        sweep(objects, catalog)
        assert len(files_of(tmp_path / "data", "raw")) == 1
        assert fetched(archive, CT) == versions[statuses.index(200)]
