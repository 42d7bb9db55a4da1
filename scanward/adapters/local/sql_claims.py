"""Leases of work (design §3), one code for both databases.

Workers claim some rows at a time; the attempt is counted with the lease, before anything is done. A lease
that lapsed says that its worker died: from then on the row is claimed alone, so that a poisonous object takes
nothing down but itself, and charges nobody else. `FOR UPDATE SKIP LOCKED` is rendered on
PostgreSQL only; SQLite has one writer at a time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select, update

from scanward.adapters.local.sql_tables import executions
from scanward.ports.executions import Claim, Status

_columns = executions.c
_RUNNING = Status.RUNNING.value
CRASHED = "The worker died or lost its lease while it had this object, at every attempt."


def is_due(now: float) -> ColumnElement[bool]:
    """Return the condition of work that can be claimed, or whose lease lapsed."""
    return and_(_columns.status == _RUNNING, _columns.due <= now)


def lapse(connection: Connection, now: float, max_attempts: int) -> None:
    """Free lapsed leases: to be claimed alone, or to the dead letters after the last attempt alone.

    One of a batch is only a suspect: the attempt is uncounted, and counted again when it is claimed alone.
    """
    lapsed = select(_columns.id, _columns.attempts, _columns.alone).where(is_due(now), _columns.token != "")
    suspects: list[dict[str, str]] = []
    again: list[dict[str, str]] = []
    dead: list[dict[str, str]] = []
    for execution_id, attempts, alone in connection.execute(lapsed.with_for_update(skip_locked=True)):
        kind = suspects if not alone else dead if attempts >= max_attempts else again
        kind.append({"one": execution_id})
    one = update(executions).where(_columns.id == bindparam("one"))
    if suspects:
        connection.execute(one.values(token="", alone=True, attempts=_columns.attempts - 1), suspects)
    if again:
        connection.execute(one.values(token=""), again)
    if dead:
        ended = one.values(
            status=Status.FAILED.value,
            dead_letter=True,
            error="Worker died",
            cause=CRASHED,
            stopped=now,
            token="",
        )
        connection.execute(ended, dead)


def lease(connection: Connection, worker: str, count: int, now: float, until: float) -> list[Claim]:
    """Lease one row that must be alone, or else up to `count` others, in order of arrival."""
    for alone, limit in ((True, 1), (False, count)):
        free = (
            select(_columns.id)
            .where(is_due(now), _columns.token == "", _columns.alone.is_(alone))
            .order_by(_columns.due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list(connection.execute(free).scalars())
        if ids:
            return _take(connection, ids, worker, until)
    return []


def _take(connection: Connection, ids: Sequence[str], worker: str, until: float) -> list[Claim]:
    token = secrets.token_hex(16)
    taken = (
        update(executions)
        .where(_columns.id.in_(ids), _columns.token == "")
        .values(token=token, worker=worker, due=until, attempts=_columns.attempts + 1)
        .returning(_columns.id, _columns.raw_key, _columns.attempts)
    )
    rows = sorted(connection.execute(taken))
    return [Claim(execution_id, raw_key, attempt, token) for execution_id, raw_key, attempt in rows]


def still_held(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    """Lock the rows of claims that are still held, and return their ids; finished or lost ones are not."""
    tokens = {claim.execution_id: claim.token for claim in claims}
    rows = connection.execute(
        select(_columns.id, _columns.token)
        .where(_columns.id.in_(sorted(tokens)), _columns.status == _RUNNING)
        .with_for_update()
    )
    return {execution_id for execution_id, token in rows if token == tokens[execution_id]}


def held(claims: Sequence[Claim]) -> list[dict[str, str]]:
    """Return the parameters of `of_claim` for each claim."""
    return [{"claimed": claim.execution_id, "fence": claim.token} for claim in claims]


def of_claim() -> ColumnElement[bool]:
    """Return the condition that a claim is still held: its token fences every change."""
    return and_(
        _columns.id == bindparam("claimed"),
        _columns.token == bindparam("fence"),
        _columns.status == _RUNNING,
    )
