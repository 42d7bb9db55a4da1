"""A file that has its name only once it is whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from scanward.adapters.local.disk import disk_errors, sync_folder
from scanward.errors import BadInput

_BUFFER = 1 << 20


@contextmanager
def whole_or_not_at_all(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that gets its name, synced, when the block ends well, and is gone when it does not.

    Until then it is `path` with `.part` behind it; one that a crash left there is written anew. Raises
    BadInput where a file of that name is there, or another process is writing it.
    """
    if os.path.lexists(path):
        raise BadInput("A file of the backup's name is there; a backup never overwrites.")
    part = path.with_name(f"{path.name}.part")
    with _opened(part) as file:
        try:
            yield file
            with disk_errors("the backup was made durable"):
                file.flush()
                os.fsync(file.fileno())
                _name(part, path)
                sync_folder(path.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def _opened(part: Path) -> Iterator[BinaryIO]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(part, flags, 0o600)
    except OSError as error:
        raise BadInput(f"The backup cannot be written there: {os.strerror(error.errno or 0)}.") from None
    file = os.fdopen(descriptor, "wb", _BUFFER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise BadInput("A backup of that name is being written; give another name, or wait.") from None
    try:
        os.ftruncate(descriptor, 0)
        yield file
    finally:
        _close(file)


def _close(file: BinaryIO) -> None:
    """Close, whatever is still in the buffer: where it could not be written, that was told already."""
    with suppress(OSError):
        file.close()


def _name(part: Path, path: Path) -> None:
    """Give the file its name, never another's; some file systems have no links, and are asked first."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise BadInput("A file of the backup's name came meanwhile; a backup never overwrites.") from None
    except OSError:
        if os.path.lexists(path):
            raise
        part.rename(path)
    else:
        part.unlink()
