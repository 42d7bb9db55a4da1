"""What a power cut may leave of a recorded run: a file system that promises only what was synced.

A file's bytes are certain after its fsync; later writes are there, not there, or there in part (any subset,
and the file may be longer and hold zeros). A name is certain after the fsync of its folder; later names and
removals are there or not, each by itself. Real file systems promise more: what survives this survives them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

Change = tuple[str, "Node | None"]


@dataclass(eq=False)
class Node:
    """A file: what is certain, and the writes since (offset, bytes; a cut is offset and None)."""

    certain: bytes = b""
    now: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, offset: int, chunk: bytes) -> None:
        _apply(self.now, offset, chunk)
        self.pending.append((offset, chunk))

    def cut(self, size: int) -> None:
        _apply(self.now, size, None)
        self.pending.append((size, None))

    def sync(self) -> None:
        self.certain = bytes(self.now)
        self.pending.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        left = bytearray(self.certain)
        how = dice.choice(("none", "all", "some", "zeros"))
        for offset, chunk in self.pending:
            if how == "all" or (how == "some" and dice.random() < 0.5):
                _apply(left, offset, chunk)
            elif how == "zeros" and chunk:
                _apply(left, offset, bytes(len(chunk)))
        return bytes(left)


@dataclass(eq=False)
class Folder:
    """A folder's names: the certain ones, and the changes since."""

    certain: dict[str, Node] = field(default_factory=dict)
    now: dict[str, Node] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)

    def change(self, name: str, node: Node | None) -> None:
        if node is None:
            self.now.pop(name, None)
        else:
            self.now[name] = node
        self.pending.append((name, node))

    def sync(self) -> None:
        self.certain = dict(self.now)
        self.pending.clear()

    def after_cut(self, dice: random.Random) -> dict[str, Node]:
        left = dict(self.certain)
        share = dice.choice((0.0, 0.5, 1.0))
        for name, node in self.pending:
            if dice.random() >= share:
                continue
            if node is None:
                left.pop(name, None)
            else:
                left[name] = node
        return left


@dataclass
class Disk:
    """All folders under the recorded root, by path; making a folder is certain once its parent was synced."""

    folders: dict[str, Folder] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)

    def make_folder(self, path: str) -> None:
        self.folders.setdefault(path, Folder())

    def sync_folder(self, path: str) -> None:
        self.folders[path].sync()
        self.certain |= {one for one in self.folders if str(Path(one).parent) == path}
        self.certain.add(path)

    def after_cut(self, dice: random.Random, old: str, new: Path) -> None:
        """Write one state that a power cut may leave, with `new` in the place of the recorded root."""
        for path in sorted(self.folders):
            parent_is_there = path == old or (new / Path(path).relative_to(old)).parent.is_dir()
            if not parent_is_there or not (path == old or path in self.certain or dice.random() < 0.5):
                continue
            place = new / Path(path).relative_to(old)
            place.mkdir(mode=0o700, exist_ok=True)
            for name, node in self.folders[path].after_cut(dice).items():
                # The map of SQLite's write-ahead log lives in memory and is rebuilt at the first opening.
                if not name.endswith("-shm"):
                    (place / name).write_bytes(node.after_cut(dice))
                    (place / name).chmod(0o600)


def _apply(content: bytearray, offset: int, chunk: bytes | None) -> None:
    if chunk is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(chunk)] = chunk
