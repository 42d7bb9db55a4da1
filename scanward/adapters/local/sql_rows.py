"""Rows to values and back: text that every database takes, faults and stages as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from sqlalchemy import RowMapping

from scanward.adapters.local.sql_tables import INSTANCE_NUMBERS, INSTANCE_TEXTS
from scanward.dicom.instance import Instance
from scanward.errors import Fault
from scanward.ports.catalog import Kept
from scanward.ports.executions import Stage, Status

_LARGEST = 1 << 63


def text_of(value: str) -> str:
    """Return text without NULs and lone surrogates, which PostgreSQL or UTF-8 refuse."""
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def instance_columns(instance: Instance) -> dict[str, str | int | None]:
    """Return the instance's fields as they go into its columns."""
    columns: dict[str, str | int | None] = {name: text_of(getattr(instance, name)) for name in INSTANCE_TEXTS}
    for name in INSTANCE_NUMBERS:
        number = getattr(instance, name)
        columns[name] = None if number is None or not -_LARGEST <= number < _LARGEST else number
    return columns


def kept_of(row: RowMapping) -> Kept:
    """Return one instance of a zone."""
    instance = Instance(**{name: row[name] for name in (*INSTANCE_TEXTS, *INSTANCE_NUMBERS)})
    return Kept(row["key"], row["size"], instance, row.get("checksum", ""))


def faults_json(faults: Sequence[Fault]) -> str:
    """Return faults as JSON text; "" for none."""
    return text_of(json.dumps([fault.as_json() for fault in faults])) if faults else ""


def faults_of(text: str) -> tuple[Fault, ...]:
    """Read faults back."""
    return tuple(Fault(**fields) for fields in json.loads(text)) if text else ()


def stages_json(stages: Sequence[Stage]) -> str:
    """Return stages as JSON text; "" for none."""
    return json.dumps([dataclasses.astuple(stage) for stage in stages]) if stages else ""


def stages_of(text: str) -> tuple[Stage, ...]:
    """Read stages back."""
    if not text:
        return ()
    return tuple(Stage(name, Status(status), seconds) for name, status, seconds in json.loads(text))
