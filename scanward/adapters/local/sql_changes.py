"""The change feed in SQL, written inside the transaction that makes the change.

Whoever writes a zone's feed holds the lock of that zone's instances, so that numbers appear in order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, func, insert, select

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import OF_ZONE
from scanward.errors import NotFound
from scanward.ports.catalog import Named
from scanward.ports.changes import EVER, Action, Change, Window
from scanward.ports.object_store import Zone

Place = tuple[str, str, str]
"""Study, series and instance UID."""

_TABLES = {Zone.RAW: tables.changes, Zone.DEID: tables.deid_changes}
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)


class SqlChanges:
    """Changes on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are there."""
        self._database = database

    def since(self, zone: Zone, sequence: int, limit: int = 100, window: Window = EVER) -> list[Change]:
        """Return up to `limit` changes after a sequence number, oldest first. Raises NotFound."""
        table = _table(zone)
        wanted = select(table).where(table.c.sequence > sequence).order_by(table.c.sequence).limit(limit)
        if window.begin is not None:
            wanted = wanted.where(table.c.at >= window.begin.timestamp())
        if window.end is not None:
            wanted = wanted.where(table.c.at < window.end.timestamp())
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [
            Change(number, datetime.fromtimestamp(at, UTC), Action(action), *place)
            for number, at, action, *place in rows
        ]

    def last(self, zone: Zone) -> int:
        """Return the newest sequence number of a zone, 0 before the first. Raises NotFound."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(_table(zone).c.sequence))) or 0


def note(connection: Connection, zone: Zone, told: Iterable[tuple[Action, Place]]) -> None:
    """Add changes to a zone's feed, in the order given."""
    now = round(time.time(), 6)  # as it is told, so that a window begins where a change says it was
    rows = [
        {
            "at": now,
            "action": action.value,
            "study_uid": study,
            "series_uid": series,
            "instance_uid": instance,
        }
        for action, (study, series, instance) in told
    ]
    if rows:
        connection.execute(insert(_TABLES[zone]), rows)


def note_versions(
    connection: Connection,
    zone: Zone,
    action: Action,
    fresh: Sequence[Mapping[str, object]],
    older: Mapping[str, str],
) -> None:
    """Tell of rows that were added and are current, each after the one whose place it took.

    older: by the key of a fresh row, the key of the version before it.
    """
    before = places_of(connection, zone, list(older.values()))
    told: list[tuple[Action, Place]] = []
    for row in fresh:
        replaced = older.get(str(row["key"]))
        if replaced is not None:
            told.append((Action.SUPERSEDED, before[replaced]))
        told.append((action, (str(row["study_uid"]), str(row["series_uid"]), str(row["instance_uid"]))))
    note(connection, zone, told)


def places_of(connection: Connection, zone: Zone, keys: Sequence[str]) -> dict[str, Place]:
    """Return what instances are called, by key."""
    columns = OF_ZONE[zone].instances.c
    wanted = select(columns.key, columns.study_uid, columns.series_uid, columns.instance_uid)
    found = connection.execute(wanted.where(columns.key.in_(keys))) if keys else ()
    return {key: (study, series, instance) for key, study, series, instance in found}


def place_named(named: Named) -> Place:
    """Return what a refused object calls itself, as far as those are UIDs (PS3.5 9.1)."""
    uids = (named.study_uid, named.series_uid, named.instance_uid)
    study, series, instance = (uid if _UID.fullmatch(uid) else "" for uid in uids)
    return study, series, instance


def _table(zone: Zone) -> Table:
    if zone not in _TABLES:
        raise NotFound(f"Zone {zone} has no feed of its own; raw tells of what is quarantined.")
    return _TABLES[zone]
