"""Studies and series of a zone, kept in step with its instances inside the transaction that changes those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, func, insert, select

from scanward.adapters.local import sql_tables as tables
from scanward.dicom import levels
from scanward.dicom.json_model import Fragment, members
from scanward.ports.object_store import Zone

Pair = tuple[str, str]
"""A study and one of its series."""

# Told at every level: how texts are coded, and the time zone (PS3.18 Tables 10.6.3-3, 10.6.3-4).
_OF_EACH = frozenset({0x00080005, 0x00080201})
_STUDY, _SERIES = levels.STUDY | _OF_EACH, levels.SERIES | _OF_EACH
_MOST_AT_ONCE = 200
_Row = dict[str, object]
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one zone."""

    instances: Table
    studies: Table
    series: Table
    models: Table


OF_ZONE = {
    Zone.RAW: Tables(tables.instances, tables.studies, tables.series, tables.models),
    Zone.DEID: Tables(tables.deid_instances, tables.deid_studies, tables.deid_series, tables.deid_models),
}


def refresh(connection: Connection, zone: Zone, touched: Iterable[Pair]) -> None:
    """Make the rows of touched series and of their studies anew from the instances that are current."""
    of = OF_ZONE[zone]
    pairs = sorted(set(touched))
    for some in _parts(pairs):
        _refresh_series(connection, of, some)
    for studies in _parts(sorted({study for study, _ in pairs})):
        _refresh_studies(connection, of, studies)


def refill(connection: Connection, zone: Zone) -> None:
    """Make all rows of studies and series of a zone anew."""
    columns = OF_ZONE[zone].instances.c
    found = select(columns.study_uid, columns.series_uid).where(columns.superseded_by == "").distinct()
    refresh(connection, zone, [(study, series) for study, series in connection.execute(found)])


def add_models(connection: Connection, zone: Zone, kept: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Add model and frame table by key; what has none is left out."""
    rows = [{"key": key, "model": model, "frames": frames} for key, (model, frames) in kept.items() if model]
    if rows:
        connection.execute(insert(OF_ZONE[zone].models), rows)


def _refresh_series(connection: Connection, of: Tables, pairs: Sequence[Pair]) -> None:
    columns, current = of.instances.c, _current(of.instances, pairs)
    counted = (
        select(
            columns.study_uid,
            columns.series_uid,
            func.count().label("instances"),
            func.sum(columns.size).label("bytes"),
            func.max(columns.sequence).label("newest"),
        )
        .where(current)
        .group_by(columns.study_uid, columns.series_uid)
    )
    counts = connection.execute(counted).mappings().all()
    classes = _distinct(connection, of.instances, columns.sop_class_uid, current)
    newest = _newest(connection, of, [int(row["newest"]) for row in counts])
    rows = [_series_row(row, newest[_place(row)], classes[_place(row)[:2]]) for row in counts]
    connection.execute(delete(of.series).where(_of_pairs(of.series, pairs)))
    if rows:
        connection.execute(insert(of.series), rows)


def _refresh_studies(connection: Connection, of: Tables, studies: Sequence[str]) -> None:
    columns = of.series.c
    counted = (
        select(
            columns.study_uid,
            func.count().label("series"),
            func.sum(columns.instances).label("instances"),
            func.sum(columns.bytes).label("bytes"),
            func.max(columns.newest).label("newest"),
        )
        .where(columns.study_uid.in_(studies))
        .group_by(columns.study_uid)
    )
    counts = connection.execute(counted).mappings().all()
    told = select(columns.study_uid, columns.modality, columns.sop_classes).where(
        columns.study_uid.in_(studies)
    )
    modalities: dict[str, set[str]] = {}
    classes: dict[str, set[str]] = {}
    for study, modality, sop_classes in connection.execute(told):
        modalities.setdefault(study, set()).add(modality)
        classes.setdefault(study, set()).update(sop_classes.split("\\"))
    newest = _newest(connection, of, [int(row["newest"]) for row in counts])
    of_study = {(study, sequence): one for (study, _, sequence), one in newest.items()}
    rows = [
        _study_row(row, of_study[study, int(row["newest"])], modalities[study], classes[study])
        for row in counts
        for study in [str(row["study_uid"])]
    ]
    connection.execute(delete(of.studies).where(of.studies.c.study_uid.in_(studies)))
    if rows:
        connection.execute(insert(of.studies), rows)


def _series_row(counts: RowMapping, newest: RowMapping, classes: Sequence[str]) -> _Row:
    return {
        **counts,
        "bytes": int(counts["bytes"]),
        **{name: newest[name] for name in (*tables.SERIES_TEXTS, "series_number")},
        "sop_classes": _joined(classes),
        "model": _part(newest["model"], _SERIES),
    }


def _study_row(counts: RowMapping, newest: RowMapping, modalities: set[str], classes: set[str]) -> _Row:
    return {
        **counts,
        "instances": int(counts["instances"]),
        "bytes": int(counts["bytes"]),
        **{name: newest[name] for name in tables.STUDY_TEXTS},
        "modalities": _joined(modalities),
        "sop_classes": _joined(classes),
        "model": _part(newest["model"], _STUDY),
    }


_Place = tuple[str, str, int]


def _newest(connection: Connection, of: Tables, sequences: Sequence[int]) -> dict[_Place, RowMapping]:
    """Return current instances by study, series and place in the order of arrival, each with its model."""
    columns, models = of.instances.c, of.models
    texts = (*tables.STUDY_TEXTS, *tables.SERIES_TEXTS, "series_number")
    found = (
        select(
            columns.study_uid,
            columns.series_uid,
            columns.sequence.label("newest"),
            *(columns[name] for name in texts),
            models.c.model,
        )
        .select_from(of.instances.outerjoin(models, models.c.key == columns.key))
        .where(columns.sequence.in_(sequences), columns.superseded_by == "")
    )
    return {_place(row): row for row in connection.execute(found).mappings()}


def _place(row: RowMapping) -> _Place:
    return str(row["study_uid"]), str(row["series_uid"]), int(row["newest"])


def _distinct(
    connection: Connection, table: Table, column: ColumnElement[str], current: ColumnElement[bool]
) -> dict[Pair, list[str]]:
    found: dict[Pair, list[str]] = {}
    wanted = select(table.c.study_uid, table.c.series_uid, column).where(current).distinct()
    for study, series, value in connection.execute(wanted):
        found.setdefault((study, series), []).append(value)
    return found


def _current(table: Table, pairs: Sequence[Pair]) -> ColumnElement[bool]:
    return _of_pairs(table, pairs) & (table.c.superseded_by == "")


def _of_pairs(table: Table, pairs: Sequence[Pair]) -> ColumnElement[bool]:
    """Return the condition for some series; the same series UID in two studies is two series."""
    by_study: dict[str, list[str]] = {}
    for study, series in pairs:
        by_study.setdefault(study, []).append(series)
    some = [
        (table.c.study_uid == study) & table.c.series_uid.in_(series) for study, series in by_study.items()
    ]
    condition = some[0]
    for one in some[1:]:
        condition |= one
    return condition


def _parts(all_of_them: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    for start in range(0, len(all_of_them), _MOST_AT_ONCE):
        yield all_of_them[start : start + _MOST_AT_ONCE]


def _part(model: bytes | None, tags: frozenset[int]) -> bytes:
    found: list[Fragment] = members(bytes(model or b""), tags)
    return b"\n".join(member for _, member in found)


def _joined(values: Iterable[str]) -> str:
    return "\\".join(sorted({value for value in values if value}))
