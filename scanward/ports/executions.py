"""One execution is one object's way through the line (design §2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scanward.errors import Fault


class Status(StrEnum):
    """An execution's state, in the words of Step Functions."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step's outcome and time."""

    name: str
    status: Status
    seconds: float


@dataclass(frozen=True, slots=True)
class Execution:
    """What `list` and `describe` tell. `name` is the sender's file name: raw side only, never logged."""

    id: str
    status: Status
    raw_key: str
    name: str
    modality: str
    size: int
    started: datetime
    stopped: datetime | None = None
    attempts: int = 0
    dead_letter: bool = False
    error: str = ""
    cause: str = ""
    faults: tuple[Fault, ...] = ()
    stages: tuple[Stage, ...] = ()
    deid_key: str = ""
    deid_study_uid: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased piece of work. `token` fences its finish; `attempt` was counted before the work starts."""

    execution_id: str
    raw_key: str
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one claim ended. A transient failure has `status` RUNNING and a `retry_after`."""

    claim: Claim
    status: Status
    error: str = ""
    cause: str = ""
    faults: tuple[Fault, ...] = ()
    stages: tuple[Stage, ...] = field(default=())
    deid_key: str = ""
    deid_study_uid: str = ""
    retry_after: float | None = None


class Executions(Protocol):
    """What has become of the objects. New rows come by `Catalog.receive`, or on AWS by the starter."""

    def list(
        self, status: Status | None = None, limit: int = 100, after: str = "", *, dead_letter: bool = False
    ) -> list[Execution]:
        """Return executions, newest first, after the id given."""
        ...

    def describe(self, execution_id: str) -> Execution:
        """Return one execution. Raises NotFound."""
        ...

    def redrive(self, execution_id: str) -> Execution:
        """Start a FAILED or TIMED_OUT execution anew. Raises NotFound, BadInput."""
        ...

    def statistics(self) -> dict[str, float]:
        """Return counters for metrics.

        `objects_<status>`, `objects_refused`, `queue_depth`, `dead_letters`, `bytes`,
        `stage_seconds_<stage>`, `stage_count_<stage>`.
        """
        ...
