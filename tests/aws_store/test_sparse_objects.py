"""Objects of gigabytes through the whole way, on a server that describes them and keeps S3's rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.uid import JPEG2000Lossless

from bench.large_objects import BOUNDS, BUCKET, KEY, OUT, encapsulated, jpeg_2000_frame, native
from bench.sparse_s3 import Content, SparseS3, sparse_s3
from scanward.adapters.aws.s3_objects import Overtaken, S3Objects
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom import structure
from scanward.errors import Unavailable
from scanward.receive.s3_event import Reference
from scanward.store.outgoing import check_output
from scanward.validate import severities_of, validate
from tests.aws_store.servers import s3_client

pytestmark = pytest.mark.integration

MIB = 1 << 20
REF = Reference(BUCKET, KEY)


@pytest.fixture
def kept() -> Iterator[SparseS3]:
    with sparse_s3() as served:
        yield served


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load("hipaa-safe-harbor"), Keys(b"k" * 32, "tests", digits=12), BOUNDS)


def _through(kept: SparseS3, engine: Engine, content: Content) -> Content:
    kept.objects[f"/{BUCKET}/{KEY}"] = content
    objects = S3Objects(s3_client(kept.url))
    with objects.open(REF) as opened:
        validate(opened.view, structure.check(opened.view, BOUNDS), severities_of({}))
        cleaned = engine.clean_source(opened)
        check_output(cleaned.pieces, opened.read, BOUNDS)
        objects.put_pieces(cleaned.pieces, opened, OUT, KEY, metadata={"release": "r"}, if_none_match=True)
    return kept.objects[f"/{OUT}/{KEY}"]


def test_of_a_native_object_of_four_gigabytes_ten_megabytes_move(kept: SparseS3, engine: Engine) -> None:
    content = native(3_900_000_000)
    written = _through(kept, engine, content)
    assert kept.received + kept.sent < 12 * MIB
    assert not kept.uploads
    assert written.metadata == {"release": "r"}
    assert written.read(written.size - MIB, written.size) == bytes(MIB)
    assert b"Zwiebelfisch" not in written.read(0, MIB)


def test_comments_in_large_frames_are_overwritten_and_the_rest_is_copied(
    kept: SparseS3, engine: Engine
) -> None:
    frame = jpeg_2000_frame(16 * MIB)
    comment = (
        b"\xff\x64" + (2 + 2 + 30).to_bytes(2, "big") + b"\x00\x01" + b"Zwiebelfisch^Adalbert in a scan"[:30]
    )
    at = frame.index(b"\xff\x52")
    spoken = frame[:at] + comment + frame[at:]
    content = encapsulated(12 * len(spoken), JPEG2000Lossless, spoken + b"\0" * (len(spoken) & 1), 16)
    written = _through(kept, engine, content)
    assert 12 * 5 * MIB < kept.sent < 13 * 6 * MIB
    assert not kept.uploads
    for start in range(0, written.size, 4 * MIB):
        assert b"Zwiebelfisch" not in written.read(start, min(start + 4 * MIB + 100, written.size))


@pytest.mark.parametrize("pixels", [6 * MIB, 64 * MIB, 70 * MIB])
def test_sizes_about_the_borders_of_parts_are_taken(kept: SparseS3, engine: Engine, pixels: int) -> None:
    content = native(max(pixels, 8 * MIB))
    written = _through(kept, engine, content)
    assert abs(written.size - content.size) < MIB


def test_a_source_that_is_replaced_between_its_check_and_its_copy_delivers_nothing(
    kept: SparseS3, engine: Engine
) -> None:
    kept.objects[f"/{BUCKET}/{KEY}"] = native(500_000_000)
    objects = S3Objects(s3_client(kept.url))
    with objects.open(REF) as opened:
        cleaned = engine.clean_source(opened)
        kept.objects[f"/{BUCKET}/{KEY}"] = native(500_000_000)
        with pytest.raises(Unavailable):
            objects.put_pieces(cleaned.pieces, opened, OUT, KEY, metadata={})
    assert f"/{OUT}/{KEY}" not in kept.objects
    assert not kept.uploads


def test_a_large_output_that_is_overtaken_is_aborted(kept: SparseS3, engine: Engine) -> None:
    kept.objects[f"/{BUCKET}/{KEY}"] = native(500_000_000)
    objects = S3Objects(s3_client(kept.url))
    first = objects.put(b"first", OUT, KEY)
    with objects.open(REF) as opened:
        pieces = engine.clean_source(opened).pieces
        for conditions in ({"if_none_match": True}, {"if_match": "0" * 32}):
            with pytest.raises(Overtaken):
                objects.put_pieces(pieces, opened, OUT, KEY, metadata={}, **conditions)
        assert not kept.uploads
        objects.put_pieces(pieces, opened, OUT, KEY, metadata={}, if_match=first.etag)
    assert kept.objects[f"/{OUT}/{KEY}"].size > 400_000_000
