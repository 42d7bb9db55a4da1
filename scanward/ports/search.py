"""What is asked of a catalog: one level, what must match, what is told (PS3.18 10.6, PS3.4 C.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from scanward.ports.object_store import Zone


class Level(StrEnum):
    """What a result stands for."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


class Matching(StrEnum):
    """How a value is compared (PS3.4 C.2.2.2)."""

    SINGLE = "single"
    LIST = "list"
    EACH = "each"
    WILDCARD = "wildcard"
    RANGE = "range"
    EMPTY = "empty"
    FUZZY = "fuzzy"


@dataclass(frozen=True, slots=True)
class Condition:
    """One attribute that must match. `path`: its tag behind those of the sequences that it stands in.

    values: one for SINGLE, WILDCARD and FUZZY; first and last for RANGE, "" where it is open; of LIST one
    must be there, of EACH all.
    """

    path: tuple[int, ...]
    vr: str
    matching: Matching
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """One search. `include`: tags to tell beside the level's own; `everything`: all that is known."""

    level: Level
    study_uid: str = ""
    series_uid: str = ""
    conditions: tuple[Condition, ...] = ()
    include: frozenset[int] = field(default_factory=frozenset)
    everything: bool = False
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """One result: UIDs ("" below its level) and its attributes as members of a DICOM JSON object, by tag.

    A member may hold BASE in place of the instance's address.
    """

    study_uid: str
    series_uid: str
    instance_uid: str
    members: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Results from `offset` on, in an order that stays; `total` counts all that match."""

    matches: tuple[Match, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept instance as it is retrieved.

    model: DICOM JSON members joined to one object, BASE in place of its address; frames: a packed frame
    table, b"" without one.
    """

    key: str
    size: int
    study_uid: str
    series_uid: str
    instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    model: bytes
    frames: bytes


class Search(Protocol):
    """The catalog's index of one site."""

    def find(self, zone: Zone, query: Query) -> Page:
        """Return what matches. Raises BadInput for what this zone cannot be asked."""
        ...

    def entries(
        self, zone: Zone, study_uid: str, series_uid: str = "", instance_uid: str = ""
    ) -> Sequence[Entry]:
        """Return current instances by series and instance number; none if nothing is there."""
        ...
