"""One row of the executions table, and what it says as an Execution.

Table `<project>-<environment>-executions`, on demand, point-in-time recovery, customer-managed key:

    HASH  id      S   an execution's id; `totals-0` … `totals-f` are the running totals of the metrics
    GSI   by-shelf (projection ALL)
          HASH  shelf    S   RUNNING | SUCCEEDED | FAILED | DEAD | TIMED_OUT | IGNORED
          RANGE arrived  S   time of arrival and id; a row keeps it for ever, so that pages stay in order

Only these three are key attributes. A row holds the raw key: raw side, never logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from scanward.errors import Fault
from scanward.ports.executions import Execution, Stage, Status
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Value = str | int | bool
Row = dict[str, Value]
INDEX = "by-shelf"
_TURNS = 10_000


class Shelf(StrEnum):
    """Where a row stands in the index. DEAD is FAILED for no fault of the object's own."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DEAD = "DEAD"
    TIMED_OUT = "TIMED_OUT"
    IGNORED = "IGNORED"


SHELVES: Mapping[Status, tuple[Shelf, ...]] = {
    Status.RUNNING: (Shelf.RUNNING,),
    Status.SUCCEEDED: (Shelf.SUCCEEDED,),
    Status.FAILED: (Shelf.FAILED, Shelf.DEAD),
    Status.TIMED_OUT: (Shelf.TIMED_OUT,),
}
DEAD_LETTERS = (Shelf.DEAD, Shelf.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt ended, as Step Functions tells it."""

    execution_id: str
    status: Status
    stopped: datetime
    attempt: int = 1
    resumed: int = 0
    dead_letter: bool = False
    error: str = ""
    cause: str = ""
    faults: tuple[Fault, ...] = ()
    stages: tuple[Stage, ...] = field(default=())
    deid_key: str = ""
    deid_study_uid: str = ""
    started: datetime | None = None
    reference: Reference | None = None

    @property
    def shelf(self) -> Shelf:
        """Return where the row belongs now."""
        dead = self.status is Status.FAILED and self.dead_letter
        return Shelf.DEAD if dead else Shelf(self.status.value)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An object that the starter did not take; `reason` is a word of `starter_choice`."""

    id: str
    raw_key: str
    size: int
    arrived: datetime
    reason: str


def turn_of(attempt: int, resumed: int = 0) -> int:
    """Return a number that grows with every attempt, and with every resumption inside one.

    Step Functions' own redrive resumes an execution under its name; a later turn's end outweighs an earlier.
    """
    return attempt * _TURNS + resumed


def arrival_row(execution_id: str, reference: Reference, shelf: Shelf, now: datetime) -> Row:
    """Return the row of an object that just came."""
    return {
        "id": execution_id,
        "shelf": shelf.value,
        "arrived": arrival(now, execution_id),
        "started": moment_text(now),
        "attempted": moment_text(now),
        **reference_row(reference),
    }


def arrival(now: datetime, execution_id: str) -> str:
    """Return the place of a row in the order of arrival."""
    return f"{moment_text(now)}#{execution_id}"


def reference_row(reference: Reference) -> Row:
    """Return a reference's fields as attributes."""
    return {
        "bucket": reference.bucket,
        "raw_key": reference.key,
        "version_id": reference.version_id,
        "etag": reference.etag,
        "size": reference.size,
        "sequencer": reference.sequencer,
    }


def reference_of(row: Mapping[str, Value]) -> Reference:
    """Return the reference of a row."""
    return Reference(
        bucket=str(row.get("bucket", "")),
        key=str(row.get("raw_key", "")),
        version_id=str(row.get("version_id", "")),
        etag=str(row.get("etag", "")),
        size=int(row.get("size", -1)),
        sequencer=str(row.get("sequencer", "")),
    )


def ended_row(ended: Ended) -> Row:
    """Return what a row says once its execution has ended."""
    return {
        "shelf": ended.shelf.value,
        "status": ended.status.value,
        "dead_letter": ended.dead_letter,
        "stopped": moment_text(ended.stopped),
        "attempts": ended.attempt,
        "turn": turn_of(ended.attempt, ended.resumed),
        "error": ended.error,
        "cause": ended.cause,
        "faults": json.dumps([fault.as_json() for fault in ended.faults]),
        "stages": json.dumps([asdict(stage) for stage in ended.stages]),
        "deid_key": ended.deid_key,
        "deid_study_uid": ended.deid_study_uid,
    }


def execution_of(row: Mapping[str, Value]) -> Execution:
    """Return the execution that a row describes."""
    key, stopped = str(row.get("raw_key", "")), str(row.get("stopped", ""))
    return Execution(
        id=str(row["id"]),
        status=Status(str(row["status"])),
        raw_key=key,
        name=key.rpartition("/")[2],
        modality="",
        size=max(int(row.get("size", 0)), 0),
        started=moment_of(str(row["started"])),
        stopped=moment_of(stopped) if stopped else None,
        attempts=int(row.get("attempts", 1)),
        dead_letter=bool(row.get("dead_letter", False)),
        error=str(row.get("error", "")),
        cause=str(row.get("cause", "")),
        faults=tuple(Fault(**fault) for fault in json.loads(str(row.get("faults", "[]")))),
        stages=tuple(
            Stage(stage["name"], Status(stage["status"]), stage["seconds"])
            for stage in json.loads(str(row.get("stages", "[]")))
        ),
        deid_key=str(row.get("deid_key", "")),
        deid_study_uid=str(row.get("deid_study_uid", "")),
    )


def ignored_of(row: Mapping[str, Value]) -> Ignored:
    """Return the ignored object that a row describes."""
    return Ignored(
        id=str(row["id"]),
        raw_key=str(row["raw_key"]),
        size=max(int(row["size"]), 0),
        arrived=moment_of(str(row["started"])),
        reason=str(row["reason"]),
    )


def moment_text(moment: datetime) -> str:
    """Return a moment so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> datetime:
    """Return the moment of a text."""
    return datetime.fromisoformat(text)


def typed(value: Value) -> AttributeValueTypeDef:
    """Return a value in DynamoDB's form."""
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def plain(item: Mapping[str, AttributeValueTypeDef]) -> Row:
    """Return a row without DynamoDB's types; only texts, whole numbers and truth values are ours."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: AttributeValueTypeDef) -> Value:
    if "BOOL" in value:
        return value["BOOL"]
    return int(value["N"]) if "N" in value else str(value.get("S", ""))
