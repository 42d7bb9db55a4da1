"""What is asked of the catalog, by zone. No join leads from one zone's tables to the other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, func, select

from scanward.adapters.local import sql_tables as tables
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
    columns = _ROWS[zone].c
    newest = func.max(columns.sequence).label("newest")
    counted = (
        select(
            columns.study_uid,
            newest,
            func.count(columns.series_uid.distinct()),
            func.count(),
            func.sum(columns.size),
        )
        .where(columns.superseded_by == "")
        .group_by(columns.study_uid)
        .order_by(newest.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = connection.execute(counted).all()
    newest_of = {row[0]: row[1] for row in rows}
    texts = _texts(connection, _ROWS[zone], newest_of)
    modalities = _modalities(connection, _ROWS[zone], list(newest_of))
    return [
        Study(
            study_uid=study_uid,
            **texts[study_uid],
            modalities=tuple(modalities.get(study_uid, ())),
            series=series,
            instances=instances,
            bytes=int(size),
        )
        for study_uid, _, series, instances, size in rows
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


def _texts(connection: Connection, table: Table, newest_of: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Return the attributes of each study's newest instance."""
    columns = table.c
    wanted = select(columns.study_uid, *(columns[name] for name in _STUDY_TEXTS)).where(
        columns.study_uid.in_(list(newest_of)),
        columns.sequence.in_(list(newest_of.values())),
    )
    return {
        row["study_uid"]: {name: row[name] for name in _STUDY_TEXTS}
        for row in connection.execute(wanted).mappings()
    }


def _modalities(connection: Connection, table: Table, study_uids: Sequence[str]) -> dict[str, list[str]]:
    columns = table.c
    wanted = (
        select(columns.study_uid, columns.modality)
        .where(columns.study_uid.in_(study_uids), columns.superseded_by == "")
        .distinct()
        .order_by(columns.modality)
    )
    found: dict[str, list[str]] = {}
    for study_uid, modality in connection.execute(wanted):
        if modality:
            found.setdefault(study_uid, []).append(modality)
    return found
