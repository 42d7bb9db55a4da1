"""Frames through the door in the form that a client asks for (PS3.18 8.7.3, 10.4.1.1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import cast

import httpx
import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.pixels.utils import pixel_array

from tests.deliver.objects import FILES, described, reference, samples_of, view_of
from tests.doors.serving import TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration

EXPLICIT = "1.2.840.10008.1.2.1"
STEM = "1.2.840.10008.1.2."
# These of pydicom's files share one UID with others: the last one sent would be met in place of the first.
NAMES = ["CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "MR_small_expb.dcm", "image_dfl.dcm"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with real files of several transfer syntaxes in raw."""
    with serving(settings_for(tmp_path_factory.mktemp("archive"))) as running:
        sent = [(name, (FILES / name).read_bytes()) for name in NAMES]
        assert running.upload(*sent).json()["counts"] == {"accepted": len(NAMES)}
        yield running


def path_of(name: str) -> str:
    dataset = pydicom.dcmread(FILES / name, stop_before_pixels=True)
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    return "/dicomweb/raw/studies/{}/series/{}/instances/{}".format(*uids)


def get(archive: Served, name: str, accept: str, frames: str = "1") -> httpx.Response:
    return archive.client.get(f"{path_of(name)}/frames/{frames}", headers={"Accept": accept})


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = cast("list[Message]", message_from_bytes(head + answer.content).get_payload())
    return [(part["Content-Type"], cast("bytes", part.get_payload(decode=True))) for part in parts]


@pytest.mark.parametrize("name", NAMES)
def test_octets_without_a_transfer_syntax_are_decoded(name: str, archive: Served, tmp_path: Path) -> None:
    """PS3.18 8.7.3.3: Explicit VR Little Endian is the default."""
    answer = get(archive, name, "application/octet-stream")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    expected = reference(name, tmp_path)
    pixels = described(view_of(name))
    made = samples_of(answer.content, pixels, expected.dtype)
    np.testing.assert_array_equal(made, expected.reshape(pixels.table.count, -1)[0])


def test_frames_of_a_list_are_decoded_one_by_one(archive: Served) -> None:
    answer = get(
        archive, "SC_rgb_rle_2frame.dcm", "multipart/related; type=application/octet-stream", "2,1,2"
    )
    kinds, bodies = zip(*parts_of(answer), strict=True)
    assert set(kinds) == {f"application/octet-stream; transfer-syntax={EXPLICIT}"}
    assert int(answer.headers["content-length"]) == len(answer.content)
    expected = pixel_array(FILES / "SC_rgb_rle_2frame.dcm")
    assert bodies == tuple(expected[index].tobytes() for index in (1, 0, 1))


def test_a_star_gives_frames_as_they_are_stored(archive: Served) -> None:
    answer = get(
        archive, "JPEG2000.dcm", "multipart/related; type=application/octet-stream; transfer-syntax=*"
    )
    ((kind, body),) = parts_of(answer)
    assert kind == f"application/octet-stream; transfer-syntax={STEM}4.91"
    assert body.startswith(b"\xff\x4f\xff\x51")


@pytest.mark.parametrize(
    ("media_type", "syntax"),
    [
        ("image/jpeg", "4.70"),
        ("image/jls", "4.80"),
        ("image/jp2", "4.90"),
        ("image/jphc", "4.201"),
        ("image/dicom-rle", "5"),
    ],
)
def test_a_plain_frame_is_compressed_without_loss(media_type: str, syntax: str, archive: Served) -> None:
    for accept in (media_type, f'{media_type}; transfer-syntax="{STEM}{syntax}"'):
        answer = get(archive, "CT_small.dcm", accept)
        assert answer.headers["content-type"] == f"{media_type}; transfer-syntax={STEM}{syntax}"
        assert 0 < len(answer.content) < 128 * 128 * 2
    answer = get(archive, "CT_small.dcm", f'multipart/related; type="{media_type}"')
    assert [kind for kind, _ in parts_of(answer)] == [f"{media_type}; transfer-syntax={STEM}{syntax}"]
    octets = get(archive, "CT_small.dcm", f"application/octet-stream; transfer-syntax={STEM}{syntax}")
    assert octets.content == get(archive, "CT_small.dcm", media_type).content


def test_a_media_type_of_the_stored_syntax_gives_what_is_stored(archive: Served) -> None:
    answer = get(archive, "JPEG2000.dcm", "image/jp2")
    assert answer.headers["content-type"] == f"image/jp2; transfer-syntax={STEM}4.91"


@pytest.mark.parametrize(
    "accept",
    [
        "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.50",
        "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.90",
        "image/jpx",
        "video/mp4",
        "text/plain",
        "application/octet-stream; transfer-syntax=1.2.3",
    ],
)
def test_what_cannot_be_made_is_406(accept: str, archive: Served) -> None:
    assert get(archive, "CT_small.dcm", accept).status_code == 406


def test_the_next_range_is_taken_where_the_first_cannot_be_made(archive: Served) -> None:
    accept = f"image/jpeg; transfer-syntax={STEM}4.50, image/jls; q=0.5, application/octet-stream; q=0.1"
    assert get(archive, "CT_small.dcm", accept).headers["content-type"].startswith("image/jls;")


def test_a_decoded_frame_has_a_tag_and_ranges(archive: Served) -> None:
    path = f"{path_of('JPEG2000.dcm')}/frames/1"
    accept = {"Accept": "application/octet-stream"}
    whole = archive.client.get(path, headers=accept)
    again = archive.client.get(path, headers={**accept, "If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stored = archive.client.get(path, headers={"Accept": "*/*", "If-None-Match": whole.headers["etag"]})
    assert stored.status_code == 200
    part = archive.client.get(path, headers={**accept, "Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])


def test_frames_beyond_the_last_are_404(archive: Served) -> None:
    for name in ("MR_small_expb.dcm", "image_dfl.dcm", "CT_small.dcm"):
        assert get(archive, name, "application/octet-stream", "2").status_code == 404


def test_a_client_reads_frames_of_every_syntax(archive: Served, tmp_path: Path) -> None:
    """dicomweb-client asks `application/octet-stream` without a transfer syntax."""
    root = f"{archive.url}/dicomweb/raw"
    client = DICOMwebClient(root, headers={"Authorization": f"Bearer {TOKEN}"})
    for name in NAMES:
        dataset = pydicom.dcmread(FILES / name, stop_before_pixels=True)
        uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
        (frame,) = client.retrieve_instance_frames(*uids, [1], media_types=("application/octet-stream",))
        expected = reference(name, tmp_path)
        pixels = described(view_of(name))
        made = samples_of(frame, pixels, expected.dtype)
        np.testing.assert_array_equal(made, expected.reshape(pixels.table.count, -1)[0])
