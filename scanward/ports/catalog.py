"""What is kept and can be asked, by zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scanward.dicom.instance import Instance
from scanward.errors import Fault
from scanward.ports.object_store import Zone


@dataclass(frozen=True, slots=True)
class Named:
    """What an object calls itself; "" where it does not, or where that cannot be read."""

    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    sop_class_uid: str = ""

    @classmethod
    def of(cls, instance: Instance) -> Named:
        """Return what an object that the gate passed calls itself."""
        return cls(instance.study_uid, instance.series_uid, instance.instance_uid, instance.sop_class_uid)


@dataclass(frozen=True, slots=True)
class Received:
    """An object that the gate passed and the store holds durably.

    model: members of its DICOM JSON Model, one a line; frames: its packed frame table, b"" without one.
    """

    key: str
    size: int
    name: str
    instance: Instance
    warnings: tuple[Fault, ...] = ()
    model: bytes = b""
    frames: bytes = b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the gate refused, kept in quarantine under `key`; `of_line`: it was raw before, and is still."""

    key: str
    size: int
    name: str
    error: str
    faults: tuple[Fault, ...]
    named: Named = Named()
    of_line: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one sent file: its execution, or its reason.

    superseded: it took the place of other bytes of its instance UID; outdated: other bytes are current, and
    stay so.
    """

    name: str
    key: str
    execution_id: str = ""
    duplicate: bool = False
    superseded: bool = False
    outdated: bool = False
    error: str = ""
    faults: tuple[Fault, ...] = ()
    named: Named = Named()


@dataclass(frozen=True, slots=True)
class Delivered:
    """A de-identified object, durable in the deid zone. `raw_key` gives its place in the order of arrival.

    checksum: hex SHA-256 over the new header and the pixel range; model, frames: as of a received object.
    """

    key: str
    raw_key: str
    size: int
    instance: Instance
    checksum: str = ""
    model: bytes = b""
    frames: bytes = b""


@dataclass(frozen=True, slots=True)
class Kept:
    """One instance of a zone as the catalog holds it."""

    key: str
    size: int
    instance: Instance
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """One study of a zone: its attributes (those of its newest instance) and counts."""

    study_uid: str
    patient_id: str
    patient_name: str
    study_date: str
    study_description: str
    accession_number: str
    modalities: tuple[str, ...]
    series: int
    instances: int
    bytes: int


class Catalog(Protocol):
    """Instances of the raw and deid zones; rows of the deid zone never hold a value of the raw one."""

    def receive(self, received: Sequence[Received], refused: Sequence[Refusal] = ()) -> list[Receipt]:
        """Record objects and their executions in one durable transaction; receipts in order, received first.

        The same bytes again: `duplicate`, with the execution that is there. Other bytes of one instance UID
        supersede, with history; or they are not taken, as the site has it: `conflicts` tells. What the line
        refused is not kept if its original was deleted meanwhile: its receipt has no key.
        """
        ...

    def conflicts(self, received: Sequence[Received]) -> dict[int, Receipt]:
        """Return receipts, by place, of what `receive` would not take; nothing is recorded."""
        ...

    def deliver(self, delivered: Sequence[Delivered]) -> list[str]:
        """Record de-identified objects durably; idempotent; older ones of an instance are superseded.

        Returns the raw keys of those whose original was deleted meanwhile: they are not recorded.
        """
        ...

    def studies(self, zone: Zone, limit: int = 100, offset: int = 0) -> list[Study]:
        """Return studies of a zone, the newest received first."""
        ...

    def instances(self, zone: Zone, study_uid: str) -> list[Kept]:
        """Return a study's current instances by series and instance number. Raises NotFound."""
        ...
