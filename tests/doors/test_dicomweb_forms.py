"""The forms of DICOMweb resources: XML, zip, parts, ranges, heads, and what a client has already."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile

import pydicom
import pytest

from tests.doors.serving import CT, MR, Served
from tests.doors.test_dicomweb_reading import JPEG, MULTI, archive, client, path_of, place_of

pytestmark = pytest.mark.integration
__all__ = ["archive"]  # the fixture

XML = 'multipart/related; type="application/dicom+xml"'


def documents(body: bytes) -> list[ET.Element]:
    parts = [part.partition(b"\r\n\r\n")[2] for part in (b"\r\n" + body).split(b"\r\n--")]
    return [ET.fromstring(one) for one in parts if one.startswith(b"<?xml")]  # noqa: S314 - our own


def test_searches_and_metadata_come_as_xml(archive: Served) -> None:
    found = archive.client.get("/dicomweb/raw/studies", headers={"Accept": XML})
    assert len(documents(found.content)) == int(found.headers["x-total-count"]) > 1
    metadata = archive.client.get(f"{path_of(CT)}/metadata", headers={"Accept": XML})
    (document,) = documents(metadata.content)
    name = document.find(
        "{*}DicomAttribute[@keyword='PatientName']/{*}PersonName/{*}Alphabetic/{*}FamilyName"
    )
    assert name is not None
    assert name.text == "CompressedSamples"


def test_a_study_comes_as_a_zip(archive: Served) -> None:
    study, _, instance = place_of(CT)
    answer = archive.client.get(f"/dicomweb/raw/studies/{study}", headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.namelist() == [f"{instance}.dcm"]
        assert packed.read(f"{instance}.dcm") == CT
        assert packed.testzip() is None


def test_a_single_part_comes_by_ranges(archive: Served) -> None:
    headers = {"Accept": "application/dicom"}
    part = archive.client.get(path_of(CT), headers={**headers, "Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, CT[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(CT)}"
    assert archive.client.get(path_of(CT), headers={**headers, "Range": "bytes=-4"}).content == CT[-4:]
    beyond = archive.client.get(path_of(CT), headers={**headers, "Range": f"bytes={len(CT)}-"})
    assert beyond.status_code == 416


def test_a_range_of_a_frame_of_several_fragments_is_cut_where_it_lies(archive: Served) -> None:
    headers = {"Accept": "application/octet-stream; transfer-syntax=*"}
    whole = archive.client.get(f"{path_of(MULTI)}/frames/2", headers=headers).content
    cut = archive.client.get(f"{path_of(MULTI)}/frames/2", headers={**headers, "Range": "bytes=10-19"})
    assert cut.content == whole[10:20]


@pytest.mark.parametrize("below", ["", "/metadata", "/frames/1", "/bulkdata/7FE00010"])
def test_what_a_client_has_already_is_not_sent_again(archive: Served, below: str) -> None:
    headers = {
        "Accept": "application/dicom, application/dicom+json, application/octet-stream; transfer-syntax=*"
    }
    first = archive.client.get(path_of(CT) + below, headers=headers)
    assert first.status_code == 200
    again = archive.client.get(
        path_of(CT) + below, headers={**headers, "If-None-Match": first.headers["etag"]}
    )
    if below in {"", "/metadata"}:
        assert (again.status_code, again.content) == (304, b"")
    assert archive.client.get(path_of(MR) + below, headers=headers).headers["etag"] != first.headers["etag"]


def test_a_head_has_the_headers_and_no_body(archive: Served) -> None:
    headers = {"Accept": "application/dicom"}
    head = archive.client.head(path_of(CT), headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(CT))
    assert archive.client.head("/dicomweb/raw/studies/1.2.3/metadata").status_code == 404


def test_bulk_data_come_by_the_address_that_metadata_tell(archive: Served) -> None:
    (model,) = archive.client.get(f"{path_of(CT)}/metadata").json()
    address = model["7FE00010"]["BulkDataURI"]
    pixels = archive.client.get(address, headers={"Accept": "application/octet-stream"})
    assert pixels.content == pydicom.dcmread(io.BytesIO(CT)).PixelData
    (by_client,) = client(archive).retrieve_bulkdata(address)
    assert by_client == pixels.content


def test_bulk_data_of_compressed_pixels_are_its_frames(archive: Served) -> None:
    accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    answer = archive.client.get(f"{path_of(MULTI)}/bulkdata/7FE00010", headers={"Accept": accept})
    assert answer.content.count(b"transfer-syntax=1.2.840.10008.1.2.5") == 2
    one = archive.client.get(
        f"{path_of(JPEG)}/bulkdata/7FE00010",
        headers={"Accept": "application/octet-stream; transfer-syntax=*"},
    )
    assert one.content.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("path", "status"),
    [("7FE00011", 404), ("00080000/x", 400), ("00080000/0/zz", 400), ("00081140/0/00081150", 404)],
)
def test_bulk_data_that_are_not_there_are_told(archive: Served, path: str, status: int) -> None:
    assert archive.client.get(f"{path_of(CT)}/bulkdata/{path}").status_code == status


def test_every_answer_of_json_is_json(archive: Served) -> None:
    for path in ("/dicomweb/raw/studies", "/dicomweb/raw/series", "/dicomweb/raw/instances?includefield=all"):
        answer = archive.client.get(path)
        assert answer.headers["content-type"] == "application/dicom+json"
        assert json.loads(answer.content)
