"""Makes a backup: first the rows as they are at one moment, then each object that they name.

An object never changes, so that nothing needs to stand still meanwhile. One that is deleted before its turn
comes is told to be absent, and a restore deletes it with all that was made of it.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Table

from scanward.adapters.local.backup_catalog import CatalogRows
from scanward.adapters.local.backup_format import BLOB_TABLES, PIECE, RecordWriter, Row, Tally
from scanward.adapters.local.backup_key import BackupKey
from scanward.adapters.local.backup_seal import SealedWriter
from scanward.adapters.local.disk import disk_errors, require_space
from scanward.errors import NotFound, Unavailable
from scanward.ports import Ports
from scanward.ports.inventory import Row as Place
from scanward.ports.object_store import Opened, Zone

Found = Callable[[str, Zone, str], None]
"""Told what is wrong with an object: deleted, missing or damaged; its zone; its key."""

_ZONES: Final = tuple(Zone)
_PLACE: Final = struct.Struct(">B32s32sQ")


class Progress:
    """What the writer tells while it works; this one keeps it to itself."""

    def total(self, size: int) -> None:
        """Take the bytes of all objects, known once the rows are written."""

    def moved(self, size: int) -> None:
        """Take the bytes of another object that was dealt with."""


class BackupWriter:
    """Writes one backup to an open file."""

    def __init__(self, ports: Ports, catalog: CatalogRows, progress: Progress, found: Found) -> None:
        """Back up a site that may be running."""
        self._ports = ports
        self._catalog = catalog
        self._progress = progress
        self._found = found
        self.tally = Tally()

    def write(self, file: BinaryIO, folder: Path, key: BackupKey, about: dict[str, object]) -> None:
        """Write it all. `folder`: where the file is. Raises OutOfSpace or Unavailable."""
        sealed = SealedWriter(file, key)
        out = RecordWriter(sealed)
        about = {**about, "fingerprint": self._ports.secrets.fingerprint()}
        out.record("head", {**about, "revisions": self._catalog.revisions()})
        with disk_errors("the backup was written"):
            places = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by the next line
        with places:
            size = self._write_rows(out, places)
            require_space(folder, size, 0)
            self._progress.total(size)
            places.seek(0)
            for zone, place in _places(places):
                self._write_object(out, zone, place)
                self._progress.moved(place.size)
        out.record("end", self.tally.told)
        sealed.close()

    def _write_rows(self, out: RecordWriter, places: BinaryIO) -> int:
        """Write all tables, note which objects they name, and return the bytes of these."""
        total = 0
        with self._catalog.snapshot() as tables:
            for table, batches in tables:
                name = (str(table.schema), table.name)
                out.record("table", {"schema": name[0], "name": name[1], "columns": table.c.keys()})
                for rows in batches:
                    out.record("rows", rows)
                    self.tally.counts["rows"] += len(rows)
                    if zone := BLOB_TABLES.get(name):
                        total += self._note(zone, table, rows, places)
        return total

    def _note(self, zone: Zone, table: Table, rows: Sequence[Row], places: BinaryIO) -> int:
        """Note the objects that rows name, in an unnamed file: memory stays flat whatever their number."""
        columns = table.c.keys()
        at_key, at_size = columns.index("key"), columns.index("size")
        at_checksum = columns.index("checksum") if "checksum" in columns else at_key
        total = 0
        for row in rows:
            key, checksum, size = str(row[at_key]), str(row[at_checksum]), int(row[at_size] or 0)
            self.tally.named(zone, key)
            packed = _PLACE.pack(_ZONES.index(zone), bytes.fromhex(key), bytes.fromhex(checksum), size)
            with disk_errors("the backup was written"):
                places.write(packed)
            total += size
        return total

    def _write_object(self, out: RecordWriter, zone: Zone, place: Place) -> None:
        name = {"zone": zone.value, "key": place.key}
        with ExitStack() as held:
            try:
                opened = held.enter_context(self._ports.objects.open(zone, place.key))
                size = len(opened.view)
            except NotFound:
                self._absent(out, zone, place.key)
                return
            out.record("object", {**name, "size": size})
            checksum = out.content(_pieces(opened, size))
        self.tally.came(zone, place.key, size)
        if checksum != place.checksum:
            out.record("damaged", name)
            self.tally.counts["damaged"] += 1
            self._found("damaged", zone, place.key)

    def _absent(self, out: RecordWriter, zone: Zone, key: str) -> None:
        why = "missing" if self._catalog.knows(zone, key) else "deleted"
        out.record("absent", {"zone": zone.value, "key": key, "why": why})
        self.tally.absent(zone, key)
        self._found(why, zone, key)


def _places(file: BinaryIO) -> Iterator[tuple[Zone, Place]]:
    while packed := file.read(_PLACE.size):
        number, key, checksum, size = _PLACE.unpack(packed)
        yield _ZONES[number], Place(key.hex(), size, checksum.hex())


def _pieces(opened: Opened, size: int) -> Iterator[bytes]:
    """Yield an object by reads of its own: pages of a map would stay in memory until it is closed."""
    with disk_errors("an object was read"):
        for start in range(0, size, PIECE):
            wanted = min(PIECE, size - start)
            piece = os.pread(opened.fileno(), wanted, start)
            if len(piece) < wanted:
                raise Unavailable("An object became shorter while it was read; the disk may be failing.")
            yield piece
