"""Writes outputs: whole and synced under a temporary name, then named; never over another input's."""
# ruff: noqa: PTH103, PTH105, PTH108, PTH112, PTH113, PTH114, PTH118 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import errno
import filecmp
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanward.adapters.local.disk import Syncer
from scanward.dicom.pieces import Piece, write_pieces
from scanward.entrypoints.cli.batch.plan import Plan
from scanward.entrypoints.cli.batch.state import Done, Owners, StateWriter
from scanward.errors import Misconfigured, OutOfSpace, ScanwardError, Unavailable
from scanward.store.keys import with_suffix

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(slots=True)
class Pending:
    """An output under its temporary name, and what it shall be called."""

    temporary: str
    descriptor: int
    output: str
    done: Done
    suffix: Callable[[], str]


class Outputs:
    """The outputs of one worker, committed a batch at a time."""

    def __init__(self, plan: Plan) -> None:
        """Make nothing yet."""
        self._plan = plan
        self._state = StateWriter(plan.state, plan.run)
        self._owners = Owners(plan.state)
        self._prefix = os.path.join(plan.state, "tmp", f"{plan.run}-{secrets.token_hex(4)}-")
        self._count = 0
        self._syncer = Syncer()
        self._folders: set[str] = set()
        self._pending: list[Pending] = []
        self._touched: set[str] = set()

    def write(
        self,
        parts: Sequence[str],
        pieces: Sequence[Piece],
        source_fd: int,
        hashes: tuple[int, int],
        suffix: Callable[[], str],
    ) -> None:
        """Write one output under a temporary name. Raises OutOfSpace, Misconfigured or Unavailable."""
        self._count += 1
        temporary = f"{self._prefix}{self._count}"
        descriptor = -1
        try:
            descriptor = os.open(temporary, _FLAGS, 0o644)
            write_pieces(pieces, source_fd, descriptor)
            # The kernel's own times are as coarse as its ticks; this one tells two outputs apart.
            now = time.time_ns()
            os.utime(descriptor, ns=(now, now))
            status = os.fstat(descriptor)
        except BaseException as error:
            if descriptor >= 0:
                os.close(descriptor)
                _unlink(temporary)
            if isinstance(error, OSError):
                raise _stopped(error) from None
            raise
        output = "/".join(parts)
        done = Done(*hashes, output, status.st_size, status.st_mtime_ns)
        self._pending.append(Pending(temporary, descriptor, output, done, suffix))

    def commit(self) -> list[str]:
        """Sync, record and name all that is pending; return the names in order, "" where one was refused."""
        if not self._pending:
            return []
        try:
            self._syncer.files([pending.descriptor for pending in self._pending])
            for pending in self._pending:
                os.close(pending.descriptor)
                pending.descriptor = -1
            self._state.append([pending.done for pending in self._pending])
            names = [self._name(pending) for pending in self._pending]
            self._sync_folders()
        except OSError as error:
            raise _stopped(error) from None
        self._pending.clear()
        return names

    def discard(self) -> None:
        """Remove whatever was not named."""
        for pending in self._pending:
            if pending.descriptor >= 0:
                os.close(pending.descriptor)
            _unlink(pending.temporary)
        self._pending.clear()

    def _name(self, pending: Pending) -> str:
        folder, _, name = pending.output.rpartition("/")
        self._make(folder)
        final = os.path.join(self._plan.target, pending.output)
        try:
            os.link(pending.temporary, final)
        except FileExistsError:
            return self._settle(pending, folder, name)
        os.unlink(pending.temporary)
        return pending.output

    def _settle(self, pending: Pending, folder: str, name: str) -> str:
        """Give a name that is taken: our own is replaced; beside another input's, this one gets a suffix."""
        final = os.path.join(self._plan.target, pending.output)
        there = os.lstat(final)
        owner = self._owners.owner(pending.output, there)
        same = _same(pending.temporary, final)
        if owner == pending.done.path_hash or (owner is None and (same or self._plan.force)):
            os.replace(pending.temporary, final)
            return pending.output
        if same:  # one object given twice is there once
            self._state.append([pending.done._replace(mtime_ns=there.st_mtime_ns)])
        if same or owner is None:
            os.unlink(pending.temporary)
            return pending.output if same else ""
        return self._beside(pending, folder, name)

    def _beside(self, pending: Pending, folder: str, name: str) -> str:
        """Name an output by its input's own suffix, which no other input has."""
        output = "/".join(filter(None, (folder, with_suffix(name, pending.suffix()))))
        self._state.append([pending.done._replace(output=output)])
        os.replace(pending.temporary, os.path.join(self._plan.target, output))
        return output

    def _make(self, folder: str) -> None:
        self._touched.add(folder)
        if folder in self._folders:
            return
        self._folders.add(folder)
        path = os.path.join(self._plan.target, folder)
        if not os.path.isdir(path):
            os.makedirs(path, exist_ok=True)
            while folder:  # a new folder's own name is durable with the folder above it
                folder = folder.rpartition("/")[0]
                self._touched.add(folder)

    def _sync_folders(self) -> None:
        self._syncer.folders([Path(self._plan.target, folder) for folder in self._touched])
        self._touched.clear()


def _same(one: str, other: str) -> bool:
    return os.path.isfile(other) and not os.path.islink(other) and filecmp.cmp(one, other, shallow=False)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _stopped(error: OSError) -> ScanwardError:
    if error.errno in _FULL:
        return OutOfSpace(
            "The disk of the output is full. Free space, then run the same command: it continues."
        )
    if error.errno in _FORBIDDEN:
        return Misconfigured(f"The output folder cannot be written: {os.strerror(error.errno)}.")
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(
        f"Writing the output failed ({name}). Mend it, then run the same command: it continues."
    )
