"""Files, folders and archives as arrivals: staged on the store's disk, with the name that the table shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scanward.dicom.structure import Bounds
from scanward.entrypoints.cli.batch.plan import Note
from scanward.entrypoints.cli.batch.sources import folder_entries, one_entry
from scanward.errors import BadInput
from scanward.pipeline import Arrival
from scanward.ports.object_store import ObjectStore
from scanward.receive.archive import is_zip, members

_HEAD = 132
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Unread:
    """An input that did not become an arrival, and why; `skipped` if it is no file at all."""

    name: str
    reason: str
    skipped: bool


def arrivals(paths: Iterable[Path], store: ObjectStore, bounds: Bounds) -> Iterator[Arrival | Unread]:
    """Yield each file, staged. Raises OutOfSpace under the watermark."""
    for path in paths:
        if path.is_dir():
            for entry in folder_entries(str(path)):
                yield from _entry(path, entry.relative, entry, store, bounds)
        else:
            yield from _entry(path.parent, path.name, one_entry(str(path.parent), path.name), store, bounds)


def missing(paths: Iterable[Path]) -> None:
    """Raise BadInput if one of the paths is not there."""
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist.")


def _entry(
    root: Path, name: str, entry: object, store: ObjectStore, bounds: Bounds
) -> Iterator[Arrival | Unread]:
    if isinstance(entry, Note):
        yield Unread(name, entry.reason, skipped=True)
        return
    try:
        path = root / name
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            yield Unread(name, "a link out of the folder is not followed", skipped=True)
            return
        # A FIFO may have taken the file's place since then; opening it must not wait for a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            if is_zip(head):
                yield from _members(name, file, store, bounds)
            else:
                yield _file(name, file, store, bounds)
    except OSError as error:
        yield Unread(name, f"it cannot be read: {os.strerror(error.errno or 0)}", skipped=False)


def _file(name: str, file: BinaryIO, store: ObjectStore, bounds: Bounds) -> Arrival | Unread:
    size = os.fstat(file.fileno()).st_size
    if size > bounds.object_bytes:
        return Unread(
            name, f"larger than {bounds.object_bytes} bytes (SCANWARD_MAX_OBJECT_BYTES)", skipped=False
        )
    return _staged(name, iter(lambda: file.read(_CHUNK), b""), store)


def _members(name: str, file: BinaryIO, store: ObjectStore, bounds: Bounds) -> Iterator[Arrival | Unread]:
    try:
        for member in members(file):
            shown = f"{name}:{member.name}"
            if member.size > bounds.object_bytes:
                yield Unread(shown, "larger than SCANWARD_MAX_OBJECT_BYTES", skipped=False)
                continue
            try:
                yield _staged(shown, member.chunks(), store)
            except BadInput as error:
                yield Unread(shown, error.message, skipped=False)
    except BadInput as error:
        yield Unread(name, error.message, skipped=False)


def _staged(name: str, chunks: Iterator[bytes], store: ObjectStore) -> Arrival:
    staged = store.stage()
    try:
        for chunk in chunks:
            staged.write(chunk)
    except BaseException:
        staged.discard()
        raise
    return Arrival(staged, name)
