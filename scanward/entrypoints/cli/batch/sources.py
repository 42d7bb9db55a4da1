"""What there is to do: a folder walked in order, an archive's members, or one file; files are not opened."""
# ruff: noqa: PTH116, PTH118 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scanward.entrypoints.cli.batch.plan import Entry, Note, Outcome, Plan
from scanward.receive.archive import members
from scanward.store.keys import STATE_FOLDER, with_suffix

_KINDS = {
    stat.S_IFIFO: "a FIFO is not a file",
    stat.S_IFSOCK: "a socket is not a file",
    stat.S_IFCHR: "a device is not a file",
    stat.S_IFBLK: "a device is not a file",
}


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`, from 1; a path's keyed hash tells whose it is, on whatever machine."""

    index: int = 1
    count: int = 1

    def holds(self, path_hash: int) -> bool:
        """Say whether an input is this shard's."""
        return path_hash % self.count == self.index - 1

    def __str__(self) -> str:
        """Return the form for file names."""
        return f"{self.index}of{self.count}"


def sources(plan: Plan) -> Iterator[Entry | Note]:
    """Yield every input in a fixed order, or a note of what is no file."""
    if plan.in_bucket:
        from scanward.entrypoints.cli.batch.bucket import bucket_entries  # noqa: PLC0415 - boto3 is slow to import

        yield from bucket_entries(plan)
    elif plan.archive:
        yield from _members(plan.source)
    elif plan.only:
        yield one_entry(plan.source, plan.only)
    else:
        yield from folder_entries(plan.source)


def _members(path: str) -> Iterator[Entry | Note]:
    version = os.stat(path).st_mtime_ns
    seen: set[str] = set()
    with Path(path).open("rb") as file:
        for index, member in enumerate(members(file)):
            relative = member.name
            while relative in seen:
                relative = with_suffix(relative, str(index))
            seen.add(relative)
            yield Entry(relative, member.size, version, index)


def one_entry(root: str, relative: str) -> Entry | Note:
    """Return one file as an entry, or a note of why it is none."""
    return _judged(relative, os.path.join(root, relative))


def folder_entries(root: str) -> Iterator[Entry | Note]:
    """Walk without recursion, in order; in memory are the names of one folder, and those folders to come."""
    pending: list[str] = [""]
    while pending:
        folder = pending.pop()
        folders: list[str] = []
        try:
            names = _listed(os.path.join(root, folder))
        except OSError as error:
            yield Note(folder, Outcome.REJECTED, f"the folder cannot be read: {error.strerror}")
            continue
        for name, is_folder in names:
            relative = os.path.join(folder, name)
            if is_folder:
                folders.append(relative)
            else:
                yield one_entry(root, relative)
        pending.extend(reversed(folders))


def _listed(folder: str) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    names.sort()
    return [(name, is_folder) for name, is_folder in names if not (is_folder and name == STATE_FOLDER)]


def _judged(relative: str, path: str) -> Entry | Note:
    try:
        status = os.lstat(path)
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                return Note(relative, Outcome.SKIPPED, "a link to a folder is not followed")
    except OSError as error:
        return Note(relative, Outcome.SKIPPED, f"it cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return Note(relative, Outcome.SKIPPED, _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file"))
    return Entry(relative, status.st_size, status.st_mtime_ns, link=is_link)
