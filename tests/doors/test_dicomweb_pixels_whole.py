"""Whole objects through the door in the transfer syntax that a client names (PS3.18 8.7.3.5.2)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from tests.deliver.objects import FILES
from tests.doors.serving import TOKEN, Served, serving, settings_for
from tests.doors.test_dicomweb_pixels import parts_of, path_of

pytestmark = pytest.mark.integration

STEM = "1.2.840.10008.1.2."
NAMES = ["CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "test-SR.dcm"]
CT = "CT_small.dcm"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with images and a report in raw."""
    with serving(settings_for(tmp_path_factory.mktemp("archive"))) as running:
        sent = [(name, (FILES / name).read_bytes()) for name in NAMES]
        assert running.upload(*sent).json()["counts"] == {"accepted": len(NAMES)}
        yield running


def get(archive: Served, path: str, accept: str) -> httpx.Response:
    return archive.client.get(path, headers={"Accept": accept})


@pytest.mark.parametrize("end", ["1", "4.80", "4.90", "4.201", "5"])
@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm"])
def test_an_object_comes_in_the_syntax_asked_for(name: str, end: str, archive: Served) -> None:
    answer = get(archive, path_of(name), f"application/dicom; transfer-syntax={STEM}{end}")
    assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={STEM}{end}"
    assert int(answer.headers["content-length"]) == len(answer.content)
    dataset = pydicom.dcmread(io.BytesIO(answer.content))
    assert dataset.file_meta.TransferSyntaxUID == STEM + end
    np.testing.assert_array_equal(dataset.pixel_array, pydicom.dcmread(FILES / name).pixel_array)


def test_the_parts_of_a_study_name_their_syntax(archive: Served) -> None:
    for name, syntax in ((CT, "4.80"), ("test-SR.dcm", "1")):
        study = path_of(name).partition("/series/")[0]
        answer = get(
            archive, study, f'multipart/related; type="application/dicom"; transfer-syntax={STEM}4.80'
        )
        ((kind, body),) = parts_of(answer)
        assert kind == f"application/dicom; transfer-syntax={STEM}{syntax}"
        assert pydicom.dcmread(io.BytesIO(body)).file_meta.TransferSyntaxUID == STEM + syntax


@pytest.mark.parametrize("syntax", [f"{STEM}4.50", f"{STEM}4.91", f"{STEM}2", "1.2.3"])
def test_what_cannot_be_made_is_406(syntax: str, archive: Served) -> None:
    assert get(archive, path_of(CT), f"application/dicom; transfer-syntax={syntax}").status_code == 406


def test_a_star_gives_what_is_stored(archive: Served) -> None:
    for accept in ("*/*", "application/dicom; transfer-syntax=*", "multipart/related; transfer-syntax=*"):
        answer = get(archive, path_of("JPEG2000.dcm"), accept)
        assert (FILES / "JPEG2000.dcm").read_bytes() in answer.content


def test_the_kind_alone_means_its_default_explicit_vr_little_endian(archive: Served) -> None:
    answer = get(archive, path_of("JPEG2000.dcm"), "application/dicom")
    dataset = pydicom.dcmread(io.BytesIO(answer.content))
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert (dataset.pixel_array == pydicom.dcmread(FILES / "JPEG2000.dcm").pixel_array).all()


def test_nothing_is_left_on_the_disk(archive: Served) -> None:
    before = sorted(archive.settings.data.iterdir())
    get(archive, path_of(CT), f"application/dicom; transfer-syntax={STEM}5")
    assert sorted(archive.settings.data.iterdir()) == before


def test_a_client_asks_for_another_syntax(archive: Served) -> None:
    root = f"{archive.url}/dicomweb/raw"
    client = DICOMwebClient(root, headers={"Authorization": f"Bearer {TOKEN}"})
    plain = pydicom.dcmread(FILES / CT)
    uids = plain.StudyInstanceUID, plain.SeriesInstanceUID, plain.SOPInstanceUID
    dataset = client.retrieve_instance(*uids, media_types=(("application/dicom", f"{STEM}4.90"),))
    assert dataset.file_meta.TransferSyntaxUID == f"{STEM}4.90"
    np.testing.assert_array_equal(dataset.pixel_array, plain.pixel_array)
