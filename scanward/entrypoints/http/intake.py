"""The files of one request on their way to the gate: staged as they come, accepted in batches.

Its methods block. Nothing is told as accepted before `accept` has returned, which is when it is durable.
"""

from __future__ import annotations

from collections.abc import Callable

from scanward import logs
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, Fault, TooLarge
from scanward.pipeline import Arrival, Terms
from scanward.ports.catalog import Receipt
from scanward.ports.object_store import Staged

log = logs.logger(__name__)


class Intake:
    """One request's files; `told(place, receipt)` is called for each once its batch is durable."""

    def __init__(
        self,
        service: Service,
        operation: str,
        told: Callable[[int, Receipt], None],
        terms: Terms | None = None,
    ) -> None:
        """Begin with nothing."""
        self._service = service
        self._operation = operation
        self._told = told
        self._terms = terms or Terms()
        self._waiting: list[tuple[int, Arrival]] = []
        self._waiting_bytes = 0
        self._staged: Staged | None = None
        self._left = False

    def begin(self) -> None:
        """Begin a file."""
        self._staged = self._service.ports.objects.stage()

    def write(self, chunk: bytes) -> None:
        """Append to the file that began last. Raises TooLarge once; what follows of it is passed over."""
        if self._left:
            raise BadInput("the upload was given up")
        if self._staged is None:
            return
        self._service.metrics.received(len(chunk))
        largest = self._service.settings.max_object_bytes
        if self._staged.size + len(chunk) > largest:
            self.give_up()
            raise too_large(largest)
        self._staged.write(chunk)

    def take(self) -> Staged | None:
        """Return the file that began last, now whole; None if it was given up."""
        staged, self._staged = self._staged, None
        return staged

    def give_up(self) -> None:
        """Remove the file that began last."""
        staged = self.take()
        if staged is not None:
            staged.discard()

    def wait(self, place: int, name: str, staged: Staged) -> None:
        """Put a whole file into the batch, which is accepted when it is full."""
        self._waiting.append((place, Arrival(staged, name)))
        self._waiting_bytes += staged.size
        limits = self._service.limits
        if len(self._waiting) >= limits.batch_files or self._waiting_bytes >= limits.batch_bytes:
            self.accept()

    def accept(self) -> None:
        """Take the batch through the gate. Raises OutOfSpace or Unavailable."""
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not batch:
            return
        receipts = self._service.accept([arrival for _, arrival in batch], terms=self._terms)
        for (place, _), receipt in zip(batch, receipts, strict=True):
            self._told(place, receipt)
        log.info(
            "files kept",
            operation=self._operation,
            files=len(batch),
            executions=[receipt.execution_id for receipt in receipts if receipt.execution_id],
        )

    def leave(self) -> None:
        """Let the next `write` fail, whoever is in it; for another thread than the one that writes."""
        self._left = True

    def abandon(self) -> None:
        """Remove every temporary file; a second call does nothing."""
        for _, arrival in self._waiting:
            arrival.staged.discard()
        self._waiting = []
        self.give_up()


def too_large(largest: int) -> TooLarge:
    """Return the error of an object beyond the setting."""
    message = f"the file is larger than {largest} bytes (SCANWARD_MAX_OBJECT_BYTES)"
    return TooLarge(message, faults=(Fault("too-large", message),))
