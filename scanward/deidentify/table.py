"""Table E.1-1 of PS3.15 as data: one row an attribute, its basic action and what each option makes of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

DATA = resources.files("scanward.deidentify") / "data"

_PREFIX = "ps315_e1_1_"
_NOT_OPTIONS = frozenset({"tag", "keyword", "basic"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `pattern` as printed (`0010XXXX` style).

    `basic` such as `X/Z/D`, `options` only where not blank.
    """

    pattern: str
    keyword: str
    basic: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of one edition.

    `rows` by tag; `repeating` by (first byte of the group, element or -1 for all).
    """

    edition: str
    rows: Mapping[int, Row]
    repeating: Mapping[tuple[int, int], Row]
    private: Row

    def find(self, tag: int) -> Row | None:
        """Return the row of a standard attribute: its own, or that of its repeating group (50xx, 60xx)."""
        row = self.rows.get(tag)
        if row is None and (block := tag >> 24) in {0x50, 0x60}:
            row = self.repeating.get((block, tag & 0xFFFF)) or self.repeating.get((block, -1))
        return row


@cache
def load() -> Table:
    """Load the newest edition that is checked in; a new edition is a new file."""
    name = max(entry.name for entry in DATA.iterdir() if entry.name.startswith(_PREFIX))
    lines = (DATA / name).read_text("utf-8").splitlines()
    edition = name.removeprefix(_PREFIX).removesuffix(".csv")
    return parse(edition, [_row(record) for record in csv.DictReader(lines)])


def parse(edition: str, rows: list[Row]) -> Table:
    """Sort rows into plain tags, repeating groups and the one row for all private attributes."""
    plain: dict[int, Row] = {}
    repeating: dict[tuple[int, int], Row] = {}
    private = Row("PRIVATE", "PrivateAttributes", "X", {})
    for row in rows:
        group, element = row.pattern[:4], row.pattern[4:]
        if row.pattern == "PRIVATE":
            private = row
        elif group.endswith("XX"):
            repeating[int(group[:2], 16), -1 if element == "XXXX" else int(element, 16)] = row
        else:
            plain[int(row.pattern, 16)] = row
    return Table(edition, plain, repeating, private)


def _row(record: dict[str, str]) -> Row:
    options = {name: cell for name, cell in record.items() if name not in _NOT_OPTIONS and cell}
    return Row(record["tag"], record["keyword"], record["basic"], options)
