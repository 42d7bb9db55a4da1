"""WADO-URI, which old viewers ask, and all pixel data of an instance (PS3.18 9, 10.4.1.1)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image as Pillow

from tests.deliver.objects import FILES
from tests.doors.serving import Served, serving, settings_for
from tests.doors.test_dicomweb_pixels import parts_of, path_of

pytestmark = pytest.mark.integration

NAMES = ["CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "test-SR.dcm"]
CT, FILM = "CT_small.dcm", "SC_rgb_rle_2frame.dcm"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with images and a report in raw."""
    with serving(settings_for(tmp_path_factory.mktemp("archive"))) as running:
        sent = [(name, (FILES / name).read_bytes()) for name in NAMES]
        assert running.upload(*sent).json()["counts"] == {"accepted": len(NAMES)}
        yield running


def wado(archive: Served, name: str, **more: str) -> httpx.Response:
    dataset = pydicom.dcmread(FILES / name, stop_before_pixels=True)
    uids = {"studyUID": dataset.StudyInstanceUID, "seriesUID": dataset.SeriesInstanceUID}
    query = {"requestType": "WADO", **uids, "objectUID": dataset.SOPInstanceUID, **more}
    return archive.client.get("/dicomweb/raw/wado", params=query)


def test_an_image_is_a_jpeg_unless_asked_otherwise(archive: Served) -> None:
    assert wado(archive, CT).headers["content-type"] == "image/jpeg"
    answer = wado(archive, CT, contentType="image/png", windowCenter="40", windowWidth="400", rows="64")
    assert Pillow.open(io.BytesIO(answer.content)).size == (64, 64)
    second = wado(archive, FILM, contentType="image/png", frameNumber="2")
    frames = pydicom.dcmread(FILES / FILM).pixel_array
    np.testing.assert_array_equal(np.asarray(Pillow.open(io.BytesIO(second.content))), frames[1])


def test_dicom_is_explicit_unless_asked_otherwise(archive: Served) -> None:
    """PS3.18 9.4.1.1: Explicit VR Little Endian is the default."""
    assert wado(archive, CT, contentType="application/dicom").content == (FILES / CT).read_bytes()
    answer = wado(archive, "JPEG2000.dcm", contentType="application/dicom")
    assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={EXPLICIT}"
    assert pydicom.dcmread(io.BytesIO(answer.content)).file_meta.TransferSyntaxUID == EXPLICIT
    stored = wado(archive, "JPEG2000.dcm", contentType="application/dicom", transferSyntax="*")
    assert stored.content == (FILES / "JPEG2000.dcm").read_bytes()


def test_what_is_no_image_is_dicom(archive: Served) -> None:
    assert wado(archive, "test-SR.dcm").headers["content-type"].startswith("application/dicom")
    assert wado(archive, "test-SR.dcm", contentType="image/jpeg").status_code == 406


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"requestType": "other"}, 400),
        ({"studyUID": ""}, 400),
        ({"windowCenter": "1"}, 400),
        ({"imageQuality": "0"}, 400),
        ({"rows": "many"}, 400),
        ({"objectUID": "1.2.3"}, 404),
        ({"frameNumber": "2"}, 404),
        ({"contentType": "text/html"}, 406),
        ({"anonymize": "yes"}, 406),
        ({"region": "0,0,1,1"}, 406),
    ],
)
def test_what_cannot_be_given_is_said(more: dict[str, str], status: int, archive: Served) -> None:
    assert wado(archive, CT, **more).status_code == status


def test_all_pixel_data_come_frame_by_frame(archive: Served) -> None:
    accept = {"Accept": "multipart/related; type=application/octet-stream"}
    parts = parts_of(archive.client.get(f"{path_of(FILM)}/pixeldata", headers=accept))
    frames = pydicom.dcmread(FILES / FILM).pixel_array
    assert [body for _, body in parts] == [frame.tobytes() for frame in frames]
    assert archive.client.get(f"{path_of('test-SR.dcm')}/pixeldata").status_code == 404
