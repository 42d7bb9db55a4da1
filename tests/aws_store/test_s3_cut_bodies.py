from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from scanward.adapters.aws import s3_body
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.errors import Unavailable
from scanward.receive.s3_event import Reference
from tests.aws_store.cutting import cutting
from tests.aws_store.servers import BUCKET, s3_client

pytestmark = pytest.mark.integration

BODY = os.urandom(3 << 20)
OTHER_BODY = BODY[:-1] + bytes([BODY[-1] ^ 1])
REF = Reference(BUCKET, "DOE_JOHN/scan.dcm")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_body, "_PAUSE", 0.001)


def test_a_cut_body_is_resumed_where_it_ended() -> None:
    with cutting(BODY, cut=700_000, cuts=3) as server:
        objects = S3Objects(s3_client(server.url))
        with objects.open(REF) as opened:
            assert bytes(opened.view) == BODY
            assert opened.fetched == len(BODY)
        starts = [int(asked.removeprefix("bytes=").split("-")[0] or 0) for asked in server.ranges]
        assert starts == sorted(starts)
        assert len(starts) == 4
        assert starts[1] > 600_000


def test_a_body_that_is_cut_again_and_again_is_unavailable_soon() -> None:
    with cutting(BODY, cut=10, cuts=100) as server:
        objects = S3Objects(s3_client(server.url))
        with pytest.raises(Unavailable, match="again and again") as caught:
            objects.read(REF, 5, 1_000_000)
        assert len(server.ranges) == 5
        assert "DOE" not in str(caught.value)


def test_a_resumed_body_is_never_joined_with_another_version() -> None:
    with cutting(BODY, cut=700_000, cuts=1) as server:
        objects = S3Objects(s3_client(server.url))
        pin, _ = objects.pin(REF)
        stream = s3_body.chunks(objects.s3, pin, 0, len(BODY))
        next(stream)
        server.etag = '"ffffffffffffffffffffffffffffffff"'
        with pytest.raises(Unavailable, match="replaced"):
            list(stream)


def test_a_download_is_compared_with_the_checksum_that_s3_keeps(tmp_path: Path) -> None:
    with cutting(BODY, cut=700_000, cuts=1) as server:
        objects = S3Objects(s3_client(server.url))
        digest = hashlib.sha256(BODY).digest()
        server.sha256 = base64.b64encode(digest).decode()
        path = tmp_path / "scan.dcm"
        assert objects.download(REF, path) == digest.hex()
        assert path.read_bytes() == BODY
        server.body = OTHER_BODY
        server.cuts = 1
        with pytest.raises(Unavailable, match="did not arrive"):
            objects.download(REF, tmp_path / "other.dcm")
        assert not (tmp_path / "other.dcm").exists()


def test_a_small_object_that_arrives_damaged_is_unavailable() -> None:
    with cutting(BODY) as server:
        digest = hashlib.sha256(OTHER_BODY).digest()
        server.sha256 = base64.b64encode(digest).decode()
        with pytest.raises(Unavailable):
            S3Objects(s3_client(server.url)).open(REF)


@pytest.mark.parametrize("cuts", [0, 1])
def test_of_a_store_that_overlooks_ranges_the_wanted_bytes_are_taken(cuts: int) -> None:
    with cutting(BODY, cut=1_500_000, cuts=cuts) as server:
        server.overlooks_ranges = True
        objects = S3Objects(s3_client(server.url))
        for start, stop in ((0, 10), (5, 1_000_000), (1_000_000, 2_900_000), (3_000_000, len(BODY))):
            assert objects.read(REF, start, stop - start) == BODY[start:stop]
