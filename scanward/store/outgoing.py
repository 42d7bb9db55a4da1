"""What came of claimed objects, staged one by one and made durable as a batch.

The order makes every crash harmless: the crosswalk knows a pseudonym before any output bears it, a blob is
durable before its row, and the row before the execution says SUCCEEDED. A repeat finds what is there by name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import cast

from scanward.dicom import instance, json_model, structure
from scanward.dicom.frames import packed_table
from scanward.dicom.instance import Instance
from scanward.dicom.pieces import Piece
from scanward.dicom.ranged import Read, joined
from scanward.dicom.structure import Bounds
from scanward.errors import BadInput, Fault, InvalidDicom, NotFound, Quarantined, ScanwardError
from scanward.ports import Ports
from scanward.ports.catalog import Delivered, Refusal
from scanward.ports.crosswalk import Pair
from scanward.ports.executions import Claim, Outcome, Stage, Status
from scanward.ports.object_store import Blob, ObjectStore, Opened, Zone
from scanward.store.ending import outcome_of
from scanward.store.zones import check_there, copy_to_quarantine

_HELD = 8 << 20

COLLISION = Fault(
    rule="pseudonym-collision",
    message="A pseudonym of this object stands for another original; raise SCANWARD_PATIENT_ID_DIGITS.",
    clause="PS3.15 E.1",
)


@dataclass(frozen=True, slots=True)
class Output:
    """A de-identified object under way: its staged blob and the row that it will get."""

    blob: Blob
    delivered: Delivered


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed object and what has come of it so far; `error` ends it."""

    claim: Claim
    size: int = 0
    stages: tuple[Stage, ...] = ()
    pairs: tuple[Pair, ...] = ()
    warnings: tuple[Fault, ...] = ()
    output: Output | None = None
    error: ScanwardError | None = None

    def failed(self, error: ScanwardError) -> Work:
        """Return the work ended by an error; what was staged is discarded."""
        if self.output:
            self.output.blob.staged.discard()
        return replace(self, output=None, error=error)


def stage_output(
    pieces: Sequence[Piece], source: Opened, raw_key: str, key: str, objects: ObjectStore, bounds: Bounds
) -> Output:
    """Write an output to staging, and let it pass the gate too. Raises Quarantined if it does not."""
    staged = objects.stage(pieces, source.fileno())
    try:
        with structure.open_object(staged.path, bounds=bounds) as written:
            found = structure.check(written.view, bounds)
            header = instance.describe(written.view, found)
            model = json_model.kept(written.view, found)
            frames = packed_table(written.view, found)
    except InvalidDicom as fault:
        staged.discard()
        raise _unsound(fault) from None
    except BaseException:
        staged.discard()
        raise
    delivered = Delivered(key, raw_key, staged.size, header, staged.sha256, model, frames)
    return Output(Blob(Zone.DEID, key, staged), delivered)


def check_output(pieces: Sequence[Piece], read: Read, bounds: Bounds) -> Instance:
    """Let an output pass the gate before any of it is written, and return its header in a line.

    `read(offset, length)` reads the source. Raises Quarantined if it does not pass.
    """
    whole = joined(pieces, read)
    # The gate only slices its view; what is small is quicker looked at in memory.
    view = memoryview(bytes(whole)) if len(whole) <= _HELD else cast("memoryview", whole)
    try:
        return instance.describe(view, structure.check(view, bounds))
    except InvalidDicom as fault:
        raise _unsound(fault) from None


def _unsound(fault: InvalidDicom) -> Quarantined:
    return Quarantined("The output does not pass the gate; this is a fault of Scanward.", faults=fault.faults)


def settle(works: Sequence[Work], ports: Ports) -> list[Outcome]:
    """Make a batch durable and return its outcomes; a fault of the surroundings is everyone's."""
    began = time.perf_counter()
    try:
        works = _without_collisions(works, ports)
        _store(works, ports)
    except ScanwardError as error:
        return [outcome_of(one.failed(error).claim, one.stages, error) for one in works]
    share = (time.perf_counter() - began) / max(len(works), 1)
    return [_outcome(work, share) for work in works]


def _without_collisions(works: Sequence[Work], ports: Ports) -> list[Work]:
    pairs = [pair for work in works if work.output for pair in work.pairs]
    colliding = set(ports.crosswalk.record(pairs)) if pairs else set()
    if not colliding:
        return list(works)
    error = Quarantined(COLLISION.message, faults=(COLLISION,))
    return [
        work.failed(error) if work.output and colliding.intersection(work.pairs) else work for work in works
    ]


def _store(works: Sequence[Work], ports: Ports) -> None:
    made = [(work, work.output) for work in works if work.output]
    at_fault = [work for work in works if isinstance(work.error, BadInput)]
    copies = _copies(at_fault, ports)
    blobs = [output.blob for _, output in made] + list(copies.values())
    if not blobs:
        return
    try:
        existed = ports.objects.put(blobs)
    finally:
        for blob in blobs:
            blob.staged.discard()
    refused = [_refusal(work) for work in at_fault if work.claim.raw_key in copies]
    receipts = ports.catalog.receive((), refused) if refused else []
    gone = set(ports.catalog.deliver([output.delivered for _, output in made]))
    gone |= {one.key for one, receipt in zip(refused, receipts, strict=True) if not receipt.key}
    _discard(made, gone, copies, ports)
    check_there([blob for blob in existed if blob.key not in gone], ports.objects)


def _copies(at_fault: Sequence[Work], ports: Ports) -> dict[str, Blob]:
    """Return copies for quarantine by raw key; an object that was deleted meanwhile has none."""
    copies = {}
    for work in at_fault:
        with suppress(NotFound):
            copies[work.claim.raw_key] = copy_to_quarantine(ports.objects, work.claim.raw_key)
    return copies


def _discard(
    made: Sequence[tuple[Work, Output]], gone: set[str], copies: Mapping[str, Blob], ports: Ports
) -> None:
    """Remove what came of objects that were deleted while they were worked on."""
    if not gone:
        return
    outputs = [(work, output) for work, output in made if work.claim.raw_key in gone]
    blobs = [(Zone.DEID, output.delivered.key) for _, output in outputs]
    blobs += [(Zone.QUARANTINE, key) for key in copies if key in gone]
    ports.deletion.discard(blobs, [pair for work, _ in outputs for pair in work.pairs])


def _refusal(work: Work) -> Refusal:
    """Return the quarantine's row; the sender's name stands in the execution."""
    error = work.error or Quarantined("")
    return Refusal(work.claim.raw_key, work.size, "", error.error, error.faults, of_line=True)


def _outcome(work: Work, share: float) -> Outcome:
    """Return how it ended; an output's share of the batch's durable writes counts to its store stage."""
    if work.output is None:
        return outcome_of(work.claim, work.stages, work.error or ScanwardError("Nothing came of it."))
    last = work.stages[-1]
    stages = (*work.stages[:-1], replace(last, seconds=last.seconds + share))
    delivered = work.output.delivered
    return Outcome(
        work.claim,
        Status.SUCCEEDED,
        faults=work.warnings,
        stages=stages,
        deid_key=delivered.key,
        deid_study_uid=delivered.instance.study_uid,
    )
