from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from scanward.adapters.aws import s3_opened
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.deidentify.report import Cleaned
from scanward.dicom import structure
from scanward.dicom.pieces import Span
from scanward.errors import NotFound, ScanwardError, TooLarge, Unavailable
from scanward.receive.s3_event import Reference
from scanward.store.outgoing import check_output
from scanward.validate import severities_of, validate
from tests.aws_store.servers import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

FILES = sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
KEY = "DOE_JOHN/scan.dcm"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load("hipaa-safe-harbor"), Keys(b"k" * 32, "tests", digits=12))


def _put(s3: S3Client, body: bytes) -> Reference:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)
    return Reference(BUCKET, KEY)


def _gate(view: memoryview) -> object:
    try:
        found = structure.check(view)
        return repr(found), validate(view, found, severities_of({}))
    except ScanwardError as error:
        return error.as_json()


def _cleaned(clean: Callable[[], Cleaned], raw: bytes) -> Mapping[str, object]:
    """Return all that came of an object, or the refusal."""
    try:
        cleaned = clean()
    except ScanwardError as error:
        return error.as_json()
    spans = [
        raw[piece.offset : piece.offset + piece.length] if isinstance(piece, Span) else piece
        for piece in cleaned.pieces
    ]
    assert check_output(
        cleaned.pieces, lambda at, count: raw[at : at + count], structure.DEFAULT
    ).instance_uid
    return {"pieces": b"".join(spans), "changes": cleaned.changes, "warnings": cleaned.warnings}


def test_by_range_every_file_is_judged_and_cleaned_as_in_memory(
    s3: S3Client, objects: S3Objects, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_opened, "AT_ONCE", 0)
    cleaned = 0
    for path in FILES:
        raw = path.read_bytes()
        with objects.open(_put(s3, raw)) as opened:
            assert _gate(opened.view) == _gate(memoryview(raw)), path.name
            expected = _cleaned(partial(engine.clean, memoryview(raw)), raw)
            found = _cleaned(partial(engine.clean_source, opened), raw)
            assert found == expected, path.name
            cleaned += "pieces" in found
    assert cleaned > 20


def test_a_large_native_object_is_judged_by_its_header_alone(
    s3: S3Client, objects: S3Objects, engine: Engine
) -> None:
    dataset = pydicom.dcmread(FILES[0].with_name("CT_small.dcm"))
    dataset.Rows = dataset.Columns = 4096
    dataset.PixelData = bytes(4096 * 4096 * 2)
    out = BytesIO()
    dataset.save_as(out)
    with objects.open(_put(s3, out.getvalue())) as opened:
        found = structure.check(opened.view)
        validate(opened.view, found, severities_of({}))
        cleaned = engine.clean_source(opened)
        check_output(cleaned.pieces, opened.read, structure.DEFAULT)
        assert opened.fetched < 1 << 20
        assert cleaned.size > 32 << 20


def test_a_header_beyond_what_is_read_by_range_is_too_large(
    s3: S3Client, objects: S3Objects, engine: Engine
) -> None:
    dataset = pydicom.dcmread(FILES[0].with_name("CT_small.dcm"))
    dataset.private_block(0x0009, "A HEADER OF 70 MB", create=True).add_new(0x01, "OB", bytes(70 << 20))
    out = BytesIO()
    dataset.save_as(out)
    with objects.open(_put(s3, out.getvalue())) as opened, pytest.raises(TooLarge, match="header"):
        engine.clean_source(opened)


def test_an_object_that_is_replaced_while_it_is_read_is_unavailable(s3: S3Client, objects: S3Objects) -> None:
    ref, _ = objects.pin(_put(s3, b"first" * 1000))
    unversioned = Reference(ref.bucket, ref.key, etag=ref.etag)
    assert objects.read(unversioned, 0, 5) == b"first"
    _put(s3, b"second" * 1000)
    with pytest.raises(Unavailable, match="replaced"):
        objects.read(unversioned, 0, 5)
    assert objects.read(ref, 0, 5) == b"first"  # the version is still there


def test_a_missing_object_is_told_without_its_name(s3: S3Client, objects: S3Objects) -> None:
    with pytest.raises(NotFound) as caught:
        objects.open(Reference(BUCKET, "DOE_JOHN/gone.dcm"))
    assert "DOE" not in caught.value.message
    assert BUCKET not in caught.value.message
    with pytest.raises(NotFound):
        objects.read(Reference(BUCKET, "DOE_JOHN/gone.dcm"), 0, 10)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_range_ends_where_the_object_does(s3: S3Client, objects: S3Objects) -> None:
    ref = _put(s3, b"0123456789")
    assert objects.read(ref, 8, 100) == b"89"
    assert objects.read(ref, 100, 10) == b""
    with objects.open(ref) as opened:
        assert opened.read(8, 100) == b"89"
        assert bytes(opened.view) == b"0123456789"
