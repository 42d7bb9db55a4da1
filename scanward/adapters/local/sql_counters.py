"""Running totals for metrics, so that asking for them never reads the whole history."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from scanward.adapters.local.sql_tables import counters, executions
from scanward.ports.executions import Status


def add_to_counters(connection: Connection, amounts: Mapping[str, float]) -> None:
    """Add to counters by name; in name order, so that two writers never wait for each other."""
    rows = [{"name": name, "total": amount} for name, amount in sorted(amounts.items())]
    if not rows:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(counters)
    total = counters.c.total + statement.excluded.total
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"total": total}), rows)


def read_statistics(connection: Connection) -> dict[str, float]:
    """Return the figures of `Executions.statistics`."""
    found = {f"objects_{status.value.lower()}": 0.0 for status in Status} | {
        "objects_refused": 0.0,
        "bytes": 0.0,
    }
    grouped = select(executions.c.status, func.count()).group_by(executions.c.status)
    for status, count in connection.execute(grouped):
        found[f"objects_{status.lower()}"] = float(count)
    found["queue_depth"] = found["objects_running"]
    dead = select(func.count()).where(
        executions.c.status == Status.FAILED.value, executions.c.dead_letter.is_(True)
    )
    found["dead_letters"] = float(connection.execute(dead).scalar_one())
    found.update(connection.execute(select(counters.c.name, counters.c.total)).all())
    return found
