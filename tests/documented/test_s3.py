"""`S3Handler`: each printed example, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from scanward.errors import BadInput, Misconfigured, NotFound, OutOfSpace, Refused, Unavailable
from src.storage.s3_handler import S3Handler
from tests.documented.printed import run

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws")]

KEY = "patient123/study456/image.dcm"
MiB = 1 << 20


@pytest.fixture
def handler(_aws: None) -> S3Handler:
    made = S3Handler(bucket_name="my-bucket")
    made.s3_client.create_bucket(Bucket="my-bucket")
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.dcm"
    path.write_bytes(bytes(128) + b"DICM" + os.urandom(1000))
    return path


def requests_of(handler: S3Handler) -> list[str]:
    """Return the operations that are asked of S3 from now on."""
    asked: list[str] = []
    handler.s3_client.meta.events.register("before-call.s3", lambda model, **_: asked.append(str(model.name)))
    return asked


def test_the_seed_s_own_test_passes(tmp_path: Path) -> None:
    path = tmp_path / "test.dcm"
    path.write_bytes(b"DICM")

    names = run("Testing", {}, {"/tmp/test.dcm": path})  # noqa: S108 - the printed path
    test = names["test_upload_file"]

    assert callable(test)
    test()


def test_the_upload_example_prints_bucket_key_and_etag(
    handler: S3Handler, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("S3Handler.upload_file", {"S3Handler": S3Handler}, {"/path/to/file.dcm": file})

    etag = hashlib.md5(file.read_bytes()).hexdigest()  # noqa: S324 - S3's own
    assert names["result"] == {"bucket": "my-bucket", "key": KEY, "etag": etag}
    assert capsys.readouterr().out == f"{names['result']}\n"
    told = handler.get_object_metadata(KEY)
    assert (told["ContentType"], told["Metadata"]) == ("application/dicom", {"patient_id": "anon123"})
    assert told["ContentLength"] == file.stat().st_size
    assert "ResponseMetadata" not in told


def test_the_download_example_writes_the_file(handler: S3Handler, file: Path, tmp_path: Path) -> None:
    etag = handler.upload_file(str(file), KEY)["etag"]
    target = tmp_path / "downloaded.dcm"

    names = run("S3Handler.download_file", {"handler": handler}, {"/tmp/downloaded.dcm": target})  # noqa: S108 - the printed path

    assert target.read_bytes() == file.read_bytes()
    assert names["result"] == {
        "bucket": "my-bucket",
        "key": KEY,
        "file_path": str(target),
        "etag": etag,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["downloaded.dcm", "file.dcm"]


def test_the_list_example_prints_keys_and_sizes(
    handler: S3Handler, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.upload_file(str(file), "patient123/a.dcm")
    handler.upload_file(str(file), "patient124/b.dcm")

    run("S3Handler.list_objects", {"handler": handler})

    assert capsys.readouterr().out == f"Key: patient123/a.dcm, Size: {file.stat().st_size}\n"


def test_a_list_goes_on_past_a_thousand_objects_up_to_the_number_asked_for(handler: S3Handler) -> None:
    for i in range(1005):
        handler.s3_client.put_object(Bucket="my-bucket", Key=f"many/{i:04}", Body=b"")

    assert len(handler.list_objects("many/")) == 1000
    listed = handler.list_objects("many/", max_keys=1003)
    assert [one["Key"] for one in listed] == [f"many/{i:04}" for i in range(1003)]
    assert len(handler.list_objects(max_keys=5000)) == 1005
    assert handler.list_objects("many/", max_keys=0) == []
    assert handler.list_objects("none/") == []


@pytest.mark.parametrize("number", [-1, True, "5", None])
def test_a_number_of_keys_that_is_none_is_refused(handler: S3Handler, number: int) -> None:
    with pytest.raises(BadInput, match="max_keys"):
        handler.list_objects(max_keys=number)


def test_a_delete_is_confirmed_each_time(handler: S3Handler, file: Path) -> None:
    handler.upload_file(str(file), KEY)

    assert handler.delete_object(KEY) is True
    assert handler.delete_object(KEY) is True
    with pytest.raises(NotFound):
        handler.get_object_metadata(KEY)


def test_a_file_above_64_mib_goes_and_comes_in_parts(
    handler: S3Handler, tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    small, large = tmp_path / "small.dcm", tmp_path / "large.dcm"
    for path, size in ((small, 64 * MiB), (large, 64 * MiB + 1)):
        with path.open("wb") as file:
            file.truncate(size)
    asked = requests_of(handler)

    handler.upload_file(str(small), "small.dcm")
    assert asked == ["PutObject"]
    asked.clear()
    result = handler.upload_file(str(large), "large.dcm", {"study-id": "s1"}, "application/x-own")
    assert asked == ["CreateMultipartUpload", *["UploadPart"] * 5, "CompleteMultipartUpload"]

    assert result["etag"].endswith("-5")
    told = handler.get_object_metadata("large.dcm")
    assert (told["ContentType"], told["Metadata"]) == ("application/x-own", {"study-id": "s1"})
    handler.download_file("large.dcm", str(tmp_path / "back.dcm"))
    assert (tmp_path / "back.dcm").stat().st_size == 64 * MiB + 1
    moved = [line for line in log_lines() if line["operation"] in {"upload_file", "download_file"}]
    assert [line["details"]["bytes"] for line in moved] == [64 * MiB, 64 * MiB + 1, 64 * MiB + 1]


def test_an_upload_sends_the_sha256_that_s3_compares(handler: S3Handler, file: Path) -> None:
    sent: list[str] = []
    handler.s3_client.meta.events.register(
        "before-call.s3.PutObject",
        lambda params, **_: sent.append(params["headers"]["x-amz-checksum-sha256"]),
    )

    handler.upload_file(str(file), KEY)

    assert [base64.b64decode(one) for one in sent] == [hashlib.sha256(file.read_bytes()).digest()]


def test_what_arrives_otherwise_than_s3_keeps_it_leaves_no_file_and_the_old_one_there(
    handler: S3Handler, file: Path, tmp_path: Path
) -> None:
    handler.upload_file(str(file), KEY)
    target = tmp_path / "target.dcm"
    target.write_bytes(b"older")
    wrong = "A" * 43 + "="
    handler.s3_client.meta.events.register(
        "after-call.s3.HeadObject", lambda parsed, **_: parsed.update(ChecksumSHA256=wrong)
    )

    with pytest.raises(Unavailable):
        handler.download_file(KEY, str(target))

    assert target.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.dcm", "target.dcm"]


def told_in_parts(content: bytes, *sizes: int) -> dict[str, Any]:
    """Return what GetObjectAttributes tells of an upload in parts."""
    digests, start = b"", 0
    for size in sizes:
        digests += hashlib.sha256(content[start : start + size]).digest()
        start += size
    whole = base64.b64encode(hashlib.sha256(digests).digest()).decode()
    return {
        "Checksum": {"ChecksumSHA256": f"{whole}-{len(sizes)}", "ChecksumType": "COMPOSITE"},
        "ObjectParts": {"Parts": [{"PartNumber": i, "Size": size} for i, size in enumerate(sizes, 1)]},
    }


@pytest.mark.parametrize("sizes", [(500, 600, 32), (1132,), (100, 1032)])
def test_an_upload_in_parts_of_any_size_is_compared_by_its_parts(
    handler: S3Handler,
    file: Path,
    tmp_path: Path,
    log_lines: Callable[[], list[dict[str, Any]]],
    sizes: tuple[int, ...],
) -> None:
    handler.upload_file(str(file), KEY)
    told = told_in_parts(file.read_bytes(), *sizes)
    handler.s3_client.meta.events.register(
        "after-call.s3.GetObjectAttributes", lambda parsed, **_: parsed.update(told)
    )

    handler.download_file(KEY, str(tmp_path / "same.dcm"))
    assert log_lines()[-1]["details"]["verified"] == "parts"

    told.update(told_in_parts(file.read_bytes()[::-1], *sizes))
    with pytest.raises(Unavailable):
        handler.download_file(KEY, str(tmp_path / "other.dcm"))
    assert not (tmp_path / "other.dcm").exists()


def test_parts_of_a_version_are_asked_for_page_by_page(
    handler: S3Handler, file: Path, tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    handler.s3_client.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
    handler.upload_file(str(file), KEY)
    whole = told_in_parts(file.read_bytes(), 500, 600, 32)
    parts = whole["ObjectParts"]["Parts"]
    asked: list[dict[str, Any]] = []

    def page(parsed: dict[str, Any], **_: object) -> None:
        start = len(asked) - 1
        shown = {
            "Parts": parts[start : start + 1],
            "IsTruncated": start < 2,
            "NextPartNumberMarker": start + 1,
        }
        parsed.update(Checksum=whole["Checksum"], ObjectParts=shown)

    events = handler.s3_client.meta.events
    events.register("before-call.s3.GetObjectAttributes", lambda params, **_: asked.append(params))
    events.register("after-call.s3.GetObjectAttributes", page)

    handler.download_file(KEY, str(tmp_path / "same.dcm"))

    assert log_lines()[-1]["details"]["verified"] == "parts"
    assert [one["headers"]["x-amz-part-number-marker"] for one in asked] == ["0", "1", "2"]
    assert all("versionId" in one["query_string"] for one in asked)


def test_where_s3_does_not_tell_the_parts_the_object_is_what_is_compared(
    handler: S3Handler, file: Path, tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    handler.upload_file(str(file), KEY)

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObjectAttributes")

    handler.s3_client.meta.events.register("before-call.s3.GetObjectAttributes", denied)

    handler.download_file(KEY, str(tmp_path / "back.dcm"))

    assert log_lines()[-1]["details"]["verified"] == "object"


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "Müller"},
        {"name": "a\nb"},
        {"name": "a\r\nx-amz-acl: public-read"},
        {"na me": "a"},
        {"nä": "a"},
        {"": "a"},
        {"name": " a"},
        {"name": 1},
    ],
)
def test_metadata_that_is_no_header_is_refused_by_its_place_and_not_by_its_value(
    handler: S3Handler, file: Path, metadata: dict[str, str]
) -> None:
    asked = requests_of(handler)

    with pytest.raises(BadInput, match="entry 2") as refused:
        handler.upload_file(str(file), KEY, {"good": "x", **metadata})

    assert "Müller" not in str(refused.value)
    assert asked == []


def test_metadata_of_more_than_two_kilobytes_or_twice_named_is_refused(
    handler: S3Handler, file: Path
) -> None:
    with pytest.raises(BadInput, match="2048"):
        handler.upload_file(str(file), KEY, {"a": "x" * 2048})
    with pytest.raises(BadInput, match="case"):
        handler.upload_file(str(file), KEY, {"a": "x", "A": "y"})


def test_a_file_that_is_missing_or_a_folder_is_refused_without_its_path(
    handler: S3Handler, tmp_path: Path
) -> None:
    with pytest.raises(NotFound) as missing:
        handler.upload_file(str(tmp_path / "doe.dcm"), KEY)
    with pytest.raises(BadInput) as folder:
        handler.upload_file(str(tmp_path), KEY)
    for told in (missing, folder):
        assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("path", ["", ".", "..", "a\0b", "/"])
def test_a_path_that_names_no_file_is_refused(handler: S3Handler, file: Path, path: str) -> None:
    handler.upload_file(str(file), KEY)

    with pytest.raises(BadInput):
        handler.upload_file(path, KEY)
    with pytest.raises(BadInput):
        handler.download_file(KEY, path)


def test_a_target_that_cannot_be_written_is_refused_and_a_full_disk_named(
    handler: S3Handler, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler.upload_file(str(file), KEY)
    with pytest.raises(BadInput, match="folder"):
        handler.download_file(KEY, str(tmp_path / "absent" / "a.dcm"))

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutOfSpace):
        handler.download_file(KEY, str(tmp_path / "a.dcm"))
    assert [path.name for path in tmp_path.iterdir()] == ["file.dcm"]


def test_what_is_missing_is_not_found_and_what_is_denied_refused(handler: S3Handler, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        handler.download_file("absent.dcm", str(tmp_path / "a.dcm"))
    with pytest.raises(NotFound):
        S3Handler("no-such-bucket").list_objects()
    assert list(tmp_path.iterdir()) == []
    with Stubber(handler.s3_client) as aws:
        aws.add_client_error(
            "delete_object",
            "AccessDenied",
            "doe may not",
            403,
            expected_params={"Bucket": "my-bucket", "Key": ANY},
        )
        with pytest.raises(Refused) as denied:
            handler.delete_object(KEY)
    assert "doe" not in str(denied.value)


def test_a_bucket_s_name_that_is_none_is_bad_input_and_not_a_passing_fault() -> None:
    with pytest.raises(BadInput) as refused:
        S3Handler("no such bucket!").list_objects()
    assert "no such bucket!" not in str(refused.value)


def test_a_profile_that_is_not_there_is_told_as_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")

    with pytest.raises(Misconfigured, match="AWS_PROFILE"):
        S3Handler("my-bucket")


def test_log_lines_have_the_documented_form_and_hold_no_key(
    handler: S3Handler, file: Path, tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    handler.upload_file(str(file), KEY, {"patient-id": "doe"})
    handler.download_file(KEY, str(tmp_path / "doe.dcm"))
    handler.list_objects("patient123/")
    handler.get_object_metadata(KEY)
    handler.delete_object(KEY)
    with pytest.raises(NotFound):
        handler.get_object_metadata(KEY)

    lines = log_lines()
    assert list(lines[0]) == [
        "timestamp", "level", "logger", "module", "function", "line", "message", "operation", "status",
        "details",
    ]  # fmt: skip
    assert lines[0]["message"] == "File uploaded successfully"
    assert (lines[0]["module"], lines[0]["function"]) == ("s3_handler", "upload_file")
    assert [(line["operation"], line["status"]) for line in lines] == [
        ("upload_file", "completed"),
        ("download_file", "completed"),
        ("list_objects", "completed"),
        ("get_object_metadata", "completed"),
        ("delete_object", "completed"),
        ("get_object_metadata", "failed"),
    ]
    for secret in ("patient123", "study456", "doe", "my-bucket"):
        assert secret not in str(lines)
