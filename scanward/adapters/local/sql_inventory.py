"""The catalog as a list to be checked, and its renewal from the objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Table, bindparam, delete, select, update

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import OF_ZONE, add_models, refill
from scanward.adapters.local.sql_rows import instance_columns
from scanward.adapters.local.sql_site import forget_foreign
from scanward.ports.catalog import Received
from scanward.ports.inventory import Row
from scanward.ports.object_store import Zone

_AT_ONCE = 2000


class SqlInventory:
    """The inventory of one site."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are there."""
        self._database = database

    def rows(self, zone: Zone) -> Iterator[Row]:
        """Yield every row of a zone by key; no transaction stays open between pages."""
        table = tables.quarantine if zone is Zone.QUARANTINE else OF_ZONE[zone].instances
        after = ""
        while page := self._page(table, after):
            yield from page
            after = page[-1].key

    def renew(self, zone: Zone, read: Sequence[Received]) -> int:
        """Write anew what rows tell of objects that were read again; return how many had a row."""
        of = OF_ZONE[zone]
        keys = [one.key for one in read]
        with self._database.writing(of.instances) as connection:
            known = set(
                connection.execute(select(of.instances.c.key).where(of.instances.c.key.in_(keys))).scalars()
            )
            mine = [one for one in read if one.key in known]
            if mine:
                renewed = [
                    {f"new_{name}": value for name, value in instance_columns(one.instance).items()}
                    | {"of_key": one.key, "new_size": one.size}
                    for one in mine
                ]
                names = [*tables.INSTANCE_TEXTS, *tables.INSTANCE_NUMBERS, "size"]
                connection.execute(
                    update(of.instances)
                    .where(of.instances.c.key == bindparam("of_key"))
                    .values({name: bindparam(f"new_{name}") for name in names}),
                    renewed,
                )
                connection.execute(delete(of.models).where(of.models.c.key.in_(sorted(known))))
                add_models(connection, zone, {one.key: (one.model, one.frames) for one in mine})
        return len(mine)

    def rebuild(self, zone: Zone) -> None:
        """Make a zone's studies and series anew from its rows."""
        of = OF_ZONE[zone]
        with self._database.writing(of.instances) as connection:
            connection.execute(delete(of.series))
            connection.execute(delete(of.studies))
            refill(connection, zone)
        if zone is Zone.RAW:
            with self._database.writing(tables.site) as connection:
                forget_foreign(connection)

    def _page(self, table: Table, after: str) -> list[Row]:
        columns = table.c
        checksum = columns.checksum if "checksum" in columns else columns.key
        wanted = (
            select(columns.key, columns.size, checksum)
            .where(columns.key > after)
            .order_by(columns.key)
            .limit(_AT_ONCE)
        )
        with self._database.reading() as connection:
            return [Row(key, size, said) for key, size, said in connection.execute(wanted)]
