"""The part of an upload that touches the disk: files staged as they come, archives opened, batches accepted.

Its methods block, so that they run in the pool, one at a time for each upload. Nothing is answered as
accepted before `accept` has returned, which is when it is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from scanward.entrypoints.http.answers import FaultAnswer, FileStatus, UploadedFile
from scanward.entrypoints.http.intake import Intake
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, Fault, ScanwardError, TooLarge
from scanward.ports.catalog import Receipt
from scanward.ports.object_store import Staged
from scanward.receive import archive
from scanward.receive.multipart import Begin, Data, Event, shown_name

_HEAD: Final = 132
_READ_PAST: Final = "Read past"


class Reception:
    """One upload: rows in the order of its files, each an answer once its batch is accepted."""

    def __init__(self, service: Service) -> None:
        """Begin with nothing."""
        self._largest = service.settings.max_object_bytes
        self._rows: list[UploadedFile | None] = []
        self._intake = Intake(service, "upload", self._tell)
        self._name = ""
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
            self._intake.accept()

    def abandon(self) -> None:
        """Remove every temporary file; a second call does nothing. An archive that is being read ends too."""
        self._intake.leave()
        with self._one_at_a_time:
            self._intake.abandon()

    def _tell(self, place: int, receipt: Receipt) -> None:
        self._rows[place] = _row(receipt)

    def _begin(self, name: str) -> None:
        self._name = name
        self._intake.begin()

    def _write(self, chunk: bytes) -> None:
        try:
            self._intake.write(chunk)
        except TooLarge as error:
            self._refuse(self._name, error)

    def _end(self) -> None:
        staged = self._intake.take()
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
            self._intake.give_up()
            self._refuse(name, error)
            return
        staged = self._intake.take()
        if staged is not None:
            self._wait(name, staged)

    def _wait(self, name: str, staged: Staged) -> None:
        self._rows.append(None)
        self._intake.wait(len(self._rows) - 1, name, staged)

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
    told = receipt.faults and (receipt.error or (receipt.outdated and not receipt.duplicate))
    reason = receipt.faults[0].message if told else receipt.error
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
    if receipt.outdated and not receipt.duplicate and not receipt.error:
        return "skipped"  # The setting has it that what was there stays.
    if receipt.error:
        return "skipped" if receipt.error == _READ_PAST else "rejected"
    return "duplicate" if receipt.duplicate else "accepted"
