"""What is done already, so that a run continues where the last one stopped, whatever ended it.

A worker appends a row for each output *before* the output gets its name, to a file of its own. A row tells:
keyed hash of the input's path, keyed hash of its version and of the policy, output, size and mtime. An input
is done when its output is there with that size and mtime; so a `kill -9` between row and name does no harm.
No identifier is kept.
"""
# ruff: noqa: PTH103, PTH108, PTH116, PTH118, PTH119, PTH208 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from scanward.entrypoints.cli.batch.plan import Entry

_HASH_BYTES = 8
_ROWS = "rows"


class Done(NamedTuple):
    """One row of the state."""

    path_hash: int
    version_hash: int
    output: str
    size: int
    mtime_ns: int


class Fingerprints:
    """Keyed hashes of inputs: who holds the files but not the secret cannot try paths against them."""

    def __init__(self, key: bytes, policy: str) -> None:
        """Keep the key, derived from the site's secret, and what a version depends on besides the input."""
        self._paths = blake2b(key=key, digest_size=_HASH_BYTES)
        self._versions = blake2b(policy.encode(), key=key, digest_size=_HASH_BYTES)

    def path(self, relative: str) -> int:
        """Return the hash of an input's path."""
        digest = self._paths.copy()
        digest.update(relative.encode("utf-8", "surrogateescape"))
        return int.from_bytes(digest.digest())

    def version(self, entry: Entry) -> int:
        """Return the hash of an input's path, size and time, and of the policy."""
        digest = self._versions.copy()
        digest.update(f"{entry.size} {entry.version} ".encode())
        digest.update(entry.relative.encode("utf-8", "surrogateescape"))
        return int.from_bytes(digest.digest())


class StateWriter:
    """Appends rows to a file that nobody else writes."""

    def __init__(self, folder: str, run: str) -> None:
        """Remember where; the file comes with the first row."""
        self._path = os.path.join(folder, _ROWS, f"{run}-{secrets.token_hex(4)}.jsonl")
        self._descriptor = -1

    def append(self, rows: list[Done]) -> None:
        """Write rows in one piece and sync them."""
        if self._descriptor < 0:
            self._descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        text = "".join(
            f'["{row.path_hash:016x}","{row.version_hash:016x}",{json.dumps(row.output)},{row.size},{row.mtime_ns}]\n'
            for row in rows
        )
        os.write(self._descriptor, text.encode())
        os.fdatasync(self._descriptor)


class StateReader:
    """What earlier runs left, looked up row by row: in memory stay two numbers an input."""

    def __init__(self, folder: str) -> None:
        """Index all rows; the newest of an input counts."""
        self._files = [os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in _state_files(folder)]
        self._index: dict[int, int] = {}
        for number, descriptor in enumerate(self._files):
            for offset, row in _rows(descriptor):
                self._index[row.path_hash] = offset * len(self._files) + number

    def __len__(self) -> int:
        """Return how many inputs have a row."""
        return len(self._index)

    def find(self, path_hash: int) -> Done | None:
        """Return the newest row of an input."""
        place = self._index.get(path_hash)
        if place is None:
            return None
        offset, number = divmod(place, len(self._files))
        return _row_at(self._files[number], offset)

    def __iter__(self) -> Iterator[Done]:
        """Yield the newest row of every input."""
        for path_hash in self._index:
            row = self.find(path_hash)
            if row is not None:
                yield row

    def close(self) -> None:
        """Close all files."""
        for descriptor in self._files:
            os.close(descriptor)


class Owners:
    """Whose an output is: the input whose row tells its size and mtime. Read only when a name is taken."""

    def __init__(self, folder: str) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._read = -1
        self._owners: dict[tuple[str, int, int], int] = {}

    def owner(self, output: str, status: os.stat_result) -> int | None:
        """Return the path hash of the output's owner, None if no run of ours wrote it."""
        wanted = (output, status.st_size, status.st_mtime_ns)
        if wanted not in self._owners:
            self._refresh()
        return self._owners.get(wanted)

    def _refresh(self) -> None:
        files = _state_files(self._folder)
        total = sum(os.stat(path).st_size for path in files)
        if total == self._read:
            return
        self._read = total
        for path in files:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                for _, row in _rows(descriptor):
                    self._owners[row.output, row.size, row.mtime_ns] = row.path_hash
            finally:
                os.close(descriptor)


def make_folders(folder: str) -> None:
    """Make the run's folders in the output."""
    for name in (_ROWS, "tmp"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)


def next_run(folder: str, shard: str) -> str:
    """Return the name of a new run, later in order than all before it."""
    numbers = [int(os.path.basename(path).partition("-")[0]) for path in _state_files(folder)]
    return f"{max(numbers, default=0) + 1:06d}-{shard}"


def sweep(folder: str, shard: str) -> None:
    """Remove what a killed run of the same shard left half written."""
    temporary = os.path.join(folder, "tmp")
    for name in os.listdir(temporary):
        if name.split("-")[1:2] == [shard]:
            os.unlink(os.path.join(temporary, name))


def _state_files(folder: str) -> list[str]:
    try:
        names = os.listdir(os.path.join(folder, _ROWS))
    except FileNotFoundError:
        return []
    return [os.path.join(folder, _ROWS, name) for name in sorted(names) if name[:6].isdigit()]


def _rows(descriptor: int) -> Iterator[tuple[int, Done]]:
    """Yield offset and row; a last line that a kill cut short is no row."""
    with os.fdopen(os.dup(descriptor), "rb") as lines:
        offset = 0
        for line in lines:
            row = _parsed(line)
            if row is not None:
                yield offset, row
            offset += len(line)


def _row_at(descriptor: int, offset: int) -> Done | None:
    length = 512
    while True:
        chunk = os.pread(descriptor, length, offset)
        line, end, _ = chunk.partition(b"\n")
        if end or len(chunk) < length:
            return _parsed(line + end)
        length *= 4


def _parsed(line: bytes) -> Done | None:
    try:
        path_hash, version_hash, output, size, mtime_ns = json.loads(line)
        return Done(int(path_hash, 16), int(version_hash, 16), output, size, mtime_ns)
    except (ValueError, TypeError):
        return None
