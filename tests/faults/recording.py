"""Reads strace's record of a run, and plays it into the model of a disk up to any call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.disk_model import Disk, Node

CALLS = (
    "openat,close,read,pread64,write,pwrite64,writev,pwritev,lseek,ftruncate,fallocate,copy_file_range,sendfile,"
    "fsync,fdatasync,sync_file_range,syncfs,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,"
    "rmdir,symlink,dup,dup2,dup3,fcntl"
)
_LINE = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)", re.DOTALL)
_BROKEN_OFF = re.compile(r" <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(?:\.\.\.)?')
_HARMLESS = {"read", "pread64", "sync_file_range", "fcntl"}


@dataclass(frozen=True)
class Call:
    """One system call that did not fail: texts are its quoted arguments, the rest stays as printed."""

    name: str
    texts: tuple[bytes, ...]
    rest: tuple[str, ...]
    result: int


def read_calls(record: Path) -> list[Call]:
    return list(_parse(record.read_text()))


def _parse(record: str) -> Iterator[Call]:
    for line in _whole(record):
        found = _LINE.match(line)
        if not found or int(found[3]) < 0:
            continue
        texts = tuple(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(found[2]))
        rest = tuple(part.strip() for part in _TEXT.sub("", found[2]).split(","))
        yield Call(found[1], texts, rest, int(found[3]))


def _whole(record: str) -> Iterator[str]:
    """Yield each thread's calls when they end; a call that another thread's broke up is joined."""
    begun: dict[str, str] = {}
    for line in record.splitlines():
        thread, _, call = line.partition(" ")
        call = call.lstrip()
        if _BROKEN_OFF.search(call):
            begun[thread] = _BROKEN_OFF.sub("", call)
        elif _RESUMED.match(call):
            yield begun.pop(thread) + _RESUMED.sub("", call)
        else:
            yield call


@dataclass
class _Open:
    node: Node | None
    folder: str
    offset: int = 0


@dataclass
class Player:
    """Plays calls into a disk; `acknowledged` are the lines that the run wrote to its standard output."""

    root: str
    disk: Disk = field(default_factory=Disk)
    acknowledged: list[str] = field(default_factory=list)
    _open: dict[int, _Open] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.disk.make_folder(self.root)
        self.disk.certain.add(self.root)

    def play(self, call: Call) -> None:
        if call.name in _HARMLESS:
            self._follow_reads(call)
            return
        known: dict[str, Callable[[Call], None]] = {
            "openat": self._openat,
            "close": self._close,
            "write": self._write,
            "pwrite64": self._pwrite,
            "lseek": self._lseek,
            "ftruncate": self._ftruncate,
            "copy_file_range": self._copy,
            "fsync": self._sync,
            "fdatasync": self._sync,
            "link": self._link,
            "rename": self._rename,
            "unlink": lambda call: self._set(call.texts[0], None),
            "mkdir": lambda call: self._mkdir(call.texts[0]),
        }
        if call.name in known:
            known[call.name](call)
        else:
            self._refuse(call)

    def _refuse(self, call: Call) -> None:
        paths = any(text.decode("utf-8", "replace").startswith(self.root) for text in call.texts)
        if paths or any(part.isdigit() and int(part) in self._open for part in call.rest[:1]):
            raise NotImplementedError(f"the model of the disk does not know {call.name}")

    def _openat(self, call: Call) -> None:
        path = call.texts[0].decode()
        self._open.pop(call.result, None)
        if not path.startswith(self.root):
            return
        if path in self.disk.folders:
            self._open[call.result] = _Open(None, path)
            return
        folder, name = self._place(call.texts[0])
        node = self.disk.folders[folder].now.get(name)
        flags = call.rest[2]
        if node is None:
            assert "O_CREAT" in flags, path
            node = Node()
            self.disk.folders[folder].change(name, node)
        elif "O_TRUNC" in flags:
            node.cut(0)
        self._open[call.result] = _Open(node, folder)

    def _close(self, call: Call) -> None:
        self._open.pop(int(call.rest[0]), None)

    def _write(self, call: Call) -> None:
        number = int(call.rest[0])
        if number == 1:
            self.acknowledged += call.texts[0].decode().split()
        if held := self._file(number):
            held.node.write(held.offset, call.texts[0][: call.result])  # type: ignore[union-attr]  # a file has one
            held.offset += call.result

    def _pwrite(self, call: Call) -> None:
        if held := self._file(int(call.rest[0])):
            held.node.write(int(call.rest[-1]), call.texts[0][: call.result])  # type: ignore[union-attr]  # as above

    def _lseek(self, call: Call) -> None:
        if held := self._file(int(call.rest[0])):
            held.offset = call.result

    def _ftruncate(self, call: Call) -> None:
        if held := self._file(int(call.rest[0])):
            held.node.cut(int(call.rest[1]))  # type: ignore[union-attr]  # as above

    def _copy(self, call: Call) -> None:
        source, target = self._file(int(call.rest[0])), self._file(int(call.rest[2]))
        assert source
        assert target
        offset = int(call.rest[1].strip("[]").split(" ")[0])
        chunk = bytes(source.node.now[offset : offset + call.result])  # type: ignore[union-attr]  # as above
        assert len(chunk) == call.result
        target.node.write(target.offset, chunk)  # type: ignore[union-attr]  # as above
        target.offset += call.result

    def _sync(self, call: Call) -> None:
        held = self._open.get(int(call.rest[0]))
        if held is None:
            return
        if held.node is None:
            self.disk.sync_folder(held.folder)
        else:
            held.node.sync()

    def _link(self, call: Call) -> None:
        if call.texts[0].decode().startswith(self.root):
            folder, name = self._place(call.texts[0])
            self._set(call.texts[1], self.disk.folders[folder].now[name])

    def _rename(self, call: Call) -> None:
        self._link(call)
        self._set(call.texts[0], None)

    def _mkdir(self, path: bytes) -> None:
        if path.decode().startswith(self.root):
            self.disk.make_folder(path.decode())

    def _set(self, path: bytes, node: Node | None) -> None:
        if path.decode().startswith(self.root):
            folder, name = self._place(path)
            self.disk.folders[folder].change(name, node)

    def _place(self, path: bytes) -> tuple[str, str]:
        whole = Path(path.decode())
        return str(whole.parent), whole.name

    def _file(self, number: int) -> _Open | None:
        held = self._open.get(number)
        return held if held and held.node is not None else None

    def _follow_reads(self, call: Call) -> None:
        if call.name == "read" and call.rest[0].isdigit() and (held := self._file(int(call.rest[0]))):
            held.offset += call.result
        elif call.name == "fcntl" and "F_DUPFD" in call.rest[1]:
            self._open.pop(call.result, None)
            if held := self._open.get(int(call.rest[0])):
                self._open[call.result] = held
