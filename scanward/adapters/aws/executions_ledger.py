"""What may become of a row, each step under its condition: begun, marked, ended, begun anew, told."""

from __future__ import annotations

from datetime import UTC, datetime

from scanward.adapters.aws.executions_rows import (
    Ended,
    Row,
    Shelf,
    arrival,
    arrival_row,
    ended_row,
    moment_text,
    reference_row,
    turn_of,
)
from scanward.adapters.aws.executions_table import Change, ExecutionsTable
from scanward.adapters.aws.naming import split_name
from scanward.errors import NotFound
from scanward.ports.executions import Status
from scanward.receive.s3_event import Reference

NOT_STARTED = "Not started"
_FRESH: Row = {"status": Status.RUNNING.value, "shelf": Shelf.RUNNING.value, "dead_letter": False}
_OF_AN_END = (
    "stopped", "error", "cause", "faults", "stages", "deid_key", "deid_study_uid", "provisional", "told",
)  # fmt: skip


class Ledger:
    """The rows of executions. A row is begun before its run is started, and marked after it."""

    def __init__(self, table: ExecutionsTable) -> None:
        """Write to a table."""
        self._table = table

    def row(self, name: str) -> Row:
        """Return a row by id, name of an attempt, or ARN. Raises NotFound, BadInput."""
        row = self._table.get(split_name(name)[0])
        if "status" not in row:
            raise NotFound("There is no such execution; the object was ignored.")
        return row

    def begin(self, reference: Reference, name: str) -> bool:
        """Write the row of a new object; return whether its run has still to be started."""
        execution_id, attempt = split_name(name)
        row = arrival_row(execution_id, reference, Shelf.RUNNING, datetime.now(UTC))
        row |= _FRESH | {"attempts": attempt, "turn": turn_of(attempt)}
        ignored = {"ignored": Shelf.IGNORED.value}
        if self._table.put(row, "attribute_not_exists(#id) OR #shelf = :ignored", ignored):
            return True
        return not self._table.get(execution_id).get("marked")

    def mark(self, name: str) -> None:
        """Say that an attempt's run was started."""
        execution_id, attempt = split_name(name)
        # A row that was given up as never started runs now after all, unless its end is known already.
        revived = Change(
            _FRESH | {"marked": True, "attempted": moment_text(datetime.now(UTC))},
            "#attempts = :attempt AND #provisional = :true",
            {"attempt": attempt, "true": True},
            removed=_OF_AN_END,
        )
        if not self._table.change(execution_id, revived):
            marked = Change({"marked": True}, "#attempts = :attempt", {"attempt": attempt})
            self._table.change(execution_id, marked)

    def ignore(self, reference: Reference, name: str, reason: str) -> None:
        """Record an object that is not taken; an execution that there is stays."""
        row = arrival_row(split_name(name)[0], reference, Shelf.IGNORED, datetime.now(UTC))
        self._table.put(row | {"reason": reason}, "attribute_not_exists(#id)")

    def finish(self, ended: Ended) -> bool:
        """Record an attempt's end; return False if it was recorded before, or if a later attempt began.

        A row that nobody began is made: somebody started that execution by hand.
        """
        came = ended.started or ended.stopped
        first: Row = {"started": moment_text(came), "arrived": arrival(came, ended.execution_id)}
        if ended.reference:
            first |= reference_row(ended.reference)
        change = Change(
            ended_row(ended) | {"marked": True},
            "attribute_not_exists(#id) OR #shelf = :ignored OR #turn < :turn"
            " OR (#turn = :turn AND (#status = :running OR #provisional = :true))",
            {
                "turn": turn_of(ended.attempt, ended.resumed),
                "running": Status.RUNNING.value,
                "ignored": Shelf.IGNORED.value,
                "true": True,
            },
            removed=("provisional", "told", "reason"),
            first=first,
        )
        return self._table.change_and_count(ended.execution_id, change, _amounts(ended))

    def give_up(self, execution_id: str, attempt: int) -> None:
        """Say that a run was never started; a late start, or its end, still changes that."""
        ended = Ended(
            execution_id,
            Status.FAILED,
            datetime.now(UTC),
            attempt,
            dead_letter=True,
            error=NOT_STARTED,
            cause="Its start was lost; redrive it.",
        )
        change = Change(
            ended_row(ended) | {"provisional": True},
            "#attempts = :attempt AND #status = :running",
            {"attempt": attempt, "running": Status.RUNNING.value},
        )
        self._table.change(execution_id, change)

    def begin_anew(self, row: Row) -> bool:
        """Turn a row that ended badly into one that is to be started; return False if another just did."""
        attempt = int(row["attempts"])
        change = Change(
            _FRESH
            | {
                "attempts": attempt + 1,
                "turn": turn_of(attempt + 1),
                "attempted": moment_text(datetime.now(UTC)),
            },
            "#attempts = :attempt AND #status IN (:failed, :timed_out)",
            {"attempt": attempt, "failed": Status.FAILED.value, "timed_out": Status.TIMED_OUT.value},
            removed=(*_OF_AN_END, "marked"),
        )
        return self._table.change(str(row["id"]), change)

    def is_untold(self, execution_id: str, attempt: int) -> bool:
        """Return whether this attempt's failure has still to be told."""
        row = self.row(execution_id)
        failed = row["status"] in {Status.FAILED, Status.TIMED_OUT}
        return failed and row["attempts"] == attempt and not row.get("told")

    def told(self, execution_id: str, attempt: int) -> None:
        """Mark a failure as told."""
        self._table.change(execution_id, Change({"told": True}, "#attempts = :attempt", {"attempt": attempt}))


def _amounts(ended: Ended) -> dict[str, float]:
    """Return what an end adds to the totals; a success counts once, for it is never redriven."""
    size = max(ended.reference.size, 0) if ended.reference else 0
    amounts = {"objects_succeeded": 1.0, "bytes": float(size)} if ended.status is Status.SUCCEEDED else {}
    for stage in ended.stages:
        seconds, count = f"stage_seconds_{stage.name}", f"stage_count_{stage.name}"
        amounts[seconds] = amounts.get(seconds, 0.0) + stage.seconds
        amounts[count] = amounts.get(count, 0.0) + 1
    return amounts
