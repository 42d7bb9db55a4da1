"""Executions on AWS: rows in DynamoDB, runs in Step Functions, dead letters in SQS.

Whatever dies between a row's beginning and its mark, the redelivered message finds the row unmarked and
starts the run under the same name, which Step Functions takes once only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scanward.adapters.aws.executions_ledger import Ledger
from scanward.adapters.aws.executions_rows import (
    DEAD_LETTERS,
    SHELVES,
    Ignored,
    Row,
    Shelf,
    execution_of,
    ignored_of,
    moment_of,
    reference_of,
)
from scanward.adapters.aws.executions_runs import Runs
from scanward.adapters.aws.executions_table import ExecutionsTable
from scanward.adapters.aws.naming import attempt_name, split_name
from scanward.adapters.aws.queue import LETTER, SqsQueue
from scanward.errors import BadInput, NotFound
from scanward.ports.executions import Execution, Status
from scanward.receive.s3_event import Reference

_BUSY = 25  # look-ups in Step Functions of one listing, which answers about 15 a second
_GRACE = timedelta(seconds=60)


class DynamoExecutions:
    """The executions of one stack."""

    def __init__(
        self, table: ExecutionsTable, runs: Runs, queue: SqsQueue | None = None, run_seconds: float = 300
    ) -> None:
        """Use what is there; a row RUNNING for longer than the machine's time-out is looked up."""
        self.ledger = Ledger(table)
        self.runs = runs
        self._table = table
        self._queue = queue
        self._patience = timedelta(seconds=run_seconds) + _GRACE

    def start(self, reference: Reference, name: str) -> bool:
        """Begin, start and mark an object's execution; return False if it was started before.

        A second call changes nothing, whatever has become of the first. Raises Unavailable.
        """
        if not self.ledger.begin(reference, name):
            return False
        self._launch(name, reference)
        return True

    def list(
        self, status: Status | None = None, limit: int = 100, after: str = "", *, dead_letter: bool = False
    ) -> list[Execution]:
        """Return executions, newest first, after the id given; dead letters of SQS come before the rest."""
        letters: Sequence[Execution] = ()
        in_letters = not after or after.startswith(LETTER)
        if dead_letter and in_letters and self._queue and status in {None, Status.FAILED}:
            letters = _behind(self._queue.dead_letters(), after)[:limit]
        before = "" if in_letters else str(self._table.get(split_name(after)[0])["arrived"])
        shelves = _shelves(status, dead_letter=dead_letter)
        rows = self._page(shelves, before, limit - len(letters)) if len(letters) < limit else ()
        return [*letters, *(execution_of(row) for row in rows)]

    def describe(self, execution_id: str) -> Execution:
        """Return one execution, by its id, the name of an attempt, its ARN or a dead letter's id.

        Raises NotFound.
        """
        if execution_id.startswith(LETTER):
            return self._letters().dead_letter(execution_id)
        return execution_of(self._true(self.ledger.row(execution_id)))

    def redrive(self, execution_id: str) -> Execution:
        """Start a FAILED or TIMED_OUT execution anew, or send a dead letter back to its queue.

        Of two that do it at once, one starts. Raises NotFound, BadInput, Unavailable.
        """
        if execution_id.startswith(LETTER):
            return self._letters().redrive(execution_id)
        row = self._true(self.ledger.row(execution_id))
        if row["status"] in {Status.FAILED, Status.TIMED_OUT}:
            if not self.ledger.begin_anew(row):
                raise _not_redrivable()
            row = self.ledger.row(str(row["id"]))
        elif row["status"] != Status.RUNNING or row.get("marked"):
            raise _not_redrivable()
        # An unmarked row is that of a start which died half-way: its run is started under the same name.
        self._launch(attempt_name(str(row["id"]), int(row["attempts"])), reference_of(row))
        return execution_of(self.ledger.row(str(row["id"])))

    def statistics(self) -> dict[str, float]:
        """Return the counters for metrics; sums of what has ended, counts of what is under way or wrong."""
        counts = {shelf: float(self._table.count(shelf)) for shelf in Shelf if shelf is not Shelf.SUCCEEDED}
        waiting, dead = self._queue.depths() if self._queue else (0, 0)
        found = {"objects_succeeded": 0.0, "bytes": 0.0} | self._table.totals()
        return found | {
            "objects_running": counts[Shelf.RUNNING],
            "objects_failed": counts[Shelf.FAILED] + counts[Shelf.DEAD],
            "objects_timed_out": counts[Shelf.TIMED_OUT],
            "objects_refused": counts[Shelf.IGNORED],
            "queue_depth": counts[Shelf.RUNNING] + waiting,
            "dead_letters": counts[Shelf.DEAD] + counts[Shelf.TIMED_OUT] + dead,
        }

    def ignored(self, limit: int = 100, after: str = "") -> Sequence[Ignored]:
        """Return objects that were not taken for their place or content, newest first, after the id given."""
        before = str(self._table.get(after)["arrived"]) if after else ""
        return [ignored_of(row) for row in self._table.page(Shelf.IGNORED, before, limit)]

    def _launch(self, name: str, reference: Reference) -> None:
        self.runs.start(name, reference)
        self.ledger.mark(name)

    def _page(self, shelves: Sequence[Shelf], before: str, limit: int) -> Sequence[Row]:
        """Return the newest rows of some shelves; what should have ended long ago is looked up first."""
        rows = self._newest(shelves, before, limit)
        stale = [row for row in rows if self._is_stale(row)][:_BUSY]
        changed = [row for row in stale if self._true(row) is not row]
        return self._newest(shelves, before, limit) if changed else rows

    def _newest(self, shelves: Sequence[Shelf], before: str, limit: int) -> Sequence[Row]:
        # A row may go from one shelf to the next between two queries: then the later sight of it counts.
        seen = {row["id"]: row for shelf in shelves for row in self._table.page(shelf, before, limit)}
        return sorted(seen.values(), key=lambda row: str(row["arrived"]), reverse=True)[:limit]

    def _is_stale(self, row: Row) -> bool:
        running = row["status"] == Status.RUNNING
        return running and datetime.now(UTC) - moment_of(str(row["attempted"])) > self._patience

    def _true(self, row: Row) -> Row:
        """Return the row as Step Functions has it, if it says RUNNING for too long; the same one if not."""
        if not self._is_stale(row):
            return row
        execution_id, attempt = str(row["id"]), int(row["attempts"])
        try:
            ended = self.runs.ended(attempt_name(execution_id, attempt))
        except NotFound:
            self.ledger.give_up(execution_id, attempt)
        else:
            if ended is None:
                return row
            self.ledger.finish(ended)
        return self.ledger.row(execution_id)

    def _letters(self) -> SqsQueue:
        if self._queue is None:
            raise NotFound("There is no such dead letter.")
        return self._queue


def _behind(letters: Sequence[Execution], after: str) -> Sequence[Execution]:
    ids = [letter.id for letter in letters]
    return letters[ids.index(after) + 1 :] if after in ids else letters


def _shelves(status: Status | None, *, dead_letter: bool) -> tuple[Shelf, ...]:
    wanted = SHELVES[status] if status else tuple(shelf for kind in SHELVES.values() for shelf in kind)
    return tuple(shelf for shelf in wanted if shelf in DEAD_LETTERS) if dead_letter else wanted


def _not_redrivable() -> BadInput:
    return BadInput("Only a FAILED or TIMED_OUT execution can be redriven.")
