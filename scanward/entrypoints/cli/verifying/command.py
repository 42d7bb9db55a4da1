"""`scanward verify` on a terminal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scanward.dicom.structure import OpenedObject, open_object
from scanward.dicom.text import decode, encodings_of
from scanward.entrypoints.cli.console import harmless, out, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.entrypoints.cli.verifying.comparing import Comparison, Difference, Loaded, compared, loaded
from scanward.entrypoints.cli.verifying.residue import is_marked, left_over
from scanward.entrypoints.cli.words import keyword
from scanward.errors import InvalidDicom

_CHARACTER_SET = 0x00080005
_SHOWN = 60
_COPIED = 256 << 20


@dataclass(frozen=True, slots=True)
class _Verdict:
    comparison: Comparison
    left: tuple[str, ...]
    marked: bool

    @property
    def clean(self) -> bool:
        return self.marked and not self.left


def verify_command(original: Path, processed: Path, *, values: bool, json: bool) -> int:
    """Compare; return 0 if the processed object looks de-identified. Raises InvalidDicom."""
    with open_object(original) as first, open_object(processed) as second:
        before, after = loaded(_view(first)), loaded(_view(second))
        verdict = _Verdict(compared(before, after), left_over(before, after), is_marked(after))
        if json:
            print_json(_as_json(verdict))
        else:
            _show(verdict, out(), (before, after) if values else None)
    return 0 if verdict.clean else PARTLY


def _view(opened: OpenedObject) -> memoryview:
    """Return a copy if it is not too large: of a map, bytes that another program cuts off end this one."""
    if opened.size > _COPIED:
        return opened.view
    content = os.pread(opened.fileno(), opened.size, 0)
    if len(content) < opened.size:
        raise InvalidDicom("Another program cut the file short while it was read.")
    return memoryview(content)


def _as_json(verdict: _Verdict) -> dict[str, object]:
    comparison = verdict.comparison
    return {
        "deidentified": verdict.clean,
        "marked": verdict.marked,
        "identifiers_left": [{"tag": tag, "keyword": keyword(tag)} for tag in verdict.left],
        "pixels": comparison.pixels,
        "unchanged": comparison.unchanged,
        "differences": [
            {"path": one.path, "keyword": _keyword(one), "what": one.what} for one in comparison.differences
        ],
    }


def _show(verdict: _Verdict, console: Console, objects: tuple[Loaded, Loaded] | None) -> None:
    console.print(_table(verdict.comparison, objects))
    comparison = verdict.comparison
    counts = ", ".join(f"{comparison.count(what)} {what}" for what in ("changed", "removed", "added"))
    console.print(f"{counts}, {comparison.unchanged} unchanged. Pixels: {comparison.pixels}.", style="bold")
    if verdict.left:
        names = ", ".join(f"{keyword(tag)} {tag}" for tag in verdict.left)
        console.print(f"Still found in the processed bytes: {names}.", style="bold red")
    if not verdict.marked:
        console.print("The object does not say PatientIdentityRemoved YES (0012,0062).", style="bold red")
    if verdict.clean:
        console.print(
            "No identifier of the original was found; the object says that it was de-identified.",
            style="green",
        )


def _table(comparison: Comparison, objects: tuple[Loaded, Loaded] | None) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Path", "Attribute", "What", *(("Before", "After") if objects else ())):
        table.add_column(column, overflow="fold")
    styles = {"changed": "yellow", "removed": "red", "added": "green"}
    for one in comparison.differences:
        row = [one.path, _keyword(one), f"[{styles[one.what]}]{one.what}[/]"]
        if objects:
            table.add_row(
                *row, harmless(_value(one.before, objects[0])), harmless(_value(one.after, objects[1]))
            )
        else:
            table.add_row(*row)
    return table


def _value(raw: bytes, whole: Loaded) -> str:
    text = decode(raw[: _SHOWN * 4], encodings_of(whole.top.get(_CHARACTER_SET, b"")))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _keyword(one: Difference) -> str:
    return keyword(f"({one.tag >> 16:04X},{one.tag & 0xFFFF:04X})")
