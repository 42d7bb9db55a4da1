"""Rows of a search and of a retrieval as values: what a result tells, as members of a JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import RowMapping

from scanward.dicom.json_model import Fragment, members, whole
from scanward.dicom.levels import SERIES_UID, STUDY_UID
from scanward.index import attributes
from scanward.index.matching import Model
from scanward.ports.search import Condition, Entry, Level, Match, Query

_UIDS = {STUDY_UID: "study_uid", SERIES_UID: "series_uid", attributes.INSTANCE_UID: "instance_uid"}


def entry_of(row: RowMapping) -> Entry:
    """Return one kept instance."""
    return Entry(**{**row, "model": bytes(row["model"] or b""), "frames": bytes(row["frames"] or b"")})


def model_of(row: RowMapping) -> Model:
    """Return what is kept of a row, its study's attributes included."""
    kept = b"\n".join(one for one in (_bytes(row, "above"), _bytes(row, "model")) if one)
    model: Model = json.loads(whole(kept, b""))
    return model


def values_of(condition: Condition, text: object) -> Sequence[str]:
    """Return a column's values; those of a name are one, whatever it holds."""
    value = "" if text is None else str(text)
    return [value] if condition.vr == "PN" else value.split("\\")


def match_of(row: RowMapping, query: Query) -> Match:
    """Return one result with what it tells: its level's own, what was asked, and all above that is open."""
    wanted = None if query.everything else _wanted(query)
    found = dict(members(_bytes(row, "above"), wanted)) | dict(members(_bytes(row, "model"), wanted))
    found |= {tag: member for tag, member in _counts(row) if wanted is None or tag in wanted}
    uids = {tag: str(row[name]) for tag, name in _UIDS.items() if name in row}
    for tag, uid in uids.items():
        found.setdefault(tag, _member(tag, "UI", json.dumps(uid)))
    return Match(
        uids[STUDY_UID],
        uids.get(SERIES_UID, ""),
        uids.get(attributes.INSTANCE_UID, ""),
        tuple(sorted(found.items())),
    )


def _wanted(query: Query) -> frozenset[int]:
    wanted = attributes.TOLD[query.level] | query.include | {one.path[0] for one in query.conditions}
    if query.level is not Level.STUDY and not query.study_uid:
        wanted |= attributes.TOLD[Level.STUDY]
    if query.level is Level.INSTANCE and not query.series_uid:
        wanted |= attributes.TOLD[Level.SERIES]
    return frozenset(wanted)


def _counts(row: RowMapping) -> list[Fragment]:
    """Return what is counted (PS3.4 C.3.4): numbers of related objects, modalities, classes."""
    found = [
        (attributes.MODALITIES, "CS", _texts(row["modalities"])),
        (attributes.SOP_CLASSES, "UI", _texts(row["sop_classes"])),
        (attributes.STUDY_SERIES, "IS", str(row["series_of_study"])),
        (attributes.STUDY_INSTANCES, "IS", str(row["of_study"])),
        (attributes.SERIES_INSTANCES, "IS", str(row.get("of_series", ""))),
    ]
    return [(tag, _member(tag, vr, value)) for tag, vr, value in found if value]


def _texts(joined: str) -> str:
    return ",".join(json.dumps(one) for one in joined.split("\\") if one)


def _member(tag: int, vr: str, value: str) -> bytes:
    return f'"{tag:08X}":{{"vr":"{vr}","Value":[{value}]}}'.encode()


def _bytes(row: RowMapping, name: str) -> bytes:
    return bytes(row.get(name) or b"")
