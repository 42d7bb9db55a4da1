"""The part of a store transaction that touches the disk: parts staged as they come, batches accepted."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from scanward.entrypoints.http.dicomweb.negotiation import DICOM
from scanward.entrypoints.http.dicomweb.store_outcomes import (
    NOT_WHOLE,
    OTHER_MEDIA_TYPE,
    OUT_OF_RESOURCES,
    Outcome,
    outcome_of,
)
from scanward.entrypoints.http.intake import Intake
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, ScanwardError, TooLarge
from scanward.pipeline import Terms
from scanward.ports.catalog import Receipt
from scanward.receive.multipart import Data
from scanward.receive.related import Part, RelatedEvent


class StoreReception:
    """One transaction: outcomes in the order of its parts. Its methods block, one at a time."""

    def __init__(self, service: Service, study_uid: str) -> None:
        """Begin with nothing. study_uid: the only study that is taken, "" for any."""
        self._intake = Intake(service, "store", self._tell, Terms(identified=True, study_uid=study_uid))
        self._outcomes: list[Outcome | None] = []
        self._passed_over = False
        self._one_at_a_time = threading.Lock()

    @property
    def outcomes(self) -> list[Outcome]:
        """Return what became of each part that was seen to the end."""
        return [one for one in self._outcomes if one is not None]

    def take(self, events: Sequence[RelatedEvent]) -> None:
        """Write what came. Raises OutOfSpace or Unavailable."""
        with self._one_at_a_time:
            for event in events:
                if isinstance(event, Part):
                    self._begin(event)
                elif isinstance(event, Data):
                    self._write(event.chunk)
                else:
                    self._end()

    def finish(self) -> None:
        """Accept what still waits."""
        with self._one_at_a_time:
            self._intake.accept()

    def abandon(self) -> None:
        """Remove every temporary file; a second call does nothing."""
        self._intake.leave()
        with self._one_at_a_time:
            self._intake.abandon()

    def broken(self, error: ScanwardError) -> None:
        """Note that the body was not taken to its end: a failure of no instance in particular."""
        failure = NOT_WHOLE if isinstance(error, BadInput) else OUT_OF_RESOURCES
        self._outcomes.append(Outcome(failure=failure, status=error.status))

    def _tell(self, place: int, receipt: Receipt) -> None:
        self._outcomes[place] = outcome_of(receipt)

    def _begin(self, part: Part) -> None:
        self._passed_over = part.kind != DICOM or part.encoded
        if self._passed_over:
            self._outcomes.append(Outcome(failure=OTHER_MEDIA_TYPE, status=415))
        else:
            self._intake.begin()

    def _write(self, chunk: bytes) -> None:
        if self._passed_over:
            return
        try:
            self._intake.write(chunk)
        except TooLarge:
            self._outcomes.append(Outcome(failure=OUT_OF_RESOURCES, status=413))

    def _end(self) -> None:
        if not self._passed_over:
            self._keep()

    def _keep(self) -> None:
        """Put the object that was written last into the batch."""
        staged = self._intake.take()
        if staged is not None:
            self._outcomes.append(None)
            self._intake.wait(len(self._outcomes) - 1, f"part {len(self._outcomes)}", staged)
