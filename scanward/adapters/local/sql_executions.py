"""Executions in SQL: the line's work and its history, rows of the catalog's own database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from scanward.adapters.local import sql_claims as claims_sql
from scanward.adapters.local.sql_counters import add_to_counters, read_statistics
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_rows import faults_json, faults_of, stages_json, stages_of, text_of
from scanward.adapters.local.sql_tables import executions
from scanward.errors import BadInput, NotFound
from scanward.ports.executions import Claim, Execution, Outcome, Status

_Values = dict[str, str | float | bool | None]


class SqlExecutions:
    """Executions on SQLite or PostgreSQL."""

    def __init__(self, database: Database, max_attempts: int = 3) -> None:
        """Use a database whose tables are there; `max_attempts` come before the dead-letter list."""
        self._database = database
        self._max_attempts = max_attempts

    def claim(self, worker: str, count: int, lease_seconds: float) -> list[Claim]:
        """Lease up to `count` RUNNING executions that nobody holds; their attempts are counted now."""
        now = time.time()
        # Idle workers ask often: they read only, so that they never wait for, nor delay, a writer.
        with self._database.reading() as connection:
            waiting = connection.execute(
                select(executions.c.id).where(claims_sql.is_due(now)).limit(1)
            ).first()
        if waiting is None:
            return []
        with self._database.writing() as connection:
            claims_sql.lapse(connection, now, self._max_attempts)
            return claims_sql.lease(connection, worker, count, now, now + lease_seconds)

    def renew(self, claims: Sequence[Claim], lease_seconds: float) -> None:
        """Prolong leases that are still held; at zero seconds they lapse, and each is then claimed alone."""
        self._update_held(claims, due=time.time() + lease_seconds)

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back work that was not begun; its attempt is uncounted."""
        if not claims:
            return
        given_back = (
            update(executions)
            .where(claims_sql.of_claim())
            .values(token="", due=time.time(), attempts=executions.c.attempts - 1)
        )
        with self._database.writing() as connection:
            connection.execute(given_back, claims_sql.held(claims))

    def finish(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes in one transaction; those whose lease was lost are dropped; return the count."""
        if not outcomes:
            return 0
        now = time.time()
        with self._database.writing() as connection:
            held = claims_sql.still_held(connection, [outcome.claim for outcome in outcomes])
            kept = [outcome for outcome in outcomes if outcome.claim.execution_id in held]
            if kept:
                rows = [self._ending(outcome, now) for outcome in kept]
                connection.execute(update(executions).where(executions.c.id == bindparam("ended")), rows)
            _count_stages(connection, kept)
        return len(kept)

    def list(
        self, status: Status | None = None, limit: int = 100, after: str = "", *, dead_letter: bool = False
    ) -> list[Execution]:
        """Return executions, newest first, after the id given."""
        wanted = select(executions).order_by(executions.c.id.desc()).limit(limit)
        if after:
            wanted = wanted.where(executions.c.id < after)
        if status is not None:
            wanted = wanted.where(executions.c.status == status.value)
        if dead_letter:
            wanted = wanted.where(
                executions.c.status == Status.FAILED.value, executions.c.dead_letter.is_(True)
            )
        with self._database.reading() as connection:
            return [_execution(row) for row in connection.execute(wanted).mappings()]

    def describe(self, execution_id: str) -> Execution:
        """Return one execution. Raises NotFound."""
        with self._database.reading() as connection:
            return _execution(_find(connection, execution_id))

    def redrive(self, execution_id: str) -> Execution:
        """Start a FAILED or TIMED_OUT execution anew, on its own. Raises NotFound, BadInput."""
        anew: _Values = dict.fromkeys(("error", "cause", "faults", "stages", "token"), "")
        anew |= {"status": Status.RUNNING.value, "attempts": 0, "dead_letter": False, "stopped": None}
        ended = executions.c.status.in_((Status.FAILED.value, Status.TIMED_OUT.value))
        with self._database.writing() as connection:
            changed = connection.execute(
                update(executions)
                .where(executions.c.id == execution_id, ended)
                .values(due=time.time(), alone=True, **anew)
            )
            row = _find(connection, execution_id)
        if not changed.rowcount:
            raise BadInput("Only a FAILED or TIMED_OUT execution can be redriven.")
        return _execution(row)

    def statistics(self) -> dict[str, float]:
        """Return the counters for metrics."""
        with self._database.reading() as connection:
            return read_statistics(connection)

    def lapse_all(self, host: str) -> None:
        """Let the leases of a host's workers lapse: for a start that finds no other process at the store."""
        leased = (
            executions.c.status == Status.RUNNING.value,
            executions.c.token != "",
            executions.c.worker.startswith(f"{host}-", autoescape=True),
        )
        with self._database.reading() as connection:
            if connection.scalar(select(executions.c.id).where(*leased).limit(1)) is None:
                return
        with self._database.writing() as connection:
            connection.execute(update(executions).where(*leased).values(due=time.time()))

    def _update_held(self, claims: Sequence[Claim], **values: float) -> None:
        if claims:
            with self._database.writing() as connection:
                held = claims_sql.held(claims)
                connection.execute(update(executions).where(claims_sql.of_claim()).values(**values), held)

    def _ending(self, outcome: Outcome, now: float) -> _Values:
        values: _Values = {
            "ended": outcome.claim.execution_id,
            "dead_letter": False,
            "stopped": now,
            "due": now,
            "status": outcome.status.value,
            "error": text_of(outcome.error),
            "cause": text_of(outcome.cause),
            "faults": faults_json(outcome.faults),
            "stages": stages_json(outcome.stages),
            "deid_key": outcome.deid_key,
            "deid_study_uid": outcome.deid_study_uid,
            "token": "",
        }
        if outcome.status is not Status.RUNNING:
            return values
        if outcome.claim.attempt >= self._max_attempts:
            return values | {"status": Status.FAILED.value, "dead_letter": True}
        return values | {"stopped": None, "due": now + (outcome.retry_after or 0.0)}


def _count_stages(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    amounts: dict[str, float] = {}
    for outcome in outcomes:
        for stage in outcome.stages:
            seconds, count = f"stage_seconds_{stage.name}", f"stage_count_{stage.name}"
            amounts[seconds] = amounts.get(seconds, 0.0) + stage.seconds
            amounts[count] = amounts.get(count, 0.0) + 1
    add_to_counters(connection, amounts)


def _find(connection: Connection, execution_id: str) -> RowMapping:
    row = connection.execute(select(executions).where(executions.c.id == execution_id)).mappings().first()
    if row is None:
        raise NotFound("There is no such execution.")
    return row


def _execution(row: RowMapping) -> Execution:
    return Execution(
        id=row["id"],
        status=Status(row["status"]),
        raw_key=row["raw_key"],
        name=row["name"],
        modality=row["modality"],
        size=row["size"],
        started=_moment(row["started"]),
        stopped=None if row["stopped"] is None else _moment(row["stopped"]),
        attempts=row["attempts"],
        dead_letter=row["dead_letter"],
        error=row["error"],
        cause=row["cause"],
        faults=faults_of(row["faults"]),
        stages=stages_of(row["stages"]),
        deid_key=row["deid_key"],
        deid_study_uid=row["deid_study_uid"],
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
