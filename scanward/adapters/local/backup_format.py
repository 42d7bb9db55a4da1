"""What stands in a backup: records of JSON, and the bytes of each object behind its record.

    head      made, release, the fingerprint of the site's secret, the revision of each schema
    table     schema, name and columns, then its
    rows      values in the order of the columns
    object    zone, key and size, then the bytes and their SHA-256
    absent    zone and key of an object that a row names, and why: deleted (meanwhile) or missing
    damaged   zone and key of the object before, whose bytes are not those that the catalog knows
    end       counts, and a hash over all names in order, once as rows tell them and once as objects came

The order is head, tables, objects, end. A record is its length (4 bytes, big-endian) and a JSON list
of its kind and its value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scanward.adapters.local.backup_seal import SealedReader, SealedWriter
from scanward.errors import BadInput
from scanward.ports.object_store import Zone

BLOB_TABLES: Final[Mapping[tuple[str, str], Zone]] = {
    ("raw", "instances"): Zone.RAW,
    ("raw", "quarantine"): Zone.QUARANTINE,
    ("deid", "instances"): Zone.DEID,
}
"""The tables whose rows name an object each, in column `key`."""

PIECE: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")
_LONGEST: Final = 1 << 28

Value = str | int | float | bool | bytes | None
Row = Sequence[Value]


class RecordWriter:
    """Writes records and objects."""

    def __init__(self, sealed: SealedWriter) -> None:
        """Write to a sealed stream."""
        self._sealed = sealed

    def record(self, kind: str, value: object) -> None:
        """Append a record."""
        text = json.dumps([kind, value], default=_as_json, separators=(",", ":")).encode()
        self._sealed.write(_LENGTH.pack(len(text)) + text)

    def content(self, pieces: Iterator[bytes]) -> str:
        """Append an object's bytes and their hash; return the hash in hex."""
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            self._sealed.write(piece)
        self._sealed.write(digest.digest())
        return digest.hexdigest()


class RecordReader:
    """Reads records and objects."""

    def __init__(self, sealed: SealedReader) -> None:
        """Read from a sealed stream."""
        self._sealed = sealed

    def record(self) -> tuple[str, Any]:
        """Return the next record. Raises BadInput."""
        length = _LENGTH.unpack(self._sealed.read(_LENGTH.size))[0]
        if length > _LONGEST:
            raise BadInput("The backup holds a record that no release of Scanward writes.")
        try:
            kind, value = json.loads(self._sealed.read(length), object_hook=_from_json)
        except ValueError:
            raise BadInput("The backup holds a record that no release of Scanward writes.") from None
        return str(kind), value

    def content(self, size: int) -> Iterator[bytes]:
        """Yield an object's bytes. Raises BadInput behind them if they are not those that were hashed."""
        digest = hashlib.sha256()
        for start in range(0, size, PIECE):
            piece = self._sealed.read(min(PIECE, size - start))
            digest.update(piece)
            yield piece
        if self._sealed.read(digest.digest_size) != digest.digest():
            raise BadInput("An object in the backup is not as it was read when the backup was made.")

    def finish(self) -> None:
        """Raise BadInput unless all was read."""
        self._sealed.finish()


class Tally:
    """Counts, and a running hash over the names of objects: equal on both sides only if all came in order."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.counts: Counter[str] = Counter({"rows": 0, "objects": 0, "bytes": 0, "absent": 0, "damaged": 0})
        self._named = hashlib.sha256()
        self._came = hashlib.sha256()

    def named(self, zone: Zone, key: str) -> None:
        """Note that a row names an object."""
        self._named.update(f"{zone}/{key}\n".encode())

    def came(self, zone: Zone, key: str, size: int) -> None:
        """Note that an object came."""
        self._came.update(f"{zone}/{key}\n".encode())
        self.counts["objects"] += 1
        self.counts["bytes"] += size

    def absent(self, zone: Zone, key: str) -> None:
        """Note that an object is told to be absent."""
        self._came.update(f"{zone}/{key}\n".encode())
        self.counts["absent"] += 1

    @property
    def told(self) -> dict[str, object]:
        """Return what the last record says."""
        return {"counts": dict(self.counts), "named": self._named.hexdigest(), "came": self._came.hexdigest()}

    @property
    def is_whole(self) -> bool:
        """Return whether every object that a row names came, or is told to be absent."""
        return self._named.digest() == self._came.digest()


def _as_json(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(value).decode()}
    raise TypeError


def _from_json(value: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return base64.b64decode(value["b"], validate=True) if value.keys() == {"b"} else value
