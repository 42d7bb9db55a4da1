"""The part of an upload that touches the disk: files staged as they come, archives opened, batches accepted.

Its methods block, so that they run in the pool, one at a time for each upload. Nothing is answered as
accepted before `accept` has returned, which is when it is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from scanward import logs
from scanward.entrypoints.http.answers import FaultAnswer, FileStatus, UploadedFile
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, Fault, ScanwardError, TooLarge
from scanward.pipeline import Arrival
from scanward.ports.catalog import Receipt
from scanward.ports.object_store import Staged
from scanward.receive import archive
from scanward.receive.multipart import Begin, Data, Event, shown_name

log = logs.logger(__name__)
_HEAD: Final = 132
_READ_PAST: Final = "Read past"


class Reception:
    """One upload: rows in the order of its files, each an answer once its batch is accepted."""

    def __init__(self, service: Service) -> None:
        """Begin with nothing."""
        self._service = service
        self._largest = service.settings.max_object_bytes
        self._rows: list[UploadedFile | None] = []
        self._waiting: list[tuple[int, Arrival]] = []
        self._waiting_bytes = 0
        self._staged: Staged | None = None
        self._name = ""
        self._left = False
        self._one_at_a_time = threading.Lock()
        self.too_large = False

    @property
    def rows(self) -> list[UploadedFile]:
        """Return what is known of each file that was seen to the end."""
        return [row for row in self._rows if row is not None]

    def take(self, events: Sequence[Event]) -> None:
        """Write what came. Raises OutOfSpace or Unavailable."""
        with self._one_at_a_time:
            for event in events:
                if isinstance(event, Begin):
                    self._begin(event.name)
                elif isinstance(event, Data):
                    self._write(event.chunk)
                else:
                    self._end()

    def finish(self) -> None:
        """Accept what still waits."""
        with self._one_at_a_time:
            self._accept()

    def abandon(self) -> None:
        """Remove every temporary file; a second call does nothing. An archive that is being read ends too."""
        self._left = True
        with self._one_at_a_time:
            for _, arrival in self._waiting:
                arrival.staged.discard()
            self._waiting = []
            self._give_up()

    def _accept(self) -> None:
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not batch:
            return
        receipts = self._service.accept([arrival for _, arrival in batch])
        for (place, _), receipt in zip(batch, receipts, strict=True):
            self._rows[place] = _row(receipt)
        log.info(
            "files kept",
            operation="upload",
            files=len(batch),
            executions=[receipt.execution_id for receipt in receipts if receipt.execution_id],
        )

    def _begin(self, name: str) -> None:
        self._name = name
        self._staged = self._service.ports.objects.stage()

    def _write(self, chunk: bytes) -> None:
        if self._left:
            raise BadInput("the upload was given up")
        staged = self._staged
        if staged is None:  # it was too large already
            return
        self._service.metrics.received(len(chunk))
        if staged.size + len(chunk) > self._largest:
            staged.discard()
            self._staged = None
            self._refuse(self._name, _too_large(self._largest))
            return
        staged.write(chunk)

    def _end(self) -> None:
        staged, self._staged = self._staged, None
        if staged is None:
            return
        with staged.path.open("rb") as file:
            zipped = archive.is_zip(file.read(_HEAD))
        if zipped:
            self._unpack(self._name, staged)
        else:
            self._wait(self._name, staged)

    def _unpack(self, name: str, packed: Staged) -> None:
        """Take an archive's members as files of their own; the archive itself is not kept."""
        bounds = archive.Bounds(member_bytes=self._largest)
        try:
            with packed.path.open("rb") as file:
                for member in archive.members(file, bounds):
                    self._member(shown_name(f"{name}/{member.name}"), member)
        except (BadInput, TooLarge) as error:
            self._refuse(name, error)
        finally:
            packed.discard()

    def _member(self, name: str, member: archive.Member) -> None:
        self._begin(name)
        try:
            for chunk in member.chunks():
                self._write(chunk)
        except BadInput as error:
            self._give_up()
            self._refuse(name, error)
            return
        staged, self._staged = self._staged, None
        if staged is not None:
            self._wait(name, staged)

    def _give_up(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            staged.discard()

    def _wait(self, name: str, staged: Staged) -> None:
        self._waiting.append((len(self._rows), Arrival(staged, name)))
        self._rows.append(None)
        self._waiting_bytes += staged.size
        limits = self._service.limits
        if len(self._waiting) >= limits.batch_files or self._waiting_bytes >= limits.batch_bytes:
            self._accept()

    def _refuse(self, name: str, error: ScanwardError) -> None:
        self.too_large = self.too_large or isinstance(error, TooLarge)
        faults = error.faults or (Fault("refused", error.message),)
        self._rows.append(
            UploadedFile(
                file=name,
                status="rejected",
                execution_id="",
                error=error.error,
                reason=error.message,
                faults=[FaultAnswer.of(fault) for fault in faults],
            )
        )


def _row(receipt: Receipt) -> UploadedFile:
    faults = [FaultAnswer.of(fault) for fault in receipt.faults]
    reason = receipt.faults[0].message if receipt.error and receipt.faults else receipt.error
    return UploadedFile(
        file=receipt.name,
        status=_status(receipt),
        execution_id=receipt.execution_id,
        superseded=receipt.superseded,
        error=receipt.error,
        reason=reason,
        faults=faults,
    )


def _status(receipt: Receipt) -> FileStatus:
    if receipt.error:
        return "skipped" if receipt.error == _READ_PAST else "rejected"
    return "duplicate" if receipt.duplicate else "accepted"


def _too_large(largest: int) -> TooLarge:
    message = f"the file is larger than {largest} bytes (SCANWARD_MAX_OBJECT_BYTES)"
    return TooLarge(message, faults=(Fault("too-large", message),))
