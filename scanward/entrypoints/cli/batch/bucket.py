"""Inputs that lie in S3: listed in order of their keys, fetched one by one where a file is needed."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from scanward.adapters.aws.s3_opened import S3Opened
from scanward.dicom.structure.findings import refuse
from scanward.entrypoints.cli.batch.address import S3Address, address
from scanward.entrypoints.cli.batch.plan import Entry, Plan
from scanward.errors import NotFound
from scanward.receive.s3_event import Reference
from scanward.wiring import open_objects

_DIGITS = 15  # of an ETag; an entry's version is a number of 64 bits


def bucket_entries(plan: Plan) -> Iterator[Entry]:
    """Yield the objects of the source's prefix, or the one object; what stands for a folder is left out."""
    source = address(plan.source)
    objects = open_objects()
    if plan.only:
        ref, head = objects.pin(Reference(source.bucket, source.prefix + plan.only))
        yield Entry(plan.only, head.size, _version(ref.etag))
        return
    for found in objects.list(source.bucket, source.prefix):
        relative = found.key.removeprefix(source.prefix)
        if relative and not relative.endswith("/"):
            yield Entry(relative, found.size, _version(found.etag))


def is_object(source: S3Address) -> bool:
    """Tell whether an address is of one object, not of a prefix. Raises Refused or Unavailable."""
    if not source.name:
        return False
    try:
        open_objects().head(Reference(source.bucket, source.key))
    except NotFound:
        return False
    return True


@contextmanager
def open_pinned(plan: Plan, entry: Entry) -> Iterator[S3Opened]:
    """Open an entry to be read by range. Raises InvalidDicom beyond the bound, OSError if it is gone."""
    with _missing_is_an_os_error():
        opened = open_objects().open(_reference(plan, entry))
    with opened:
        _check_size(opened.size, plan)
        yield opened


@contextmanager
def fetched(plan: Plan, entry: Entry, folder: str | None = None) -> Iterator[tuple[BinaryIO, Reference]]:
    """Fetch an entry into a file without a name: gone whatever happens to this process.

    Raises InvalidDicom beyond the bound, OSError if it is gone, Unavailable.
    """
    objects = open_objects()
    with _missing_is_an_os_error():
        pin, head = objects.pin(_reference(plan, entry))
    _check_size(head.size, plan)
    with tempfile.TemporaryFile(dir=folder) as file:
        for chunk in objects.stream(pin):
            file.write(chunk)
        file.flush()
        yield cast("BinaryIO", file), pin


def _reference(plan: Plan, entry: Entry) -> Reference:
    source = address(plan.source)
    return Reference(source.bucket, source.prefix + entry.relative)


def _check_size(size: int, plan: Plan) -> None:
    bound = plan.settings.max_object_bytes
    if size > bound:
        raise refuse("object-too-large", bound=bound)


@contextmanager
def _missing_is_an_os_error() -> Iterator[None]:
    """Say of an object that is gone since the listing what is said of a file."""
    try:
        yield
    except NotFound:
        raise FileNotFoundError(errno.ENOENT, "") from None


def _version(etag: str) -> int:
    digits = "".join(letter for letter in etag if letter in "0123456789abcdef")
    return int(digits[:_DIGITS] or "0", 16)
