"""What is to be done, in a form that travels to worker processes: paths, but no secret."""
# ruff: noqa: PTH113, PTH118 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from scanward.entrypoints.cli.batch.address import SCHEME
from scanward.settings import NamePolicy, Settings
from scanward.store.keys import STATE_FOLDER


class Outcome(StrEnum):
    """How one input ended."""

    DEIDENTIFIED = "deidentified"
    ALREADY_DONE = "already done"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class Entry(NamedTuple):
    """One input: path below the source, size, mtime in ns (a member's archive's), place in an archive."""

    relative: str
    size: int
    version: int
    member: int = -1
    link: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. The site's secret is read by each worker from its own key file and compared by fingerprint."""

    source: str
    target: str
    settings: Settings
    fingerprint: str
    names: NamePolicy
    run: str = ""
    only: str = ""
    output_name: str = ""
    dry: bool = False
    rows: bool = False
    force: bool = False

    @property
    def in_bucket(self) -> bool:
        """Say whether the source is in S3."""
        return self.source.startswith(SCHEME)

    @property
    def to_bucket(self) -> bool:
        """Say whether the outputs go to S3."""
        return self.target.startswith(SCHEME)

    @property
    def archive(self) -> bool:
        """Say whether the source is a zip archive rather than a folder."""
        return os.path.isfile(self.source)

    @property
    def state(self) -> str:
        """Return the folder of the run's own files, inside the output."""
        return os.path.join(self.target, STATE_FOLDER)


class Note(NamedTuple):
    """An input that was not delivered, and why. The path is for the terminal only."""

    relative: str
    outcome: Outcome
    reason: str


class Row(NamedTuple):
    """One line of the report (JSON, without an identifier) and the input's path, for `--json` only."""

    relative: str
    text: str


@dataclass(slots=True)
class Tally:
    """What was counted, in a batch or in all of them."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    sop_classes: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another's counts; its notes and rows are the caller's to show."""
        self.files += other.files
        self.bytes += other.bytes
        self.outcomes.update(other.outcomes)
        self.sop_classes.update(other.sop_classes)
        self.changed.update(other.changed)
        self.warnings.update(other.warnings)
