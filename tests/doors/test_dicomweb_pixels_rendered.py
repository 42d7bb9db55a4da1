"""Pictures and thumbnails through the door, and what a broken codec leaves of it (PS3.18 8.3.5)."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator

import httpx
import numpy as np
import psutil
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from PIL import Image as Pillow

from tests.deliver.objects import FILES
from tests.doors.serving import TOKEN, Served, serving, settings_for
from tests.doors.test_dicomweb_pixels import parts_of, path_of

pytestmark = pytest.mark.integration

NAMES = ["CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "MR_small_expb.dcm", "test-SR.dcm"]
CT, FILM = "CT_small.dcm", "SC_rgb_rle_2frame.dcm"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with images of several kinds, and an object without pixels."""
    with serving(settings_for(tmp_path_factory.mktemp("archive"))) as running:
        sent = [(name, (FILES / name).read_bytes()) for name in NAMES]
        assert running.upload(*sent).json()["counts"] == {"accepted": len(NAMES)}
        yield running


def get(archive: Served, path: str, accept: str = "image/jpeg") -> httpx.Response:
    return archive.client.get(path, headers={"Accept": accept})


def opened(answer: httpx.Response) -> Pillow.Image:
    assert answer.status_code == 200, answer.text
    return Pillow.open(io.BytesIO(answer.content))


def test_an_instance_is_a_jpeg_unless_asked_otherwise(archive: Served) -> None:
    for accept, form in (("*/*", "JPEG"), ("image/png", "PNG"), ("image/gif", "GIF"), ("image/*", "JPEG")):
        answer = get(archive, f"{path_of(CT)}/rendered", accept)
        assert answer.headers["content-type"] == f"image/{form.lower()}"
        assert (opened(answer).format, opened(answer).size) == (form, (128, 128))


def test_the_window_asked_for_is_the_one_shown(archive: Served) -> None:
    """PS3.18 8.3.5.1.4, held against the arithmetic of PS3.3 C.11.2.1.2."""
    answer = get(archive, f"{path_of(CT)}/rendered?window=40,400,linear", "image/png")
    heard = pydicom.dcmread(FILES / CT).pixel_array * 1.0 - 1024
    expected = np.rint(np.clip((heard - 39.5) / 399 + 0.5, 0, 1) * 255)
    np.testing.assert_array_equal(np.asarray(opened(answer)), expected)


def test_viewport_quality_and_profile_are_honoured(archive: Served) -> None:
    path = f"{path_of(CT)}/rendered"
    assert opened(get(archive, f"{path}?viewport=64,32,0,0,64,64")).size == (32, 32)
    sizes = [len(get(archive, f"{path}?quality={quality}").content) for quality in (10, 50, 100)]
    assert sizes == sorted(set(sizes))
    assert b"ICC_PROFILE" in get(archive, f"{path}?iccprofile=srgb").content
    assert b"ICC_PROFILE" not in get(archive, path).content


@pytest.mark.parametrize("query", ["annotation=patient", "iccprofile=rommrgb"])
def test_what_is_not_done_is_warned_of(query: str, archive: Served) -> None:
    answer = get(archive, f"{path_of(CT)}/rendered?{query}")
    assert answer.status_code == 200
    assert answer.headers["warning"].startswith("299 ")


@pytest.mark.parametrize(
    "query",
    [
        "window=1",
        "window=a,b,linear",
        "window=40,400,cubic",
        "window=40,0,linear",
        "window=nan,1,linear",
        "viewport=1",
        "viewport=0,10",
        "viewport=100000,100000",
        "viewport=1,1,1",
        "viewport=5,5,-1,0,1,1",
        "quality=0",
        "quality=101",
        "quality=high",
        "iccprofile=mine",
    ],
)
def test_parameters_that_cannot_be_read_are_400(query: str, archive: Served) -> None:
    assert get(archive, f"{path_of(CT)}/rendered?{query}").status_code == 400


def test_frames_are_pictures_of_their_own_or_a_film(archive: Served) -> None:
    path = path_of(FILM)
    assert opened(get(archive, f"{path}/frames/2/rendered")).size == (100, 100)
    answer = get(archive, f"{path}/frames/1,2/rendered", 'multipart/related; type="image/png"')
    first, second = (np.asarray(Pillow.open(io.BytesIO(body))) for _, body in parts_of(answer))
    frames = pydicom.dcmread(FILES / FILM).pixel_array
    np.testing.assert_array_equal(first, frames[0])
    np.testing.assert_array_equal(second, frames[1])
    for film in (f"{path}/rendered", f"{path}/frames/1,2/rendered"):
        assert getattr(opened(get(archive, film, "image/gif")), "n_frames", 1) == 2
    assert get(archive, f"{path}/frames/1,2/rendered", "image/png").status_code == 406
    assert get(archive, f"{path}/frames/3/rendered").status_code == 404


def test_a_series_and_a_study_are_shown_part_by_part(archive: Served) -> None:
    study = path_of(CT).partition("/series/")[0]
    series = path_of(CT).partition("/instances/")[0]
    for path in (study, series):
        ((kind, body),) = parts_of(get(archive, f"{path}/rendered", 'multipart/related; type="image/jpeg"'))
        assert (kind, body[:2]) == ("image/jpeg", b"\xff\xd8")


def test_thumbnails_are_small_at_every_level(archive: Served) -> None:
    instance = path_of("JPEG2000.dcm")
    series, study = instance.partition("/instances/")[0], instance.partition("/series/")[0]
    for path in (study, series, instance, f"{instance}/frames/1"):
        assert opened(get(archive, f"{path}/thumbnail", "*/*")).size == (32, 128)
    assert opened(get(archive, f"{instance}/thumbnail?viewport=50,50")).size == (12, 50)


def test_what_has_no_pixels_has_no_picture(archive: Served) -> None:
    for path in (path_of("test-SR.dcm"), path_of("test-SR.dcm").partition("/series/")[0]):
        assert get(archive, f"{path}/rendered").status_code == 406
        assert get(archive, f"{path}/thumbnail").status_code == 406
    assert get(archive, "/dicomweb/raw/studies/1.2.3/rendered").status_code == 404
    assert get(archive, f"{path_of(CT)}/rendered", "image/webp").status_code == 406


def test_a_picture_that_the_client_has_is_not_sent_again(archive: Served) -> None:
    path = f"{path_of(CT)}/rendered"
    tag = archive.client.get(path).headers["etag"]
    assert archive.client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert archive.client.get(f"{path}?quality=50", headers={"If-None-Match": tag}).status_code == 200


def test_a_client_shows_instances_and_frames(archive: Served) -> None:
    root = f"{archive.url}/dicomweb/raw"
    client = DICOMwebClient(root, headers={"Authorization": f"Bearer {TOKEN}"})
    dataset = pydicom.dcmread(FILES / FILM, stop_before_pixels=True)
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    rendered = client.retrieve_instance_rendered(*uids, media_types=("image/jpeg",))
    assert Pillow.open(io.BytesIO(rendered)).size == (100, 100)
    frame = client.retrieve_instance_frames_rendered(*uids, [2], media_types=("image/png",))
    assert Pillow.open(io.BytesIO(frame)).size == (100, 100)


def test_a_decoder_killed_from_outside_leaves_the_service_answering(archive: Served) -> None:
    path = f"{path_of('JPEG2000.dcm')}/rendered"
    assert get(archive, f"{path}?quality=71").status_code == 200
    children = [pid for pid in _children() if _is_decoder(pid)]
    assert children
    for child in children:
        os.kill(child, signal.SIGKILL)
    assert get(archive, f"{path}?quality=72").status_code == 200
    assert archive.client.get("/health").status_code == 200


def test_a_broken_frame_is_406_and_still_given_as_stored(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The header of the codestream is sound, so that the gate takes it; what follows is not."""
    dataset = pydicom.dcmread(FILES / "JPEG2000.dcm")
    whole = (FILES / "JPEG2000.dcm").read_bytes()
    tiles = whole.index(b"\xff\x90")
    broken = whole[:tiles] + bytes(len(whole) - 8 - tiles) + whole[-8:]
    with serving(settings_for(tmp_path_factory.mktemp("broken"))) as archive:
        assert archive.upload(("a.dcm", broken), ("b.dcm", (FILES / CT).read_bytes())).status_code < 400
        uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
        path = "/dicomweb/raw/studies/{}/series/{}/instances/{}".format(*uids)
        assert get(archive, f"{path}/frames/1", "application/octet-stream").status_code == 406
        assert get(archive, f"{path}/rendered").status_code == 406
        stored = get(archive, f"{path}/frames/1", "application/octet-stream; transfer-syntax=*")
        assert stored.content[:2] == b"\xff\x4f"
        assert opened(get(archive, f"{path_of(CT)}/rendered")).size == (128, 128)


def _children() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True)]


def _is_decoder(pid: int) -> bool:
    return any("decoder_child" in part for part in psutil.Process(pid).cmdline())
