"""What the catalog says is kept, to be held against the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from scanward.ports.catalog import Received
from scanward.ports.object_store import Zone


@dataclass(frozen=True, slots=True)
class Row:
    """One object that the catalog knows. checksum: hex SHA-256 of its bytes."""

    key: str
    size: int
    checksum: str


class Inventory(Protocol):
    """All that the catalog knows of a zone, and its renewal from the objects themselves."""

    def rows(self, zone: Zone) -> Iterator[Row]:
        """Yield every row of a zone by key, superseded ones too."""
        ...

    def renew(self, zone: Zone, read: Sequence[Received]) -> int:
        """Write anew what rows tell of objects that were read again; return how many had a row."""
        ...

    def rebuild(self, zone: Zone) -> None:
        """Make a zone's studies and series anew from its rows."""
        ...
