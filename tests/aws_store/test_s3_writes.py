from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scanward.adapters.aws import s3_files, s3_objects
from scanward.adapters.aws.s3_objects import Head, Overtaken, S3Objects
from scanward.adapters.aws.s3_opened import S3Opened
from scanward.dicom.pieces import Piece, Span
from scanward.errors import NotFound, ScanwardError, Unavailable
from scanward.receive.s3_event import Reference
from tests.aws_store.servers import BUCKET, OTHER, uploads_left

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

MIB = 1 << 20
RAW = os.urandom(30 * MIB)
KEY = "DOE_JOHN/scan.dcm"
REF = Reference(BUCKET, KEY)
PIECES: list[Piece] = [b"new header", Span(1000, 12 * MIB), b"zeros", Span(13 * MIB, 17 * MIB), b"tail"]
CLEAN = b"".join(
    RAW[one.offset : one.offset + one.length] if isinstance(one, Span) else one for one in PIECES
)


class _Interrupted(S3Opened):
    """A source at which Ctrl-C comes while it is read."""

    def read(self, _offset: int, _length: int) -> bytes:
        raise KeyboardInterrupt


@pytest.fixture
def large(s3: S3Client) -> S3Objects:
    """Return objects of which all above 6 MiB are put together inside S3."""
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=RAW)
    return S3Objects(s3, simple_bytes=6 * MIB)


def _content(s3: S3Client, bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_large_output_is_put_together_inside_s3(s3: S3Client, large: S3Objects) -> None:
    with large.open(REF) as opened:
        written = large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={"release": "r"})
        assert opened.fetched <= 2 * 5 * MIB + MIB
    assert _content(s3, OTHER, "out.dcm") == CLEAN
    head = large.head(Reference(OTHER, "out.dcm"))
    assert (head.size, head.etag, head.version_id) == (len(CLEAN), written.etag, written.version_id)
    assert head.metadata == {"release": "r"}
    assert head.content_type == "application/dicom"
    assert uploads_left(s3) == 0


def test_a_small_output_is_written_by_one_request(s3: S3Client, objects: S3Objects) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=RAW)
    with objects.open(REF) as opened:
        written = objects.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={"release": "r"})
    assert _content(s3, OTHER, "out.dcm") == CLEAN
    assert "-" not in written.etag
    assert objects.head(Reference(OTHER, "out.dcm")).metadata == {"release": "r"}


def test_an_output_is_of_the_version_that_was_judged(s3: S3Client, large: S3Objects) -> None:
    with large.open(REF) as opened:
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"another" * MIB)
        large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={})
    assert _content(s3, OTHER, "out.dcm") == CLEAN


def test_where_no_versions_are_kept_a_replaced_object_delivers_nothing(s3: S3Client) -> None:
    s3.create_bucket(Bucket="unversioned")
    s3.put_object(Bucket="unversioned", Key=KEY, Body=RAW)
    large = S3Objects(s3, simple_bytes=6 * MIB)
    with large.open(Reference("unversioned", KEY)) as opened:
        opened.read(0, 7 * MIB)
        s3.put_object(Bucket="unversioned", Key=KEY, Body=RAW[::-1])
        with pytest.raises(Unavailable) as caught:
            large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={})
    assert "DOE" not in str(caught.value)
    with pytest.raises(NotFound):
        large.head(Reference(OTHER, "out.dcm"))
    assert uploads_left(s3) == 0


def test_a_failure_in_the_middle_leaves_no_upload(s3: S3Client, large: S3Objects) -> None:
    with large.open(REF) as opened:
        s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=opened.ref.version_id)
        with pytest.raises(ScanwardError) as caught:
            large.put_pieces(PIECES, opened, OTHER, "DOE_JOHN/out.dcm", metadata={})
    assert "DOE" not in str(caught.value)
    assert uploads_left(s3) == 0
    assert "Contents" not in s3.list_objects_v2(Bucket=OTHER)


def test_ctrl_c_in_the_middle_leaves_no_upload(s3: S3Client, large: S3Objects) -> None:
    with pytest.raises(KeyboardInterrupt):
        large.put_pieces(PIECES, _Interrupted(large, *large.pin(REF)), OTHER, "out.dcm", metadata={})
    assert uploads_left(s3) == 0
    assert "Contents" not in s3.list_objects_v2(Bucket=OTHER)


def test_a_write_that_is_overtaken_changes_nothing(s3: S3Client, large: S3Objects) -> None:
    large.simple_bytes = 64 * MIB
    first = large.put(b"first", OTHER, "out.dcm")
    with large.open(REF) as opened:
        with pytest.raises(Overtaken):
            large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={}, if_none_match=True)
        with pytest.raises(Overtaken):
            large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={}, if_match="0" * 32)
        assert _content(s3, OTHER, "out.dcm") == b"first"
        large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={}, if_match=first.etag)
    assert _content(s3, OTHER, "out.dcm") == CLEAN


def test_a_large_write_that_is_overtaken_changes_nothing_and_is_aborted(
    s3: S3Client, large: S3Objects
) -> None:
    asked: list[str] = []
    s3.meta.events.register(
        "before-call.s3.CompleteMultipartUpload",
        lambda params, **_: asked.append(params["headers"].get("If-Match", "")),
    )
    large.put(b"first", OTHER, "out.dcm")
    with large.open(REF) as opened:
        with pytest.raises(Overtaken):
            large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={}, if_none_match=True)
        assert _content(s3, OTHER, "out.dcm") == b"first"
        assert uploads_left(s3) == 0
        # moto does not look at this condition; S3 does.
        large.put_pieces(PIECES, opened, OTHER, "out.dcm", metadata={}, if_match="0" * 32)
    assert asked == ["", f'"{"0" * 32}"']


def test_of_many_first_writers_one_wins(objects: S3Objects) -> None:
    together = threading.Barrier(8)

    def write(number: int) -> Head | None:
        together.wait(10)
        try:
            return objects.put(bytes([number]) * 10, OTHER, "out.dcm", conditions={"IfNoneMatch": "*"})
        except Overtaken:
            return None

    with ThreadPoolExecutor(8) as threads:
        winners = [head for head in threads.map(write, range(8)) if head]
    assert len(winners) == 1
    assert objects.head(Reference(OTHER, "out.dcm")).etag == winners[0].etag


def test_a_copy_is_of_the_pinned_version_whatever_its_size(
    s3: S3Client, large: S3Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin, _ = large.pin(REF)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"another")
    large.copy(pin, OTHER, "quarantine/scan.dcm", {"execution": "e"})
    assert _content(s3, OTHER, "quarantine/scan.dcm") == RAW
    assert large.head(Reference(OTHER, "quarantine/scan.dcm")).metadata == {"execution": "e"}
    monkeypatch.setattr(s3_objects, "_COPIED_AT_ONCE", MIB)
    large.copy(pin, OTHER, "parts.dcm")
    assert _content(s3, OTHER, "parts.dcm") == RAW
    with pytest.raises(Unavailable):
        large.copy(Reference(BUCKET, KEY, etag=pin.etag), OTHER, "other.dcm")


def test_a_file_goes_to_s3_and_back(
    s3: S3Client, objects: S3Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, back = tmp_path / "scan.dcm", tmp_path / "back.dcm"
    path.write_bytes(RAW)
    for bound in (64 * MIB, MIB):
        monkeypatch.setattr(s3_files, "_AT_ONCE", bound)
        written = objects.upload(path, Reference(OTHER, "scan.dcm"), {"a": "b"})
        assert written.size == len(RAW)
        objects.download(Reference(OTHER, "scan.dcm"), back)
        assert back.read_bytes() == RAW
        back.unlink()
        with pytest.raises(Overtaken):
            objects.upload(path, Reference(OTHER, "scan.dcm"), if_none_match=True)
    assert uploads_left(s3) == 0
    assert objects.head(Reference(OTHER, "scan.dcm")).metadata == {"a": "b"}


def test_a_listing_goes_past_a_page(s3: S3Client, objects: S3Objects) -> None:
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"many/{number:04}", Body=b"x")
    s3.meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=2)
    )
    found = list(objects.list(BUCKET, "many/"))
    assert len(found) == 7
    assert found[-1] == Reference(BUCKET, "many/0006", etag=found[0].etag, size=1)


def test_deleting_removes_every_version_and_no_other_key(s3: S3Client, objects: S3Objects) -> None:
    for body in (b"one", b"two"):
        s3.put_object(Bucket=BUCKET, Key="scan", Body=body)
    s3.delete_object(Bucket=BUCKET, Key="scan")
    s3.put_object(Bucket=BUCKET, Key="scan2", Body=b"stays")
    objects.delete_versions(BUCKET, "scan")
    found = s3.list_object_versions(Bucket=BUCKET)
    assert [one["Key"] for one in found["Versions"]] == ["scan2"]
    assert "DeleteMarkers" not in found


def test_uploads_that_a_crash_left_are_aborted_and_young_ones_are_not(
    s3: S3Client, objects: S3Objects
) -> None:
    begun = {"old": datetime.now(UTC) - timedelta(days=2), "young": datetime.now(UTC)}

    def date(parsed: dict[str, Any], **_: object) -> None:
        for upload in parsed.get("Uploads", []):
            upload["Initiated"] = begun[upload["Key"]]  # moto says 2010 of all

    s3.meta.events.register("after-call.s3.ListMultipartUploads", date)
    for key in begun:
        s3.create_multipart_upload(Bucket=OTHER, Key=key)
    assert objects.abort_stale(OTHER) == 1
    assert [left["Key"] for left in s3.list_multipart_uploads(Bucket=OTHER)["Uploads"]] == ["young"]
