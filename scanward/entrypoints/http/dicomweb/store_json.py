"""The part of a store transaction of DICOM JSON that touches the disk (PS3.18 8.6.1.2, 10.5.2).

Bulk data parts wait on the disk until the body is whole; then each object is written from its description.
"""

from __future__ import annotations

from typing import Final

from scanward import logs
from scanward.entrypoints.http.dicomweb.negotiation import JSON
from scanward.entrypoints.http.dicomweb.store_outcomes import NOT_UNDERSTOOD, OUT_OF_RESOURCES, Outcome
from scanward.entrypoints.http.dicomweb.store_reception import StoreReception
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, OutOfSpace, TooLarge, Unavailable
from scanward.ports.catalog import Named
from scanward.ports.object_store import Staged
from scanward.receive.json_object import MODEL_BYTES, Bulk, Model, models, uid_of, write_object
from scanward.receive.related import Part

log = logs.logger(__name__)
_PARTS: Final = 1000


class JsonReception(StoreReception):
    """One transaction: the first part describes the objects, the others are their bulk data."""

    def __init__(self, service: Service, study_uid: str) -> None:
        """Begin with nothing. study_uid: the only study that is taken, "" for any."""
        super().__init__(service, study_uid)
        self._described: bytearray | None = None
        self._in_description = False
        self._part = Part("")
        self._bulk: dict[str, tuple[Part, Staged]] = {}

    def finish(self) -> None:
        """Write and accept every object. Raises BadInput for a description that cannot be read."""
        with self._one_at_a_time:
            if self._described is not None:
                parts = {
                    location: Bulk(staged.path, staged.size, part.kind, part.transfer_syntax)
                    for location, (part, staged) in self._bulk.items()
                }
                for model in models(bytes(self._described)):
                    self._add(model, parts)
            self._intake.accept()

    def abandon(self) -> None:
        """Remove every temporary file; a second call does nothing."""
        super().abandon()
        with self._one_at_a_time:
            for _, staged in self._bulk.values():
                staged.discard()
            self._bulk = {}

    def _begin(self, part: Part) -> None:
        self._part = part
        if self._described is None:
            if part.kind != JSON or part.encoded:
                raise BadInput("the first part is not application/dicom+json")
            self._described = bytearray()
            self._in_description = True
            return
        self._in_description = False
        if part.encoded or not part.location or part.location in self._bulk:
            raise BadInput("a bulk data part needs a Content-Location of its own, and no coding")
        if len(self._bulk) >= _PARTS:
            raise TooLarge(f"the body has more than {_PARTS} bulk data parts; send it in several requests")
        self._intake.begin()

    def _write(self, chunk: bytes) -> None:
        if not self._in_description or self._described is None:
            self._intake.write(chunk)
            return
        if len(self._described) + len(chunk) > MODEL_BYTES:
            raise TooLarge(f"the description of the objects is larger than {MODEL_BYTES} bytes")
        self._described += chunk

    def _end(self) -> None:
        staged = None if self._in_description else self._intake.take()
        if staged is not None:
            self._bulk[self._part.location] = self._part, staged

    def _add(self, model: Model, parts: dict[str, Bulk]) -> None:
        named = Named(
            uid_of(model, "0020000D"),
            uid_of(model, "0020000E"),
            uid_of(model, "00080018"),
            uid_of(model, "00080016"),
        )
        self._intake.begin()
        try:
            write_object(model, parts, self._intake.write)
        except TooLarge:
            self._fail(Outcome(named, OUT_OF_RESOURCES, status=413))
        except (OutOfSpace, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 - a door: what pydicom makes of a stranger's JSON may be any error
            log.info("an object of DICOM JSON was refused", operation="store", kind=type(error).__name__)
            self._fail(Outcome(named, NOT_UNDERSTOOD, status=400))
        else:
            self._keep()

    def _fail(self, outcome: Outcome) -> None:
        self._intake.give_up()
        self._outcomes.append(outcome)
