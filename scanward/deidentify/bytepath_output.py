"""The output of the byte path: runs of the source that stay, and new bytes between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from scanward.deidentify.bytepath_change import LARGEST_REMEMBERED, Change, Changer, Memory
from scanward.deidentify.bytepath_header import Headers, Kind, Role
from scanward.deidentify.bytepath_source import Window
from scanward.deidentify.longvalues import LONGEST_TEXT
from scanward.dicom.pieces import Piece, Span

Chunk = bytes | Span

_SPAN = 64 << 10


class Output:
    """Puts objects of one kind together."""

    def __init__(self, changer: Changer, headers: Headers) -> None:
        """Take what changes elements, and the headers of the top level."""
        self._headers = headers
        self._changer = changer

    def chunks(  # noqa: C901 - the hot loop: a call a branch would cost more than the branch
        self,
        memory: Memory,
        window: Window,
        todo: Sequence[tuple[int, int, Role]],
        span: tuple[int, int],
        changes: list[tuple[str, str]],
    ) -> list[Chunk]:
        """Return a span of a data set in chunks, in order; `changes` grows by what was done."""
        get: Callable[[Window], Change | None] = memory.memo.get
        remembered = self._changer.remembered
        if not isinstance(window, bytes):
            get = partial(_short, memory.memo)
        fixed, constant, private = Kind.FIXED, Kind.CONSTANT, Kind.PRIVATE
        runs = cast("_Ranges", window) if isinstance(window, bytes) else _Ranges(window)
        out: list[Chunk] = []
        creators: dict[int, str] = {}
        run, stop = span
        for start, end, role in todo:
            if role.kind is fixed:
                new = role.new
                if role.change is not None:
                    changes.append(role.change)
            elif role.kind is constant:
                new = role.new
                is_long = end - start > LONGEST_TEXT + 8
                if role.change and (
                    is_long or bytes(window[start + 8 : end]).rstrip(b" \0") != role.constant
                ):
                    changes.append(role.change)
            elif role.kind is private:
                new, noted = self._changer.private(memory, role, window[start:end], creators)
                changes += noted
            else:
                raw = window[start:end]
                new, noted = get(raw) or remembered(memory, role, raw)
                if noted:
                    changes += noted
            if new is not None:
                if run < start:
                    out.append(runs[run:start])
                if new:
                    out.append(new)
                run = end
        out.append(runs[run:stop])
        return out

    def element(self, memory: Memory, role: Role, raw: bytes, changes: list[tuple[str, str]]) -> bytes:
        """Return what becomes of a single element, as `chunks` does."""
        if role.kind is Kind.FIXED or role.kind is Kind.CONSTANT:
            is_other = role.kind is Kind.FIXED or raw[8:].rstrip(b" \0") != role.constant
            if is_other and role.change is not None:
                changes.append(role.change)
            return role.new or b""
        new, noted = memory.memo.get(raw) or self._changer.remembered(memory, role, raw)
        changes += noted
        return raw if new is None else new

    def instance(self, memory: Memory, raw: bytes) -> tuple[str, str]:
        """Return the instance UID before and after, from its element."""
        old = raw[8:].decode("ascii").rstrip(" \0")
        role = (self._headers.entries.get(raw[:8]) or self._headers.learn(raw[:8]))[2]
        if role is None:
            return old, old
        if role.kind is Kind.FIXED:
            return old, ""
        new = self._changer.remembered(memory, role, raw)[0]
        return old, old if new is None else new[8:].decode("ascii").rstrip(" \0")


def _short(memo: dict[Window, Change], raw: Window) -> Change | None:
    """Look up what is not too long to have been remembered; to hash more would read it all."""
    return memo.get(raw) if len(raw) <= LARGEST_REMEMBERED else None


class _Ranges:
    """A mapped source's kept runs: long ones stay ranges of it."""

    def __init__(self, window: memoryview) -> None:
        """Take the whole source."""
        self._window = window

    def __getitem__(self, where: slice) -> Chunk:
        """Return a run."""
        length = where.stop - where.start
        return Span(where.start, length) if length > _SPAN else bytes(self._window[where])


def joined(prologue: bytes, chunks: list[Chunk], window: Window) -> list[Piece]:
    """Return chunks as few pieces."""
    if isinstance(window, bytes):
        return [prologue + b"".join(cast("list[bytes]", chunks))]
    pieces: list[Piece] = []
    waiting = [prologue]
    for chunk in chunks:
        if isinstance(chunk, Span) or len(chunk) > _SPAN:
            pieces += b"".join(waiting), chunk
            waiting = []
        else:
            waiting.append(chunk)
    pieces.append(b"".join(waiting))
    return pieces
