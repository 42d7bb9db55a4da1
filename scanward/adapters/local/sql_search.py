"""The catalog's index: searches over studies, series and instances, and what a retrieval needs.

What SQL can decide exactly it decides; the rest (names, wildcards, attributes without a column) is decided
here, row by row, on what is kept of the level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, func, select

from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import OF_ZONE, Tables
from scanward.adapters.local.sql_search_rows import entry_of, match_of, model_of, values_of
from scanward.dicom.levels import SERIES_UID, STUDY_UID
from scanward.errors import BadInput
from scanward.index import attributes
from scanward.index.matching import matches, matches_texts
from scanward.ports.object_store import Zone
from scanward.ports.search import Condition, Entry, Level, Matching, Page, Query

Rows = Select[Any]

_MOST_WALKED = 200_000
"""Rows that one search may look at one by one."""

_STUDY_COLUMNS = {
    0x00080020: "study_date",
    0x00080030: "study_time",
    0x00080050: "accession_number",
    0x00081030: "study_description",
    0x00100010: "patient_name",
    0x00100020: "patient_id",
    0x00100021: "issuer",
    0x00100030: "patient_birth_date",
    0x00100040: "patient_sex",
    0x00200010: "study_id",
    STUDY_UID: "study_uid",
}
_STUDY_LISTS = {attributes.MODALITIES: "modalities", attributes.SOP_CLASSES: "sop_classes"}
_SERIES_COLUMNS = {
    0x00080021: "series_date",
    0x00080060: "modality",
    0x0008103E: "series_description",
    0x00180015: "body_part",
    0x00200011: "series_number",
    SERIES_UID: "series_uid",
}
_INSTANCE_COLUMNS = {
    0x00080016: "sop_class_uid",
    attributes.INSTANCE_UID: "instance_uid",
    0x00200013: "instance_number",
    0x00280008: "frames",
    0x00280010: "rows",
    0x00280011: "columns",
}
_NUMBERS = frozenset({0x00200011, 0x00200013, 0x00280008, 0x00280010, 0x00280011})
_EXACT = frozenset({Matching.SINGLE, Matching.LIST})
_TEXT_IS_EXACT = frozenset({"AE", "CS", "LO", "SH", "UI"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """One level's rows: what they are selected from, their order, and the columns of known attributes."""

    of: Tables
    level: Level
    rows: Rows
    columns: dict[int, ColumnElement[Any]]
    lists: dict[int, ColumnElement[Any]]


class SqlSearch:
    """Searches the catalog of one site."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are there."""
        self._database = database

    def find(self, zone: Zone, query: Query) -> Page:
        """Return what matches, in an order that stays. Raises BadInput for what would look at too much."""
        if zone not in OF_ZONE:
            return Page((), 0)
        asked = _asked(OF_ZONE[zone], query)
        exact, rest = _parted(asked, query.conditions)
        rows = asked.rows.where(*exact)
        with self._database.reading() as connection:
            if not rest:
                counted = select(func.count()).select_from(rows.order_by(None).subquery())
                total = int(connection.execute(counted).scalar_one())
                page = rows.limit(query.limit).offset(query.offset)
                some = list(connection.execute(page).mappings())
            else:
                found = list(_walked(connection, asked, rows, rest))
                total, some = len(found), found[query.offset : query.offset + query.limit]
        return Page(tuple(match_of(row, query) for row in some), total)

    def entries(
        self, zone: Zone, study_uid: str, series_uid: str = "", instance_uid: str = ""
    ) -> Sequence[Entry]:
        """Return current instances by series and instance number; none if nothing is there."""
        if zone not in OF_ZONE:
            return ()
        of = OF_ZONE[zone]
        columns = of.instances.c
        wanted = [columns.study_uid == study_uid, columns.superseded_by == ""]
        wanted += [columns.series_uid == series_uid] if series_uid else []
        wanted += [columns.instance_uid == instance_uid] if instance_uid else []
        names = ("study_uid", "series_uid", "instance_uid", "sop_class_uid", "transfer_syntax")
        rows = (
            select(
                columns.key,
                columns.size,
                *(columns[name] for name in names),
                of.models.c.model,
                of.models.c.frames,
            )
            .select_from(of.instances.outerjoin(of.models, of.models.c.key == columns.key))
            .where(*wanted)
            .order_by(
                columns.series_number, columns.series_uid, columns.instance_number, columns.instance_uid
            )
        )
        with self._database.reading() as connection:
            return [entry_of(row) for row in connection.execute(rows).mappings()]


def _asked(of: Tables, query: Query) -> _Asked:
    columns, lists = _known(of, query.level)
    if query.level is Level.STUDY:
        rows = _studies(of, query)
    elif query.level is Level.SERIES:
        rows = _series(of, query)
    else:
        rows = _instances(of, query)
    return _Asked(of, query.level, rows, columns, lists)


def _known(of: Tables, level: Level) -> tuple[dict[int, ColumnElement[Any]], dict[int, ColumnElement[Any]]]:
    columns: dict[int, ColumnElement[Any]] = {}
    for table, known, there in (
        (of.studies, _STUDY_COLUMNS, True),
        (of.series, _SERIES_COLUMNS, level is not Level.STUDY),
        (of.instances, _INSTANCE_COLUMNS, level is Level.INSTANCE),
    ):
        if there:
            columns |= {tag: table.c[name] for tag, name in known.items()}
    return columns, {tag: of.studies.c[name] for tag, name in _STUDY_LISTS.items()}


def _studies(of: Tables, query: Query) -> Rows:
    columns = of.studies.c
    rows = select(columns.study_uid, *_counted(of), columns.model)
    return _within(rows, of.studies, query).order_by(
        columns.study_date.desc(), columns.study_time.desc(), columns.study_uid
    )


def _series(of: Tables, query: Query) -> Rows:
    columns, study = of.series.c, of.studies.c
    rows = select(
        columns.study_uid,
        columns.series_uid,
        *_counted(of),
        columns.instances.label("of_series"),
        columns.model,
        study.model.label("above"),
    ).select_from(of.series.join(of.studies, study.study_uid == columns.study_uid))
    return _within(rows, of.series, query).order_by(
        columns.study_uid, columns.series_number, columns.series_uid
    )


def _instances(of: Tables, query: Query) -> Rows:
    columns, series, study, models = of.instances.c, of.series.c, of.studies.c, of.models.c
    of_series = (series.study_uid == columns.study_uid) & (series.series_uid == columns.series_uid)
    rows = (
        select(
            columns.study_uid,
            columns.series_uid,
            columns.instance_uid,
            *_counted(of),
            series.instances.label("of_series"),
            models.model,
        )
        .select_from(
            of.instances.join(of.series, of_series)
            .join(of.studies, study.study_uid == columns.study_uid)
            .outerjoin(of.models, models.key == columns.key)
        )
        .where(columns.superseded_by == "")
    )
    return _within(rows, of.instances, query).order_by(
        columns.study_uid,
        columns.series_number,
        columns.series_uid,
        columns.instance_number,
        columns.instance_uid,
    )


def _counted(of: Tables) -> list[ColumnElement[Any]]:
    """Return what every level tells of its study."""
    columns = of.studies.c
    return [
        columns.series.label("series_of_study"),
        columns.instances.label("of_study"),
        columns.modalities,
        columns.sop_classes,
    ]


def _within(rows: Rows, table: Table, query: Query) -> Rows:
    if query.study_uid:
        rows = rows.where(table.c.study_uid == query.study_uid)
    return rows.where(table.c.series_uid == query.series_uid) if query.series_uid else rows


def _parted(
    asked: _Asked, conditions: Sequence[Condition]
) -> tuple[list[ColumnElement[bool]], list[Condition]]:
    """Return what SQL decides, and what is left."""
    exact, rest = [], []
    for one in conditions:
        column = asked.columns.get(one.path[0]) if len(one.path) == 1 else None
        in_sql = None if column is None else _in_sql(column, one)
        if in_sql is None:
            rest.append(one)
        else:
            exact.append(in_sql)
    return exact, rest


def _in_sql(column: ColumnElement[Any], one: Condition) -> ColumnElement[bool] | None:
    if one.path[0] in _NUMBERS:
        is_number = one.matching in _EXACT
        return column.in_([int(float(value)) for value in one.values]) if is_number else None
    if one.matching in _EXACT and one.vr in _TEXT_IS_EXACT:
        return column.in_(one.values)
    if one.vr == "DA" and one.matching in _EXACT:
        return column.in_([value.replace(".", "") for value in one.values])
    if one.vr == "DA" and one.matching is Matching.RANGE:
        first, last = (value.replace(".", "") for value in one.values)
        return (column >= (first or "0")) & (column <= (last or "99999999"))
    return column == "" if one.matching is Matching.EMPTY else None


def _walked(
    connection: Connection, asked: _Asked, rows: Rows, rest: Sequence[Condition]
) -> Iterator[RowMapping]:
    """Yield the rows that match what SQL did not decide; texts of columns first, for they are at hand."""
    at_hand = asked.columns | asked.lists
    by_column = [one for one in rest if len(one.path) == 1 and one.path[0] in at_hand]
    by_model = [one for one in rest if one not in by_column]
    beside = [at_hand[one.path[0]].label(f"asked_{place}") for place, one in enumerate(by_column)]
    for number, row in enumerate(connection.execute(rows.add_columns(*beside)).mappings()):
        if number >= _MOST_WALKED:
            raise BadInput("The search would look at too many objects; name a study, a patient or a date.")
        of_columns = all(
            matches_texts(values_of(one, row[f"asked_{place}"]), one) for place, one in enumerate(by_column)
        )
        if of_columns and (not by_model or matches(model_of(row), by_model)):
            yield row
