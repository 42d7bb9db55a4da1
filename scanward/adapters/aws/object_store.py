"""The object store on S3, or on any store that speaks its protocol: zones are prefixes, names are hashes.

    s3://<bucket>/<prefix><zone>/<key>

What is under way lies in a temporary file of this machine, so that memory stays flat. A blob is durable when
S3 has answered; a condition lets the first writer of a name win. Blobs that a crash left without a row are
not swept, because another machine may be about to write the row: they stay, as encrypted as the others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from types import TracebackType
from typing import Protocol, Self

from scanward.adapters.aws.failures import translated
from scanward.adapters.aws.s3_objects import Head, Overtaken, S3Objects
from scanward.dicom.pieces import Piece
from scanward.dicom.structure import OpenedObject
from scanward.errors import BadInput, Misconfigured, NotFound, Unavailable
from scanward.ports.object_store import Blob, Staged, Zone
from scanward.receive.s3_event import Reference

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_AT_ONCE = 8
_SHA256 = "sha256"


class Staging(Protocol):
    """Where this machine keeps what is under way."""

    def stage(self, pieces: Sequence[Piece] = (), source_fd: int = -1) -> Staged:
        """Begin a temporary file. Raises OutOfSpace."""
        ...


class S3File:
    """A blob opened for reading; it is fetched into an unnamed file when it is first looked at."""

    def __init__(self, objects: S3Objects, ref: Reference, head: Head, staging: Staging) -> None:
        """Take a pinned version."""
        self._objects = objects
        self._ref = ref
        self._told = head.metadata.get(_SHA256, "")
        self._staging = staging

    @property
    def view(self) -> memoryview:
        """Return the whole blob."""
        return self._file.view

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close and unmap what was fetched; slices still held keep the map alive until they go."""
        file = self.__dict__.pop("_file", None)
        if file is not None:
            file.__exit__(kind, error, trace)

    @cached_property
    def _file(self) -> OpenedObject:
        staged = self._staging.stage()
        try:
            for chunk in self._objects.stream(self._ref):
                staged.write(chunk)
            if staged.size != self._ref.size or self._told not in {"", staged.sha256}:
                raise Unavailable("A blob did not arrive as it was put; try again.")
            descriptor = os.open(staged.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return OpenedObject(descriptor, staged.size)
            except BaseException:
                os.close(descriptor)
                raise
        finally:
            staged.discard()


class S3ObjectStore:
    """ObjectStore and Sweepable on one bucket."""

    def __init__(self, objects: S3Objects, bucket: str, prefix: str, staging: Staging) -> None:
        """Keep everything under `prefix`, which ends with a slash or is empty."""
        self._objects = objects
        self._bucket = bucket
        self._prefix = prefix
        self._staging = staging

    def require_bucket(self) -> None:
        """Raise Misconfigured if there is no such bucket, Refused if it is another's."""
        try:
            with translated("bucket"):
                self._objects.s3.head_bucket(Bucket=self._bucket)
        except NotFound:
            raise Misconfigured(
                "There is no bucket as SCANWARD_OBJECT_STORE names it; make it first."
            ) from None

    def stage(self, pieces: Sequence[Piece] = (), source_fd: int = -1) -> Staged:
        """Begin a blob, with `pieces` already written if given. Raises OutOfSpace under the watermark."""
        return self._staging.stage(pieces, source_fd)

    def put(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Name all blobs and return when S3 has each; a key that exists stays as it is, and is told.

        Raises Unavailable, Refused or Misconfigured; nothing of the batch counts as stored then.
        """
        places = [self.place(blob.zone, blob.key) for blob in blobs]
        if len(blobs) <= 1:
            named = [self._put(*one) for one in zip(blobs, places, strict=True)]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, len(blobs)), thread_name_prefix="s3-put") as threads:
                named = list(threads.map(self._put, blobs, places))
        for blob in blobs:
            blob.staged.discard()
        return [blob for blob, new in zip(blobs, named, strict=True) if not new]

    def open(self, zone: Zone, key: str) -> S3File:
        """Open a blob. Raises NotFound."""
        return S3File(self._objects, *self.pin(zone, key), self._staging)

    def delete(self, zone: Zone, key: str) -> None:
        """Remove a blob with all its versions; nothing happens if there is none."""
        place = self.place(zone, key)
        self._objects.delete_versions(place.bucket, place.key)

    def keys(self, zone: Zone) -> Iterator[str]:
        """Yield every key of a zone, in order."""
        folder = f"{self._prefix}{zone}/"
        for found in self._objects.list(self._bucket, folder):
            key = found.key.removeprefix(folder)
            if _KEY.fullmatch(key):
                yield key

    def place(self, zone: Zone, key: str) -> Reference:
        """Return where a blob is or will be. Raises BadInput for what is no key of a store."""
        if not _KEY.fullmatch(key):
            raise BadInput("A key of the store is 64 hex digits.")
        return Reference(self._bucket, f"{self._prefix}{zone}/{key}")

    def pin(self, zone: Zone, key: str) -> tuple[Reference, Head]:
        """Return a blob's version. Raises NotFound."""
        try:
            return self._objects.pin(self.place(zone, key))
        except NotFound:
            raise NotFound(f"There is no object {key} in zone {zone}.") from None

    def abort_stale(self) -> int:
        """Abort uploads that a crash left a day ago or more; return how many."""
        return self._objects.abort_stale(self._bucket, self._prefix)

    def _put(self, blob: Blob, place: Reference) -> bool:
        """Upload a blob unless its key exists: False."""
        sha256 = blob.staged.sha256
        try:
            self._objects.upload(
                blob.staged.path, place, {_SHA256: sha256}, sha256=sha256, if_none_match=True
            )
        except Overtaken:
            return False
        return True
