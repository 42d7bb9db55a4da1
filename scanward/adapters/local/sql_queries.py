"""What is asked of the catalog, by zone. No join leads from one zone's tables to the other's."""

from __future__ import annotations

from sqlalchemy import Connection, select

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_levels import OF_ZONE
from scanward.adapters.local.sql_rows import kept_of
from scanward.errors import NotFound
from scanward.ports.catalog import Kept, Study
from scanward.ports.object_store import Zone

_ROWS = {Zone.RAW: tables.instances, Zone.DEID: tables.deid_instances, Zone.QUARANTINE: tables.quarantine}
_STUDY_TEXTS = ("patient_id", "patient_name", "study_date", "study_description", "accession_number")


def find_studies(connection: Connection, zone: Zone, limit: int, offset: int) -> list[Study]:
    """Return studies of a zone, the newest received first; quarantine has none."""
    if zone is Zone.QUARANTINE:
        return []
    table = OF_ZONE[zone].studies
    rows = connection.execute(select(table).order_by(table.c.newest.desc()).limit(limit).offset(offset))
    return [
        Study(
            study_uid=row["study_uid"],
            **{name: row[name] for name in _STUDY_TEXTS},
            modalities=tuple(one for one in row["modalities"].split("\\") if one),
            series=row["series"],
            instances=row["instances"],
            bytes=row["bytes"],
        )
        for row in rows.mappings()
    ]


def find_instances(connection: Connection, zone: Zone, study_uid: str) -> list[Kept]:
    """Return a study's current instances by series and instance number. Raises NotFound."""
    if zone is Zone.QUARANTINE:
        raise NotFound("Quarantine has no studies.")
    columns = _ROWS[zone].c
    rows = connection.execute(
        select(_ROWS[zone])
        .where(columns.study_uid == study_uid, columns.superseded_by == "")
        .order_by(columns.series_number, columns.series_uid, columns.instance_number, columns.instance_uid)
    )
    found = [kept_of(row) for row in rows.mappings()]
    if not found:
        raise NotFound(f"There is no such study in zone {zone}.")
    return found


def find_known(connection: Connection, zone: Zone, prefix: str) -> set[str]:
    """Return the keys of a zone that begin with some hex digits."""
    column = _ROWS[zone].c.key
    within = select(column).where(column >= prefix, column < prefix + "g")
    return set(connection.execute(within).scalars())
