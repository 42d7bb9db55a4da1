"""What happened to the objects of a zone, in the order in which it was recorded; UIDs and times only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scanward.ports.object_store import Zone


class Action(StrEnum):
    """What happened to an instance. `superseded` tells of the older version; the newer one's row follows."""

    STORED = "stored"
    DEIDENTIFIED = "de-identified"
    SUPERSEDED = "superseded"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a zone's feed; its UIDs are that zone's, "" where an object has none that can be read."""

    sequence: int
    at: datetime
    action: Action
    study_uid: str
    series_uid: str
    instance_uid: str


@dataclass(frozen=True, slots=True)
class Window:
    """Which times are asked for: from `begin` on, before `end`."""

    begin: datetime | None = None
    end: datetime | None = None


EVER = Window()


class Changes(Protocol):
    """The feeds of the raw and the deid zone, each with sequence numbers of its own that only grow.

    Rows appear in the order of their numbers: who has read up to one has missed none before it.
    """

    def since(self, zone: Zone, sequence: int, limit: int = 100, window: Window = EVER) -> list[Change]:
        """Return up to `limit` changes after a sequence number, oldest first."""
        ...

    def last(self, zone: Zone) -> int:
        """Return the newest sequence number of a zone, 0 before the first."""
        ...
