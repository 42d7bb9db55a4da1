"""Presigned URLs and files, handed out by an emulator that verifies every signature and checksum."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom.data import get_testdata_file

from scanward.errors import Unavailable
from src.delivery.presigned_url_handler import PresignedUrlHandler
from src.storage.s3_handler import S3Handler
from tests.documented.printed import code_of, run
from tests.emulator.machine import Account, Emulator

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("_emulated", "_folder")]

RAW = "medical-imaging-pipeline-dev-raw-dicom"
PROCESSED = "medical-imaging-pipeline-dev-processed-dicom"
KEY = "patient123/study456/image001.dcm"
CT = Path(str(get_testdata_file("CT_small.dcm")))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Emulator() as emulator:
        s3 = emulator.account.client("s3")
        for bucket in (RAW, PROCESSED, "processed-bucket"):
            s3.create_bucket(Bucket=bucket)
        for number in (1, 2, 3):
            key = f"patient123/study456/image00{number}.dcm"
            s3.put_object(Bucket=PROCESSED, Key=key, Body=CT.read_bytes(), ContentType="application/dicom")
        yield emulator.account


@pytest.fixture
def _emulated(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def handler(_emulated: None) -> PresignedUrlHandler:
    return PresignedUrlHandler(PROCESSED)


def test_the_guide_s_upload_arrives_with_type_and_metadata(capsys: pytest.CaptureFixture[str]) -> None:
    run("Programmatic upload", {}, {"/path/to/file.dcm": CT})

    assert capsys.readouterr().out == "Upload complete!\n"
    told = S3Handler(RAW).get_object_metadata(KEY)
    assert (told["ContentLength"], told["ContentType"]) == (CT.stat().st_size, "application/dicom")
    assert told["Metadata"] == {"study-id": "study456", "patient-id": "patient123"}


def test_the_guide_s_batch_downloads_three_files_with_requests(capsys: pytest.CaptureFixture[str]) -> None:
    Path("downloads").mkdir()

    run("Batch download", {})

    said = capsys.readouterr().out.splitlines()
    assert said == [
        line
        for number in (1, 2, 3)
        for line in (f"Downloading image00{number}.dcm...", f"  ✓ Downloaded {CT.stat().st_size} bytes")
    ]
    assert [path.read_bytes() for path in sorted(Path("downloads").iterdir())] == [CT.read_bytes()] * 3


def test_the_guide_s_lines_download_a_url_with_requests_and_with_curl(
    handler: PresignedUrlHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    url = handler.generate_download_url(KEY)["url"]

    run("Download with URL", {}, {"<presigned-url>": url})
    assert Path("downloaded.dcm").read_bytes() == CT.read_bytes()
    Path("downloaded.dcm").unlink()

    line = code_of("Download with curl: example", {"<presigned-url>": url})
    subprocess.run(["bash", "-c", line], check=True, capture_output=True, timeout=60)
    assert Path("downloaded.dcm").read_bytes() == CT.read_bytes()

    run("Verify DICOM validity", {})
    assert capsys.readouterr().out == "Valid DICOM file\n"


def test_a_secure_url_is_answered_as_a_dicom_file_of_its_name(handler: PresignedUrlHandler) -> None:
    signed = handler.generate_secure_download_url(KEY)

    assert signed is not None
    answer = requests.get(signed["url"], timeout=60)
    assert answer.headers["Content-Type"] == "application/dicom"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="image001.dcm"'


def test_a_url_expires(handler: PresignedUrlHandler) -> None:
    url = handler.generate_download_url(KEY, expiration_seconds=1)["url"]
    assert requests.get(url, timeout=60).status_code == 200

    time.sleep(2.1)

    answer = requests.get(url, timeout=60)
    assert answer.status_code == 403
    assert "<Code>AccessDenied</Code>" in answer.text


@pytest.mark.parametrize(
    ("signed", "tampered"),
    [
        ("image001.dcm", "image002.dcm"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=604800"),
        ("application%2Fdicom", "text%2Fhtml"),
        (".dcm%22", ".exe%22"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
    ],
)
def test_a_url_that_was_changed_is_refused(handler: PresignedUrlHandler, signed: str, tampered: str) -> None:
    made = handler.generate_secure_download_url(KEY)
    assert made is not None
    assert signed in made["url"]

    assert requests.get(made["url"].replace(signed, tampered), timeout=60).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "POST"])
def test_a_download_url_allows_no_other_method(handler: PresignedUrlHandler, method: str) -> None:
    url = handler.generate_download_url(KEY)["url"]

    assert requests.request(method, url, data=b"", timeout=60).status_code in {403, 405}
    assert requests.get(url, timeout=60).content == CT.read_bytes()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/dicom", "x-amz-meta-study-id": "s1"}, 200),
        ({"Content-Type": "text/html", "x-amz-meta-study-id": "s1"}, 403),
        ({"Content-Type": "application/dicom", "x-amz-meta-study-id": "s2"}, 403),
        ({"Content-Type": "application/dicom"}, 403),
        ({"x-amz-meta-study-id": "s1"}, 403),
    ],
)
def test_an_upload_url_takes_what_it_was_signed_for_and_nothing_else(
    handler: PresignedUrlHandler, headers: dict[str, str], status: int
) -> None:
    handler.s3_client.delete_object(Bucket=PROCESSED, Key="up.dcm")
    url = handler.generate_upload_url("up.dcm", 60, "application/dicom", {"study-id": "s1"})["url"]

    assert requests.put(url, data=CT.read_bytes(), headers=headers, timeout=60).status_code == status
    assert requests.get(url, timeout=60).status_code == 403
    assert handler.validate_object_exists("up.dcm") is (status == 200)


def test_a_name_outside_of_ascii_reaches_the_browser_whole(handler: PresignedUrlHandler) -> None:
    key = 'patient/Größe "1".dcm'
    handler.s3_client.put_object(Bucket=PROCESSED, Key=key, Body=b"DICM")

    signed = handler.generate_secure_download_url(key)

    assert signed is not None
    answer = requests.get(signed["url"], timeout=60)
    assert (answer.status_code, answer.content) == (200, b"DICM")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Gr__e _1_.dcm\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20_1_.dcm"
    )


def test_keys_of_nobody_sign_urls_that_are_refused() -> None:
    stranger = PresignedUrlHandler(PROCESSED, "us-east-1", "AKIA0000000000000000", "x" * 40)

    assert requests.get(stranger.generate_download_url(KEY)["url"], timeout=60).status_code == 403


def test_a_large_file_goes_in_parts_and_comes_back_compared(
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    large = Path("large.bin")
    with large.open("wb") as file:
        file.seek(70 << 20)
        file.write(os.urandom(1000))
    handler = S3Handler("processed-bucket")

    sent = handler.upload_file(str(large), "large.bin")
    got = handler.download_file("large.bin", "back.bin")

    assert sent["etag"].endswith("-5")
    assert got["etag"] == sent["etag"]
    assert Path("back.bin").read_bytes() == large.read_bytes()
    assert log_lines()[-1]["details"] == {"bytes": (70 << 20) + 1000, "verified": "parts"}


def test_an_upload_that_was_changed_on_its_way_is_refused_by_s3() -> None:
    handler = S3Handler("processed-bucket")
    handler.s3_client.meta.events.register(
        "before-call.s3.PutObject",
        lambda params, **_: params["headers"].update({"x-amz-checksum-sha256": "A" * 43 + "="}),
    )

    with pytest.raises(Unavailable):
        handler.upload_file(str(CT), "wrong.dcm")
    assert not PresignedUrlHandler("processed-bucket").validate_object_exists("wrong.dcm")
