"""Reads a backup from its first byte to its last, and tells a sink what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from scanward.adapters.local.backup_format import BLOB_TABLES, RecordReader, Row, Tally
from scanward.adapters.local.backup_key import BackupKey
from scanward.adapters.local.backup_seal import SealedReader
from scanward.errors import BadInput
from scanward.ports.object_store import Zone

Faults = list[tuple[str, Zone, str]]
"""What a backup tells of objects: deleted, missing or damaged; zone; key."""


class Sink:
    """Takes what a backup holds; this one only looks at it."""

    def head(self, head: dict[str, Any]) -> None:
        """Take what the backup says of itself."""

    def table(self, schema: str, name: str, columns: list[str]) -> None:
        """Take a table's names; its rows come next."""

    def rows(self, rows: list[Row]) -> None:
        """Take rows of the table named last."""

    def rows_end(self) -> None:
        """Hear that all rows came."""

    def object(self, _zone: Zone, _key: str, pieces: Iterator[bytes]) -> None:
        """Take an object's bytes, all of them; the iterator fails behind the last if they are not sound."""
        for _ in pieces:
            pass


class BackupReader:
    """Reads one backup."""

    def __init__(self, file: BinaryIO, key: BackupKey, sink: Sink) -> None:
        """Open a file. Raises BadInput for what is no backup, or not one of this key."""
        self._in = RecordReader(SealedReader(file, key))
        self._sink = sink
        self._zone: Zone | None = None
        self._key_column = 0
        self._rows_over = False
        self.head: dict[str, Any] = {}
        self.faults: Faults = []
        self.tally = Tally()

    def read(self) -> None:
        """Read it all. Raises BadInput where it is not what was written, or not all of it."""
        try:
            self._read()
        except (KeyError, TypeError, AttributeError):
            raise BadInput("The backup holds a record that this release of Scanward cannot read.") from None

    def _read(self) -> None:
        kind, self.head = self._in.record()
        if kind != "head":
            raise BadInput("The backup does not begin as one.")
        self._sink.head(self.head)
        while True:
            kind, value = self._in.record()
            if kind == "end":
                self._end(value)
                return
            self._take(kind, value)

    def _take(self, kind: str, value: Any) -> None:  # noqa: ANN401 - JSON
        if kind == "table":
            self._take_table(value)
        elif kind == "rows":
            self._take_rows(value)
        else:
            self._end_rows()
            zone, key = Zone(value["zone"]), str(value["key"])
            if kind == "object":
                self._sink.object(zone, key, self._in.content(int(value["size"])))
                self.tally.came(zone, key, int(value["size"]))
            elif kind == "absent":
                self.tally.absent(zone, key)
                self.faults.append((str(value["why"]), zone, key))
            elif kind == "damaged":
                self.tally.counts["damaged"] += 1
                self.faults.append(("damaged", zone, key))
            else:
                raise KeyError(kind)

    def _take_table(self, value: dict[str, Any]) -> None:
        schema, name, columns = value["schema"], value["name"], value["columns"]
        self._zone = BLOB_TABLES.get((schema, name))
        self._key_column = columns.index("key") if self._zone else 0
        self._sink.table(schema, name, columns)

    def _take_rows(self, rows: list[Row]) -> None:
        self.tally.counts["rows"] += len(rows)
        if self._zone:
            for row in rows:
                self.tally.named(self._zone, str(row[self._key_column]))
        self._sink.rows(rows)

    def _end_rows(self) -> None:
        if not self._rows_over:
            self._rows_over = True
            self._sink.rows_end()

    def _end(self, told: dict[str, Any]) -> None:
        self._end_rows()
        self._in.finish()
        if told != self.tally.told or not self.tally.is_whole:
            raise BadInput("The backup does not hold all that its rows name.")


def open_backup(path: Path) -> BinaryIO:
    """Open a backup. Raises BadInput."""
    try:
        return path.open("rb")
    except OSError:
        raise BadInput("There is no backup of that name, or it cannot be read.") from None
