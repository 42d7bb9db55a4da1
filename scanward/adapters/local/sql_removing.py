"""Blobs that are to leave the store: noted with the rows that go, removed once no row names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_engine import Database
from scanward.ports.object_store import ObjectStore, Zone

Place = tuple[Zone, str]
"""A blob: its zone and key."""

_ROWS = {Zone.RAW: tables.instances, Zone.DEID: tables.deid_instances, Zone.QUARANTINE: tables.quarantine}
# While these few leave the store, other writers of the catalog wait.
_AT_ONCE = 8
_MOST_VALUES = 500
_One = TypeVar("_One")


def parts(values: Sequence[_One]) -> Iterator[Sequence[_One]]:
    """Yield values some at a time, as many as one statement may hold."""
    for start in range(0, len(values), _MOST_VALUES):
        yield values[start : start + _MOST_VALUES]


def note_removals(connection: Connection, places: Sequence[Place]) -> None:
    """Note blobs that are to go; what is noted already stays so."""
    rows = [{"zone": zone.value, "key": key} for zone, key in places]
    if rows:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(make(tables.removals).on_conflict_do_nothing(), rows)


def remove_some(database: Database, objects: ObjectStore) -> int:
    """Remove some blobs that are noted and named by no row; return how many notes are done with.

    Rows cannot come meanwhile: the locks of their tables are held. Raises Unavailable; the notes stay then.
    """
    with database.reading() as connection:
        noted = connection.execute(select(tables.removals).limit(_AT_ONCE)).all()
    if not noted:
        return 0
    with database.writing(tables.instances, tables.deid_instances) as connection:
        for zone_name, key in noted:
            zone = Zone(zone_name)
            column = _ROWS[zone].c.key
            if connection.scalar(select(column).where(column == key)) is None:
                objects.delete(zone, key)
            columns = tables.removals.c
            connection.execute(delete(tables.removals).where(columns.zone == zone_name, columns.key == key))
    return len(noted)
