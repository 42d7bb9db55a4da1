"""Storing objects described in DICOM JSON, with their bulk data in parts (PS3.18 8.6.1.2, 10.5.2, F.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import generate_uid

from tests.doors.serving import CT, FILES, MR, Served, serving, settings_for
from tests.doors.test_dicomweb_storing import STUDIES, failures, files_of

pytestmark = pytest.mark.integration

JSON = "application/dicom+json"
RELATED = f'multipart/related; type="{JSON}"; boundary=edge'
JPEG = (FILES / "SC_rgb_jpeg_dcmtk.dcm").read_bytes()
Model = dict[str, Any]
Bulk = tuple[str, str, bytes]


@pytest.fixture
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_for(tmp_path_factory.mktemp("json"))) as running:
        yield running


def described(raw: bytes, uri: str = "pixels") -> tuple[Model, bytes]:
    """Return an object's description, with its pixels by address, and the pixels."""
    dataset = pydicom.dcmread(BytesIO(raw))
    pixels = dataset.PixelData
    del dataset.PixelData
    model: Model = json.loads(dataset.to_json())
    model["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
    return model, pixels


def body_of(models: object, *bulk: Bulk) -> bytes:
    text = models if isinstance(models, bytes) else json.dumps(models).encode()
    parts = [b"--edge\r\nContent-Type: application/dicom+json\r\n\r\n" + text]
    parts += [
        f"--edge\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\n\r\n".encode() + content
        for location, kind, content in bulk
    ]
    return b"\r\n".join([*parts, b"--edge--\r\n"])


def post(archive: Served, body: bytes, kind: str = RELATED) -> httpx.Response:
    return archive.client.post(STUDIES, content=body, headers={"Content-Type": kind})


def stored(archive: Served, answer: httpx.Response) -> list[pydicom.Dataset]:
    addresses = [one["00081190"]["Value"][0] for one in answer.json()["00081199"]["Value"]]
    accept = {"Accept": "application/dicom; transfer-syntax=*"}
    return [pydicom.dcmread(BytesIO(archive.client.get(one, headers=accept).content)) for one in addresses]


def test_objects_are_written_from_their_description_and_bulk_data(archive: Served) -> None:
    bulk = list[Bulk]()
    models = list[Model]()
    for number, raw in enumerate((CT, MR)):
        model, pixels = described(raw, f"https://elsewhere.example/{number}")
        models.append(model)
        bulk.append((f"https://elsewhere.example/{number}", "application/octet-stream", pixels))
    answer = post(archive, body_of(models, *reversed(bulk)))
    assert answer.status_code == 200
    for raw, found in zip((CT, MR), stored(archive, answer), strict=True):
        sent = pydicom.dcmread(BytesIO(raw))
        assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert found.PixelData == sent.PixelData
        assert found.SpecificCharacterSet == "ISO_IR 192"
        wanted, got = json.loads(sent.to_json()), json.loads(found.to_json())
        assert {tag: wanted[tag] for tag in wanted if tag != "00080005"} == {
            tag: got[tag] for tag in got if tag != "00080005"
        }
    assert archive.staged() == []


@pytest.mark.parametrize("kind", ["image/jpeg", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"])
def test_compressed_pixels_are_kept_as_they_come(archive: Served, kind: str) -> None:
    """PS3.18 Table 8.7.3-5: the syntax of a part's media type."""
    model, pixels = described(JPEG)
    (frame,) = generate_frames(pixels, number_of_frames=1)
    (found,) = stored(archive, post(archive, body_of([model], ("pixels", kind, frame))))
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert next(generate_frames(found.PixelData, number_of_frames=1)).rstrip(b"\0") == frame.rstrip(b"\0")


def test_a_description_alone_is_enough_where_nothing_is_bulk(archive: Served) -> None:
    model, _ = described(CT)
    for tag in ("7FE00010", "00280010", "00280011", "00280002", "00280004", "00280100"):
        del model[tag]
    model["00080016"]["Value"] = ["1.2.840.10008.5.1.4.1.1.88.11"]
    model["00100010"]["Value"] = [{"Alphabetic": "Müller^Jörg"}]
    answer = post(archive, json.dumps(model).encode(), JSON)
    (found,) = stored(archive, answer)
    assert str(found.PatientName) == "Müller^Jörg"


def test_inline_pixels_and_other_bulk_data_are_taken(archive: Served) -> None:
    model: Model = json.loads(pydicom.dcmread(BytesIO(CT)).to_json())
    model["00420011"] = {"vr": "OB", "BulkDataURI": "document"}
    (found,) = stored(archive, post(archive, body_of([model], ("document", "application/pdf", b"%PDF-1.7"))))
    assert found.PixelData == pydicom.dcmread(BytesIO(CT)).PixelData
    assert found.EncapsulatedDocument == b"%PDF-1.7"


def test_one_that_cannot_be_written_fails_and_the_others_are_stored(archive: Served) -> None:
    """PS3.18 Table 10.5.3-1: 202."""
    good, pixels = described(CT)
    lost, _ = described(MR, "nowhere")
    other, _ = described(MR)
    other["00080018"]["Value"] = [generate_uid()]
    other["00280008"] = {"vr": "IS", "Value": ["one"]}
    answer = post(archive, body_of([lost, good, other], ("pixels", "application/octet-stream", pixels)))
    assert (answer.status_code, failures(answer)) == (202, [0xC000, 0xC000])
    (found,) = stored(archive, answer)
    assert found.PixelData == pixels
    assert archive.staged() == []


@pytest.mark.parametrize(
    "body",
    [
        body_of(b"no json"),
        body_of(b"[]"),
        body_of(b"[1]"),
        body_of(b'"text"'),
        body_of(b"[" * 100_000),
        body_of({"00080018": {"vr": "UI", "Value": [{"x": 1}]}}),
        body_of({"00080018": 7, "zz": None}),
        body_of({"00081140": {"vr": "SQ", "Value": "x"}}),
        body_of(b'{"00081140":{"vr":"SQ","Value":[' * 150 + b"{}" + b"]}}" * 150),
        body_of(described(CT)[0]),
        body_of(described(CT)[0], ("pixels", "application/octet-stream", b"x"), ("pixels", "a/b", b"y")),
        body_of(described(CT, "file:///etc/passwd")[0]),
        body_of(described(CT)[0], ("pixels", "application/octet-stream; transfer-syntax=1.2.3", b"xx")),
        body_of(described(CT)[0], ("pixels", "application/octet-stream", b"too short")),
        body_of(described(CT)[0], ("pixels", "application/octet-stream", bytes(32768)))[:-5],
        body_of(described(CT)[0]).replace(b"dicom+json", b"json", 1),
        body_of({}),
    ],
)
def test_what_cannot_be_understood_stores_nothing(archive: Served, body: bytes) -> None:
    assert post(archive, body).status_code == 400
    assert files_of(archive.settings.data, "raw") == []
    assert archive.staged() == []


def test_endless_descriptions_and_parts_are_bounded(archive: Served) -> None:
    """PS3.18 8.5: 413."""
    assert post(archive, body_of(b'{"x":"' + b"y" * (9 << 20))).status_code == 413
    parts = [(f"p{number}", "a/b", b"") for number in range(1001)]
    assert post(archive, body_of({}, *parts)).status_code == 413
    assert archive.staged() == []
