"""`PresignedUrlHandler`: each printed example, and what it refuses."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from scanward.errors import BadInput, Misconfigured, NotFound, Refused
from src.delivery.presigned_url_handler import PresignedUrlHandler
from tests.documented.printed import run

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws")]

GUIDE_BUCKET = "medical-imaging-pipeline-dev-processed-dicom"
KEYS = {"url", "expires_in", "object_key"}


def bucket(name: str, *keys: str) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=name)
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"DICM")


def query(url: object) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(str(url)).query).items()}


@pytest.fixture
def handler(_aws: None) -> PresignedUrlHandler:
    bucket("processed-bucket", "patient/study/image.dcm")
    return PresignedUrlHandler(bucket_name="processed-bucket")


def test_the_download_example_prints_a_url_and_its_lifetime(capsys: pytest.CaptureFixture[str]) -> None:
    names = run("PresignedUrlHandler.generate_download_url", {"PresignedUrlHandler": PresignedUrlHandler})

    url, lifetime = capsys.readouterr().out.splitlines()
    assert url.startswith("https://processed-bucket.s3.amazonaws.com/patient/study/image.dcm?")
    assert lifetime == "3600"
    assert set(names["url_info"]) == KEYS  # type: ignore[call-overload]  # a name of the example
    signed = query(url)
    assert signed["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert signed["X-Amz-Expires"] == "3600"
    assert signed["response-content-type"] == "application/dicom"
    assert signed["response-content-disposition"] == 'attachment; filename="image.dcm"'


def test_the_batch_example_prints_a_url_for_each_key(capsys: pytest.CaptureFixture[str]) -> None:
    handler = PresignedUrlHandler(bucket_name="processed-bucket")

    run("PresignedUrlHandler.generate_batch_download_urls", {"handler": handler})

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": https://")[0] for line in lines] == ["file1.dcm", "file2.dcm", "file3.dcm"]
    assert {query(line.partition(": ")[2])["X-Amz-Expires"] for line in lines} == {"1800"}


def test_the_secure_example_prints_a_url_or_that_there_is_no_file(
    handler: PresignedUrlHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    run("PresignedUrlHandler.generate_secure_download_url", {"handler": handler})
    assert capsys.readouterr().out.startswith("Download: https://")

    handler.s3_client.delete_object(Bucket="processed-bucket", Key="patient/study/image.dcm")
    run("PresignedUrlHandler.generate_secure_download_url", {"handler": handler})
    assert capsys.readouterr().out == "File not found\n"


def test_the_guide_s_script_prints_url_lifetime_and_object(capsys: pytest.CaptureFixture[str]) -> None:
    bucket(GUIDE_BUCKET, "patient123/study456/image001.dcm")

    run("Generate presigned URL", {})

    url, *rest = capsys.readouterr().out.splitlines()
    assert url.startswith(f"Download URL: https://{GUIDE_BUCKET}.s3.amazonaws.com/patient123/")
    assert rest == ["Expires in: 3600 seconds", "Object: patient123/study456/image001.dcm"]


def test_the_readme_s_script_prints_url_and_lifetime(capsys: pytest.CaptureFixture[str]) -> None:
    bucket("processed-bucket-name", "patient/study/series/image.dcm")

    run("Generating download URLs", {})

    assert capsys.readouterr().out.splitlines()[-1] == "Expires in: 3600 seconds"


def test_the_guide_s_two_hours_and_seven_days_are_taken() -> None:
    two_hours = run(
        "Presigned URL expired",
        {"PresignedUrlHandler": PresignedUrlHandler},
        {'bucket_name="..."': 'bucket_name="processed-bucket"'},
    )
    seven_days = run("How long do presigned URLs last", {"handler": PresignedUrlHandler("processed-bucket")})

    assert two_hours["new_url"]["expires_in"] == "7200"  # type: ignore[index]  # a name of the example
    assert seven_days["url_info"]["expires_in"] == "604800"  # type: ignore[index]  # a name of the example


@pytest.mark.parametrize("seconds", [0, -1, 604_801, 3600.0, "3600", True, None])
def test_a_lifetime_outside_of_one_second_to_seven_days_is_refused(
    handler: PresignedUrlHandler, seconds: int
) -> None:
    makers: list[Callable[[], object]] = [
        lambda: handler.generate_download_url("a.dcm", seconds),
        lambda: handler.generate_upload_url("a.dcm", seconds),
        lambda: handler.generate_batch_download_urls(["a.dcm"], seconds),
        lambda: handler.generate_secure_download_url("absent.dcm", seconds),
    ]
    for make in makers:
        with pytest.raises(BadInput, match="604800"):
            make()


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-south-1"])
def test_a_url_is_signed_for_its_own_region_by_version_4_only(region: str) -> None:
    url = PresignedUrlHandler("some-bucket", region).generate_download_url("a.dcm")["url"]

    host = urlsplit(url).hostname
    assert host == (
        "some-bucket.s3.amazonaws.com" if region == "us-east-1" else f"some-bucket.s3.{region}.amazonaws.com"
    )
    assert query(url)["X-Amz-Credential"].split("/")[2:] == [region, "s3", "aws4_request"]
    assert "AWSAccessKeyId" not in url


def test_own_keys_are_signed_with() -> None:
    handler = PresignedUrlHandler("b", "us-east-1", "AKIAEXAMPLE", "not-a-secret")

    assert query(handler.generate_download_url("a.dcm")["url"])["X-Amz-Credential"].startswith("AKIAEXAMPLE/")


def test_without_credentials_and_for_no_bucket_the_fault_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput):
        PresignedUrlHandler("no such bucket!").generate_download_url("a.dcm")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    with pytest.raises(Misconfigured, match="credentials"):
        PresignedUrlHandler("b").generate_download_url("a.dcm")


def test_an_upload_url_binds_content_type_and_metadata(handler: PresignedUrlHandler) -> None:
    signed = handler.generate_upload_url("in.dcm", 60, "application/dicom", {"study-id": "s1"})

    assert set(signed) == KEYS
    assert query(signed["url"])["X-Amz-SignedHeaders"] == "content-type;host;x-amz-meta-study-id"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("image.dcm", 'attachment; filename="image.dcm"'),
        ("Bild ä.dcm", "attachment; filename=\"Bild _.dcm\"; filename*=UTF-8''Bild%20%C3%A4.dcm"),
        ("scan\u202egnp.dcm", 'attachment; filename="scan_gnp.dcm"'),
        ('a"; x="b.dcm', 'attachment; filename="a__ x=_b.dcm"'),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="a__Set-Cookie_ x=1"'),
    ],
)
def test_a_secure_url_saves_under_a_name_that_breaks_out_of_nothing(
    handler: PresignedUrlHandler, name: str, sent: str
) -> None:
    signed = handler.generate_secure_download_url(f"patient/{name}", validate_exists=False)

    assert signed is not None
    assert query(signed["url"])["response-content-disposition"] == sent
    assert query(signed["url"])["response-content-type"] == "application/dicom"


@pytest.mark.parametrize(
    "disposition",
    [
        'attachment; filename="a.dcm"\r\nSet-Cookie: x=1',
        'attachment; filename="a".dcm"',
        'attachment; filename="a.dcm"; filename="b.exe"',
        'attachment; filename="a\\"b"',
        "form-data; name=x",
        "attachment\n",
        "",
    ],
)
def test_a_forged_content_disposition_is_refused(handler: PresignedUrlHandler, disposition: str) -> None:
    with pytest.raises(BadInput, match="disposition"):
        handler.generate_download_url("a.dcm", response_content_disposition=disposition)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("attachment", "attachment"),
        ("INLINE; filename=plain.dcm", 'inline; filename="plain.dcm"'),
        ('attachment;filename="Aufnahme 1.dcm"', 'attachment; filename="Aufnahme 1.dcm"'),
        (
            'attachment; filename="日本.dcm"',
            "attachment; filename=\"__.dcm\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.dcm",
        ),
    ],
)
def test_a_sound_content_disposition_is_sent(handler: PresignedUrlHandler, given: str, sent: str) -> None:
    signed = handler.generate_download_url("a.dcm", response_content_disposition=given)

    assert query(signed["url"])["response-content-disposition"] == sent


@pytest.mark.parametrize("media_type", ["text/html\r\nX: y", "dicom", "", "application/dicom; a=ä", "a/b;c"])
def test_a_content_type_that_is_none_is_refused(handler: PresignedUrlHandler, media_type: str) -> None:
    with pytest.raises(BadInput, match="content type"):
        handler.generate_download_url("a.dcm", response_content_type=media_type)
    with pytest.raises(BadInput, match="content type"):
        handler.generate_upload_url("a.dcm", content_type=media_type)


@pytest.mark.parametrize("key", ["", "a" * 1025, "ä" * 513, "\ud800", None])
def test_a_key_that_s3_cannot_hold_is_refused(handler: PresignedUrlHandler, key: str) -> None:
    with pytest.raises(BadInput, match="key"):
        handler.generate_download_url(key)


def test_one_text_is_not_taken_for_a_batch_of_letters(handler: PresignedUrlHandler) -> None:
    with pytest.raises(BadInput, match="list"):
        handler.generate_batch_download_urls("file1.dcm")
    assert handler.generate_batch_download_urls([]) == {}


def test_an_object_is_found_or_missing_and_a_missing_bucket_is_an_error(handler: PresignedUrlHandler) -> None:
    assert handler.validate_object_exists("patient/study/image.dcm") is True
    assert handler.validate_object_exists("patient/study/other.dcm") is False
    with pytest.raises(NotFound):
        PresignedUrlHandler("no-such-bucket").validate_object_exists("a.dcm")


def test_a_denied_look_is_an_error_and_not_a_missing_object(handler: PresignedUrlHandler) -> None:
    with Stubber(handler.s3_client) as aws:
        for _ in range(2):
            aws.add_client_error("head_object", "403", "Forbidden", 403)
        with pytest.raises(Refused):
            handler.validate_object_exists("patient/study/image.dcm")
        with pytest.raises(Refused):
            handler.generate_secure_download_url("patient/study/image.dcm")


def test_neither_a_log_line_nor_an_error_holds_a_key(
    handler: PresignedUrlHandler, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    handler.generate_secure_download_url("doe^john/12345.dcm")
    handler.generate_secure_download_url("doe^john/12345.dcm", validate_exists=False)
    handler.generate_batch_download_urls(["doe^john/1.dcm", "doe^john/2.dcm"])
    with pytest.raises(BadInput) as refused:
        handler.generate_download_url("doe^john/12345.dcm", 604_801)
    with Stubber(handler.s3_client) as aws:
        aws.add_client_error("head_object", "403", "Forbidden: doe^john/12345.dcm", 403)
        with pytest.raises(Refused) as denied:
            handler.validate_object_exists("doe^john/12345.dcm")

    assert [(line["operation"], line["status"]) for line in log_lines()] == [
        ("generate_secure_download_url", "completed"),
        ("generate_secure_download_url", "completed"),
        ("generate_batch_download_urls", "completed"),
        ("generate_download_url", "failed"),
        ("validate_object_exists", "failed"),
    ]
    for said in (str(log_lines()), str(refused.value), str(denied.value)):
        assert "doe" not in said
        assert "12345" not in said
        assert "Signature" not in said
    assert refused.value.__cause__ is None
    assert denied.value.__suppress_context__ or not isinstance(denied.value.__context__, ClientError)


def test_a_url_of_an_emulator_names_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")

    url = PresignedUrlHandler("some-bucket").generate_download_url("a.dcm")["url"]

    assert url.startswith("http://localhost:4566/some-bucket/a.dcm?")
