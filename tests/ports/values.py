"""Values that the ports' tests keep."""

from __future__ import annotations

import hashlib

from scanward.dicom.instance import Instance
from scanward.ports.catalog import Delivered, Received, Refusal


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def instance(number: int = 1, study: str = "1.2.3", series: str = "1.2.3.4", **more: object) -> Instance:
    fields: dict[str, object] = {
        "study_uid": study,
        "series_uid": series,
        "instance_uid": f"{series}.{number}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "modality": "CT",
        "patient_id": "P-1",
        "patient_name": "Doe^Jane",
        "instance_number": number,
    }
    return Instance(**(fields | more))  # type: ignore[arg-type]  # fields are named by the test


def received(number: int = 1, content: object = None, **more: object) -> Received:
    name = key(number if content is None else content)
    return Received(name, 100, f"file-{number}.dcm", instance(number, **more))  # type: ignore[arg-type]  # as above


def refusal(number: int = 1) -> Refusal:
    return Refusal(key(f"bad {number}"), 10, f"bad-{number}.txt", "Invalid DICOM file", ())


def delivered(number: int = 1, content: object = None, output: object = None, **more: object) -> Delivered:
    raw_key = key(number if content is None else content)
    clean = instance(number, **({"study": "2.25.1", "series": "2.25.2", "patient_id": "ANON-1"} | more))  # type: ignore[arg-type]  # as above
    name = key(f"deid of {raw_key}" if output is None else output)
    return Delivered(name, raw_key, 90, clean, key("sum"))
