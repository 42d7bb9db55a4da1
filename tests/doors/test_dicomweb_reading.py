"""Searching and retrieving through DICOMweb, raw and by a client that knows nothing of Scanward."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from scanward import pipeline, wiring
from tests.doors.serving import CT, MR, TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
JPEG = (FILES / "SC_rgb_jpeg_dcmtk.dcm").read_bytes()
MULTI = (FILES / "SC_rgb_rle_2frame.dcm").read_bytes()
FRAMES = "multipart/related; type=application/octet-stream; transfer-syntax=*"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with four objects in raw and what the line made of them in deid."""
    settings = settings_for(tmp_path_factory.mktemp("archive"))
    with serving(settings) as running:
        sent = [("a.dcm", CT), ("b.dcm", MR), ("c.dcm", JPEG), ("d.dcm", MULTI)]
        assert running.upload(*sent).json()["counts"] == {"accepted": 4}
        line = wiring.open_line(settings, running.ports)
        for claim in running.ports.queue.claim("test", 20, 60):
            running.ports.queue.finish([pipeline.process(claim, line)])
        yield running


def client(archive: Served, zone: str = "raw") -> DICOMwebClient:
    return DICOMwebClient(f"{archive.url}/dicomweb/{zone}", headers={"Authorization": f"Bearer {TOKEN}"})


def place_of(raw: bytes) -> tuple[str, str, str]:
    dataset = pydicom.dcmread(BytesIO(raw), stop_before_pixels=True)
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def path_of(raw: bytes) -> str:
    study, series, instance = place_of(raw)
    return f"/dicomweb/raw/studies/{study}/series/{series}/instances/{instance}"


def test_a_client_finds_studies_series_and_instances(archive: Served) -> None:
    found = client(archive).search_for_studies(search_filters={"PatientID": "1CT1"})
    assert [one["0020000D"]["Value"][0] for one in found] == [place_of(CT)[0]]
    (series,) = client(archive).search_for_series(place_of(CT)[0])
    assert series["0020000E"]["Value"] == [place_of(CT)[1]]
    (instance,) = client(archive).search_for_instances(*place_of(CT)[:2])
    assert instance["00080018"]["Value"] == [place_of(CT)[2]]
    assert len(client(archive).search_for_instances()) == 4


def test_a_client_retrieves_objects_byte_for_byte(archive: Served) -> None:
    dataset = client(archive).retrieve_instance(*place_of(CT))
    assert dataset.PatientID == "1CT1"
    assert archive.client.get(path_of(CT), headers={"Accept": "application/dicom"}).content == CT
    (of_study,) = client(archive).retrieve_study(place_of(MR)[0])
    assert of_study.SOPInstanceUID == place_of(MR)[2]


def test_a_client_reads_metadata_that_pydicom_takes_back(archive: Served) -> None:
    (model,) = client(archive).retrieve_series_metadata(*place_of(CT)[:2])
    dataset = pydicom.Dataset.from_json(json.dumps(model), bulk_data_uri_handler=lambda _: b"")
    assert dataset.PatientName == "CompressedSamples^CT1"
    assert dataset.Rows == 128


def test_frames_come_as_they_are_stored(archive: Served) -> None:
    (frame,) = client(archive).retrieve_instance_frames(*place_of(CT), [1])
    assert (
        np.frombuffer(frame, "<i2").reshape(128, 128).tolist()
        == pydicom.dcmread(BytesIO(CT)).pixel_array.tolist()
    )
    both = archive.client.get(f"{path_of(MULTI)}/frames/2,1", headers={"Accept": FRAMES})
    assert both.content.count(b"transfer-syntax=1.2.840.10008.1.2.5") == 2
    single = archive.client.get(
        f"{path_of(JPEG)}/frames/1", headers={"Accept": "application/octet-stream; transfer-syntax=*"}
    )
    assert single.content.startswith(b"\xff\xd8\xff")
    assert single.headers["content-type"].endswith("transfer-syntax=1.2.840.10008.1.2.4.50")


@pytest.mark.parametrize(
    ("numbers", "status"), [("2", 404), ("0", 404), ("x", 400), ("1,,1", 400), ("-1", 400)]
)
def test_frames_that_are_not_there_are_told(archive: Served, numbers: str, status: int) -> None:
    assert (
        archive.client.get(f"{path_of(CT)}/frames/{numbers}", headers={"Accept": FRAMES}).status_code
        == status
    )


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/dicomweb/raw/studies", "text/plain", 406),
        ("/dicomweb/raw/studies", "application/dicom+json;q=0", 406),
        ("/dicomweb/raw/studies", "text/html, application/dicom+json;q=0.5", 200),
        ("/dicomweb/raw/studies", "application/*", 200),
        ("/dicomweb/raw/studies", "a b", 400),
        ("/dicomweb/raw/studies?accept=application/json", "text/plain", 200),
        ("/dicomweb/raw/studies?PatientID=nobody", "*/*", 204),
        ("/dicomweb/raw/studies?StudyDate=soon", "*/*", 400),
        ("/dicomweb/raw/studies?NoSuchThing=1", "*/*", 400),
        ("/dicomweb/raw/studies/1.2.3/metadata", "*/*", 404),
        ("/dicomweb/quarantine/studies", "*/*", 422),
    ],
)
def test_what_cannot_be_given_is_told_by_its_status(
    archive: Served, path: str, accept: str, status: int
) -> None:
    assert archive.client.get(path, headers={"Accept": accept}).status_code == status


def test_a_transfer_syntax_that_would_lose_something_is_not_acceptable(archive: Served) -> None:
    accept = 'application/dicom; transfer-syntax="1.2.840.10008.1.2.4.50"'
    assert archive.client.get(path_of(CT), headers={"Accept": accept}).status_code == 406


def test_pages_say_how_much_there_is_and_how_to_go_on(archive: Served) -> None:
    answer = archive.client.get("/dicomweb/raw/instances?limit=3")
    assert answer.headers["x-total-count"] == "4"
    assert "1 more results" in answer.headers["warning"]
    assert "warning" not in archive.client.get("/dicomweb/raw/instances?limit=3&offset=3").headers


def test_the_deid_zone_knows_no_original(archive: Served) -> None:
    studies = archive.client.get("/dicomweb/deid/studies?includefield=all").text
    metadata = "".join(
        archive.client.get(f"/dicomweb/deid/studies/{one['0020000D']['Value'][0]}/metadata").text
        for one in json.loads(studies)
    )
    for raw in (CT, MR, JPEG, MULTI):
        dataset = pydicom.dcmread(BytesIO(raw), stop_before_pixels=True)
        for value in (str(dataset.PatientName), *place_of(raw)):
            assert value not in studies + metadata
    assert "ANON-" in studies
    assert archive.client.get(path_of(CT).replace("/raw/", "/deid/")).status_code == 404


def test_nobody_reads_without_the_token(archive: Served) -> None:
    for path in ("/dicomweb/raw/studies", f"{path_of(CT)}/metadata", path_of(CT)):
        assert archive.client.get(path, headers={"Authorization": ""}).status_code == 401
