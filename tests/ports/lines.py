"""One line an engine, as the executions' tests drive it: objects arrive, and their executions end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from scanward.adapters.aws.executions_rows import Ended
from scanward.adapters.aws.naming import execution_name
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.errors import Fault
from scanward.ports.executions import Executions, Outcome, Stage, Status
from scanward.receive.s3_event import Reference
from tests.lambda_start.stack import NAMING, Stack
from tests.ports.values import key, received

SIZE = 100


@dataclass(frozen=True)
class End:
    """How an execution shall end."""

    status: Status = Status.SUCCEEDED
    error: str = ""
    cause: str = ""
    faults: tuple[Fault, ...] = ()
    stages: tuple[Stage, ...] = ()


OUTAGE = End(Status.FAILED, "Service unavailable", "The disk did not answer.")
"""Not the object's fault: given up after its retries."""


class Line(Protocol):
    @property
    def executions(self) -> Executions: ...

    def arrive(self, count: int) -> list[str]:
        """Receive objects of SIZE bytes; return their executions' ids in order of arrival."""
        ...

    def end(self, execution_id: str, end: End) -> None:
        """End a RUNNING execution."""
        ...


@dataclass
class SqlLine:
    """Workers claim what waits; a transient failure is tried three times."""

    database: Database
    count: int = 0
    executions: SqlExecutions = field(init=False)

    def __post_init__(self) -> None:
        self.executions = SqlExecutions(self.database, max_attempts=3)

    def arrive(self, count: int) -> list[str]:
        self.count += count
        numbers = range(self.count - count, self.count)
        return [
            one.execution_id for one in SqlCatalog(self.database).receive([received(at) for at in numbers])
        ]

    def end(self, execution_id: str, end: End) -> None:
        tries = 3 if end is OUTAGE else 1
        for _ in range(tries):
            claims = self.executions.claim("w", 1000, 30)
            (mine,) = [claim for claim in claims if claim.execution_id == execution_id]
            self.executions.release([claim for claim in claims if claim is not mine])
            deid = (key("out"), "2.25.1") if end.status is Status.SUCCEEDED else ("", "")
            status = Status.RUNNING if end is OUTAGE else end.status
            told = (end.error, end.cause, end.faults, end.stages)
            assert self.executions.finish([Outcome(mine, status, *told, *deid, retry_after=0)]) == 1


@dataclass
class AwsLine:
    """The starter starts, Step Functions runs, and the recorder is told of the end."""

    stack: Stack
    count: int = 0

    def __post_init__(self) -> None:
        self.executions = self.stack.executions()

    def arrive(self, count: int) -> list[str]:
        self.count += count
        return [self._arrived(number) for number in range(self.count - count, self.count)]

    def _arrived(self, number: int) -> str:
        reference = Reference("raw", f"study/file-{number}.dcm", f"v{number}", "etag", SIZE, "01")
        name = execution_name(NAMING, reference)
        assert self.executions.start(reference, name)
        return name

    def end(self, execution_id: str, end: End) -> None:
        attempt = self.executions.describe(execution_id).attempts
        succeeded = end.status is Status.SUCCEEDED
        ended = Ended(
            execution_id,
            end.status,
            datetime.now(UTC),
            attempt,
            dead_letter=end is OUTAGE,
            error=end.error,
            cause=end.cause,
            faults=end.faults,
            stages=end.stages,
            deid_key=key("out") if succeeded else "",
            deid_study_uid="2.25.1" if succeeded else "",
            reference=Reference("raw", "key", size=SIZE),
        )
        assert self.executions.ledger.finish(ended)
