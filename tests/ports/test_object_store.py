from __future__ import annotations

import errno
import hashlib
import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanward.adapters.local.disk import find_sync_file_range
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.hold import Hold
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_migrate import migrate
from scanward.adapters.local.sweep import sweep
from scanward.dicom.pieces import Span
from scanward.errors import BadInput, NotFound, OutOfSpace, Unavailable
from scanward.ports.object_store import Blob, Zone
from tests.ports.values import key, received

pytestmark = pytest.mark.unit


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "data" / "store")


def _put(store: FileStore, content: bytes, zone: Zone = Zone.RAW) -> str:
    staged = store.stage()
    staged.write(content)
    store.put([Blob(zone, staged.sha256, staged)])
    return staged.sha256


def _content(store: FileStore, zone: Zone, name: str) -> bytes:
    with store.open(zone, name) as opened:
        return bytes(opened.view)


def _files(store: FileStore) -> Iterator[Path]:
    return (path for path in store.root.rglob("*") if path.is_file())


@pytest.mark.parametrize("content", [b"", b"x", b"abc" * 100_000])
def test_what_was_put_is_read_back_as_it_was(store: FileStore, content: bytes) -> None:
    name = _put(store, content)
    assert name == hashlib.sha256(content).hexdigest()
    assert _content(store, Zone.RAW, name) == content
    with store.open(Zone.RAW, name) as opened:
        assert os.fstat(opened.fileno()).st_size == len(content)


def test_a_batch_is_named_at_once_and_nothing_stays_in_staging(store: FileStore) -> None:
    staged = [store.stage([bytes([number]) * 10]) for number in range(40)]
    store.put([Blob(Zone.DEID, one.sha256, one) for one in staged])
    assert sorted(store.keys(Zone.DEID)) == sorted(one.sha256 for one in staged)
    assert len(list(_files(store))) == 40


@pytest.mark.parametrize("length", [0, 1, 131_072, 2_000_000, 9_000_000])
def test_pieces_of_a_source_are_joined_and_hashed(store: FileStore, tmp_path: Path, length: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(random.Random(1).randbytes(9_001_000))  # noqa: S311 - content, no secret
    descriptor = os.open(source, os.O_RDONLY)
    staged = store.stage([b"head", Span(256, length), b"tail"], descriptor)
    os.close(descriptor)
    whole = b"head" + source.read_bytes()[256 : 256 + length] + b"tail"
    assert staged.size == len(whole)
    assert staged.sha256 == hashlib.sha256(whole).hexdigest()
    assert staged.path.read_bytes() == whole


@pytest.mark.parametrize("length", [100, 9_000_000])
def test_a_source_that_ends_early_leaves_nothing(store: FileStore, tmp_path: Path, length: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"short")
    descriptor = os.open(source, os.O_RDONLY)
    with pytest.raises(Unavailable):
        store.stage([Span(0, length)], descriptor)
    os.close(descriptor)
    assert not list(_files(store))


def test_a_key_that_exists_stays_as_it_is(store: FileStore) -> None:
    first, second = store.stage([b"first"]), store.stage([b"second"])
    store.put([Blob(Zone.DEID, key(1), first)])
    store.put([Blob(Zone.DEID, key(1), second)])
    assert _content(store, Zone.DEID, key(1)) == b"first"
    assert len(list(_files(store))) == 1


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


def test_zones_do_not_see_each_other(store: FileStore) -> None:
    name = _put(store, b"raw")
    for zone in (Zone.DEID, Zone.QUARANTINE):
        with pytest.raises(NotFound):
            store.open(zone, name)


def test_deleting_removes_and_a_second_time_does_nothing(store: FileStore) -> None:
    name = _put(store, b"gone")
    store.delete(Zone.RAW, name)
    store.delete(Zone.RAW, name)
    with pytest.raises(NotFound):
        store.open(Zone.RAW, name)


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "0/" * 32]
)
def test_a_key_is_a_hash_or_nothing(store: FileStore, name: str) -> None:
    staged = store.stage([b"x"])
    with pytest.raises(BadInput):
        store.put([Blob(Zone.RAW, name, staged)])
    with pytest.raises(BadInput):
        store.open(Zone.RAW, name)
    staged.discard()


def test_discarded_and_forgotten_blobs_leave_nothing(store: FileStore) -> None:
    staged = store.stage([b"x"])
    staged.discard()
    staged.discard()
    store.stage([b"forgotten"])
    assert not list(_files(store))


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


def test_a_view_outlives_its_file(store: FileStore) -> None:
    name = _put(store, b"0123456789")
    with store.open(Zone.RAW, name) as opened:
        part = opened.view[2:5]
    store.delete(Zone.RAW, name)
    assert bytes(part) == b"234"


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
