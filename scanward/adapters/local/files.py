"""The object store on a file system: zones, 256 folders each, names that are hashes.

    <data>/store/staging/<random>            under way, not yet named
    <data>/store/<zone>/<first two digits>/<key>

A blob is durable in four steps that a batch takes together: write-back is started for all, each file is
synced, each gets its name by a link (which never replaces), each folder that got a name is synced once.
Only then does `put` return: what was acknowledged survives a power cut, and no name stands for half a file.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from scanward.adapters.local.disk import Syncer, disk_errors, start_write_back, sync_folder
from scanward.adapters.local.hold import Hold
from scanward.adapters.local.staging import StagedFile, Staging
from scanward.dicom.pieces import Piece
from scanward.errors import BadInput, NotFound
from scanward.ports.object_store import Blob, Zone

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
SHARDS = tuple(f"{number:02x}" for number in range(256))


class MappedFile:
    """A file opened for reading as one read-only map; an empty file is an empty view."""

    def __init__(self, path: Path) -> None:
        """Open and map the file. Raises FileNotFoundError."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            size = os.fstat(self._descriptor).st_size
            self._map = mmap.mmap(self._descriptor, size, prot=mmap.PROT_READ) if size else b""
        except BaseException:
            os.close(self._descriptor)
            raise
        self._view = memoryview(self._map)

    @property
    def view(self) -> memoryview:
        """Return the whole file."""
        return self._view

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the descriptor and unmap; slices still held keep the map alive until they go."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        self._view = memoryview(b"")
        self._map = b""


class FileStore:
    """ObjectStore and Sweepable on one folder."""

    def __init__(self, root: Path, watermark: int = 0) -> None:
        """Make the folders that are missing, durably. Raises Unavailable or OutOfSpace."""
        self._root = root
        self._syncer = Syncer()
        self._staging = Staging(root / "staging", watermark)
        self.hold: Hold | None = None
        with disk_errors("the store's folders were made"):
            self._make_folders()

    @property
    def root(self) -> Path:
        """Return the store's folder."""
        return self._root

    def stage(self, pieces: Sequence[Piece] = (), source_fd: int = -1) -> StagedFile:
        """Begin a blob, with `pieces` already written if given. Raises OutOfSpace under the watermark."""
        return self._staging.stage(pieces, source_fd)

    def put(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Name all blobs and return when each is durable; a key that exists stays as it is, and is told.

        Raises OutOfSpace or Unavailable; nothing of the batch counts as stored then.
        """
        paths = [self._path(blob.zone, blob.key) for blob in blobs]
        staged = [_own(blob) for blob in blobs]
        with disk_errors("objects were made durable"):
            for file in staged:
                start_write_back(file.fileno())
            self._syncer.files([file.fileno() for file in staged])
            there = [not _name(file, path) for file, path in zip(staged, paths, strict=True)]
            self._syncer.folders(list({path.parent for path in paths}))
        for file in staged:
            file.discard()
        return [blob for blob, known in zip(blobs, there, strict=True) if known]

    def open(self, zone: Zone, key: str) -> MappedFile:
        """Open a blob. Raises NotFound."""
        path = self._path(zone, key)
        with disk_errors("an object was opened"):
            try:
                return MappedFile(path)
            except FileNotFoundError:
                raise NotFound(f"There is no object {key} in zone {zone}.") from None

    def delete(self, zone: Zone, key: str) -> None:
        """Remove a blob durably; nothing happens if there is none."""
        path = self._path(zone, key)
        with disk_errors("an object was removed"):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def keys(self, zone: Zone) -> Iterator[str]:
        """Yield every key of a zone, in order."""
        for shard in SHARDS:
            yield from self.shard_keys(zone, shard)

    def shard_keys(self, zone: Zone, shard: str) -> list[str]:
        """Return the keys of a zone that begin with two hex digits, in order."""
        folder = self._root / zone / shard
        return sorted(path.name for path in folder.iterdir() if _KEY.fullmatch(path.name))

    def clear_staging(self) -> int:
        """Remove what a crash left in staging, if nobody else has the store open; return how many."""
        return self._staging.clear()

    def _path(self, zone: Zone, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise BadInput("A key of the store is 64 hex digits.")
        return self._root / zone / key[:2] / key

    def _make_folders(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._staging.make()
        zones = [self._root / zone for zone in Zone]
        for zone in zones:
            zone.mkdir(mode=0o700, exist_ok=True)
            there = {path.name for path in zone.iterdir()}
            for shard in SHARDS:
                if shard not in there:
                    (zone / shard).mkdir(mode=0o700, exist_ok=True)
        # Another process may have made them a moment ago: they are synced by whoever relies on them.
        for folder in (*zones, self._root, self._root.parent, self._root.parent.parent):
            sync_folder(folder)


def _own(blob: Blob) -> StagedFile:
    if not isinstance(blob.staged, StagedFile):
        raise BadInput("A blob of the file store must have been staged by it.")
    return blob.staged


def _name(file: StagedFile, path: Path) -> bool:
    """Link a synced file to its name; one that exists was linked after a sync too, so it is whole: False."""
    try:
        os.link(file.path, path)
    except FileExistsError:
        return False
    return True
