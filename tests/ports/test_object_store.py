"""What the port promises runs against both stores; the rest is of the one on files."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import secrets
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanward.adapters.aws.object_store import S3ObjectStore
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.adapters.local.disk import find_sync_file_range
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.hold import Hold
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_migrate import migrate
from scanward.adapters.local.staging import Staging
from scanward.adapters.local.sweep import sweep
from scanward.dicom.pieces import Span
from scanward.errors import BadInput, Misconfigured, NotFound, OutOfSpace, Unavailable
from scanward.ports.object_store import Blob, Zone
from tests.aws_store.servers import moto_url, s3_client
from tests.ports.values import key, received

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Kept:
    """A store, and where this machine keeps what is under way to it."""

    store: FileStore | S3ObjectStore
    staging: Path

    def put(self, content: bytes, zone: Zone = Zone.RAW) -> str:
        staged = self.store.stage([content] if content else [])
        self.store.put([Blob(zone, staged.sha256, staged)])
        return staged.sha256

    def content(self, zone: Zone, name: str) -> bytes:
        with self.store.open(zone, name) as opened:
            return bytes(opened.view)

    def left(self) -> tuple[int, int]:
        """Return how many blobs there are, and how many files under way."""
        return sum(len(list(self.store.keys(zone))) for zone in Zone), len(list(self.staging.iterdir()))


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with moto_url() as url:
        yield url


@pytest.fixture(params=["files", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "files":
        store = FileStore(tmp_path / "data" / "store")
        return Kept(store, store.root / "staging")
    client = s3_client(request.getfixturevalue("s3_url"))
    bucket = f"store-{secrets.token_hex(8)}"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    staging = Staging(tmp_path / "data" / "store" / "staging")
    staging.make()
    remote = S3ObjectStore(S3Objects(client), bucket, "site/", staging)
    remote.require_bucket()
    return Kept(remote, staging.folder)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "data" / "store")


def _put(store: FileStore, content: bytes, zone: Zone = Zone.RAW) -> str:
    return Kept(store, store.root / "staging").put(content, zone)


def _files(store: FileStore) -> Iterator[Path]:
    return (path for path in store.root.rglob("*") if path.is_file())


@pytest.mark.parametrize("content", [b"", b"x", b"abc" * 100_000])
def test_what_was_put_is_read_back_as_it_was(kept: Kept, content: bytes) -> None:
    name = kept.put(content)
    assert name == hashlib.sha256(content).hexdigest()
    assert kept.content(Zone.RAW, name) == content
    with kept.store.open(Zone.RAW, name) as opened:
        assert os.fstat(opened.fileno()).st_size == len(content)
    assert kept.left() == (1, 0)


def test_a_batch_is_named_at_once_and_nothing_stays_in_staging(kept: Kept) -> None:
    staged = [kept.store.stage([bytes([number]) * 10]) for number in range(40)]
    kept.store.put([Blob(Zone.DEID, one.sha256, one) for one in staged])
    assert sorted(kept.store.keys(Zone.DEID)) == sorted(one.sha256 for one in staged)
    assert kept.left() == (40, 0)


@pytest.mark.parametrize("length", [0, 1, 131_072, 2_000_000, 9_000_000])
def test_pieces_of_a_source_are_joined_and_hashed(kept: Kept, tmp_path: Path, length: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(random.Random(1).randbytes(9_001_000))  # noqa: S311 - content, no secret
    descriptor = os.open(source, os.O_RDONLY)
    staged = kept.store.stage([b"head", Span(256, length), b"tail"], descriptor)
    os.close(descriptor)
    whole = b"head" + source.read_bytes()[256 : 256 + length] + b"tail"
    assert staged.size == len(whole)
    assert staged.sha256 == hashlib.sha256(whole).hexdigest()
    assert staged.path.read_bytes() == whole
    kept.store.put([Blob(Zone.DEID, key(1), staged)])
    assert kept.content(Zone.DEID, key(1)) == whole


@pytest.mark.parametrize("length", [100, 9_000_000])
def test_a_source_that_ends_early_leaves_nothing(kept: Kept, tmp_path: Path, length: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"short")
    descriptor = os.open(source, os.O_RDONLY)
    with pytest.raises(Unavailable):
        kept.store.stage([Span(0, length)], descriptor)
    os.close(descriptor)
    assert kept.left() == (0, 0)


def test_a_key_that_exists_stays_as_it_is(kept: Kept) -> None:
    first, second = kept.store.stage([b"first"]), kept.store.stage([b"second"])
    kept.store.put([Blob(Zone.DEID, key(1), first)])
    kept.store.put([Blob(Zone.DEID, key(1), second)])
    assert kept.content(Zone.DEID, key(1)) == b"first"
    assert kept.left() == (1, 0)


def test_a_file_that_cannot_be_opened_is_unavailable_and_keeps_no_descriptor(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _put(store, b"x" * 100)

    def refuse(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOMEM, "no map")

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr("mmap.mmap", refuse)
    with pytest.raises(Unavailable, match="ENOMEM"):
        store.open(Zone.RAW, name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_only_blobs_that_the_store_staged_can_be_named(store: FileStore) -> None:
    with pytest.raises(BadInput):
        store.put([Blob(Zone.RAW, key(1), object())])  # type: ignore[arg-type]  # what is refused


def test_where_write_back_cannot_be_hinted_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: object) -> None:
        raise OSError

    monkeypatch.setattr("ctypes.CDLL", missing)
    assert find_sync_file_range()(0) is None


def test_zones_do_not_see_each_other(kept: Kept) -> None:
    name = kept.put(b"raw")
    for zone in (Zone.DEID, Zone.QUARANTINE):
        with pytest.raises(NotFound, match=name):
            kept.store.open(zone, name)


def test_deleting_removes_and_a_second_time_does_nothing(kept: Kept) -> None:
    name = kept.put(b"gone")
    kept.store.delete(Zone.RAW, name)
    kept.store.delete(Zone.RAW, name)
    with pytest.raises(NotFound):
        kept.store.open(Zone.RAW, name)
    assert kept.left() == (0, 0)


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "0/" * 32]
)
def test_a_key_is_a_hash_or_nothing(kept: Kept, name: str) -> None:
    staged = kept.store.stage([b"x"])
    with pytest.raises(BadInput):
        kept.store.put([Blob(Zone.RAW, name, staged)])
    with pytest.raises(BadInput):
        kept.store.open(Zone.RAW, name)
    staged.discard()
    assert kept.left() == (0, 0)


def test_discarded_and_forgotten_blobs_leave_nothing(kept: Kept) -> None:
    staged = kept.store.stage([b"x"])
    staged.discard()
    staged.discard()
    kept.store.stage([b"forgotten"])
    assert kept.left() == (0, 0)


def test_only_the_owner_may_read_files_and_folders(store: FileStore) -> None:
    _put(store, b"secret")
    under_way = store.stage([b"under way"])
    for path in store.root.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    under_way.discard()


def test_below_the_watermark_nothing_is_staged(tmp_path: Path) -> None:
    FileStore(tmp_path / "store")
    store = FileStore(tmp_path / "store", watermark=1 << 60)
    with pytest.raises(OutOfSpace):
        store.stage([b"x"])
    staged = store.stage()
    with pytest.raises(OutOfSpace):
        staged.write(b"x")
    staged.discard()
    assert not list(_files(store))


def test_a_view_outlives_its_file(kept: Kept) -> None:
    name = kept.put(b"0123456789")
    with kept.store.open(Zone.RAW, name) as opened:
        part = opened.view[2:5]
    kept.store.delete(Zone.RAW, name)
    assert bytes(part) == b"234"


def test_many_writers_of_one_name_leave_the_first_ones_bytes(kept: Kept) -> None:
    together = threading.Barrier(6)

    def write(number: int) -> None:
        staged = kept.store.stage([bytes([number]) * 1000])
        together.wait(10)
        kept.store.put([Blob(Zone.DEID, key(1), staged)])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(6)))
    first = kept.content(Zone.DEID, key(1))
    assert len(first) == 1000
    assert len(set(first)) == 1
    assert kept.left() == (1, 0)


def test_a_sweep_removes_leftovers_and_keeps_what_has_a_row(store: FileStore, tmp_path: Path) -> None:
    database = open_database(tmp_path, "")
    migrate(database)
    catalog = SqlCatalog(database)
    name = _put(store, b"kept")
    catalog.receive([received(1)])
    orphan = _put(store, b"orphan")
    known = store.stage([b"kept by its row"])
    store.put([Blob(Zone.RAW, key(1), known)])
    leftover = store.stage([b"half"])
    leftover.close()
    assert sweep(store, catalog) == 3
    assert list(store.keys(Zone.RAW)) == [key(1)]
    assert name not in store.keys(Zone.RAW)
    assert orphan not in store.keys(Zone.RAW)
    assert not list((store.root / "staging").iterdir())


def test_a_lost_catalog_costs_no_object(store: FileStore, tmp_path: Path) -> None:
    database = open_database(tmp_path, "")
    migrate(database)
    names = sorted(_put(store, content) for content in (b"acknowledged", b"long ago"))
    assert sweep(store, SqlCatalog(database), is_foreign=True) == 0
    assert list(store.keys(Zone.RAW)) == names


def test_an_older_catalog_costs_no_object(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanward.adapters.local.sweep._MOST_LEFT", 3)
    database = open_database(tmp_path, "")
    migrate(database)
    catalog = SqlCatalog(database)
    catalog.receive([received(1)])
    store.put([Blob(Zone.RAW, key(1), store.stage([b"of the older catalog"]))])
    names = [_put(store, bytes([number])) for number in range(4)]
    assert sweep(store, catalog) == 0
    assert set(names) < set(store.keys(Zone.RAW))


def test_only_who_has_the_store_alone_may_sweep_it(store: FileStore) -> None:
    first = Hold(store.root)
    assert first.alone()
    first.share()
    second = Hold(store.root)
    assert not second.alone()
    second.share()
    del first
    third = Hold(store.root)
    assert not third.alone()
    del second
    assert third.alone()


def test_a_store_in_s3_says_at_once_that_its_bucket_is_missing(s3_url: str, tmp_path: Path) -> None:
    store = S3ObjectStore(S3Objects(s3_client(s3_url)), "no-such-bucket", "", Staging(tmp_path))
    with pytest.raises(Misconfigured, match="SCANWARD_OBJECT_STORE"):
        store.require_bucket()


def test_a_blob_in_s3_is_under_its_prefix_with_its_hash(s3_url: str, tmp_path: Path) -> None:
    client = s3_client(s3_url)
    client.create_bucket(Bucket="looked-at")
    store = S3ObjectStore(S3Objects(client), "looked-at", "site/", Staging(tmp_path))
    name = Kept(store, tmp_path).put(b"content")
    told = client.head_object(Bucket="looked-at", Key=f"site/raw/{name}")
    assert told["Metadata"] == {"sha256": name}
    client.put_object(Bucket="looked-at", Key="site/raw/another-program's", Body=b"")
    assert list(store.keys(Zone.RAW)) == [name]


def test_a_blob_that_changed_in_s3_is_not_handed_out(s3_url: str, tmp_path: Path) -> None:
    client = s3_client(s3_url)
    client.create_bucket(Bucket="damaged")
    store = S3ObjectStore(S3Objects(client), "damaged", "", Staging(tmp_path))
    name = Kept(store, tmp_path).put(b"content")
    client.put_object(Bucket="damaged", Key=f"raw/{name}", Body=b"c0ntent", Metadata={"sha256": name})
    with store.open(Zone.RAW, name) as opened, pytest.raises(Unavailable, match="did not arrive"):
        opened.view[:]
    assert not list(tmp_path.iterdir())
