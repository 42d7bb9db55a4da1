"""The whole way of one object: received at a door, then validated, de-identified and stored in the line.

`accept` answers the sender once an object is durable in raw, or in quarantine with the reason. `advance`
takes one claimed object through STEPS, `settle` makes a batch of them durable. All may be repeated after a
crash anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import is_placeholder
from scanward.deidentify.report import Cleaned
from scanward.dicom import structure
from scanward.dicom.structure import DEFAULT, Bounds
from scanward.errors import Fault, ScanwardError, Severity, Unavailable
from scanward.ports import Ports
from scanward.ports.catalog import Receipt
from scanward.ports.crosswalk import Pair
from scanward.ports.executions import Claim, Outcome, Stage, Status
from scanward.ports.object_store import Opened, Zone
from scanward.receive.part10 import ANY, Arrival, NotTaken, Terms, receive
from scanward.store.incoming import keep
from scanward.store.outgoing import Output, Work, settle, stage_output
from scanward.store.zones import deid_key
from scanward.validate import raise_rejected, validate

__all__ = ["STEPS", "Arrival", "Line", "Terms", "Work", "accept", "advance", "judge", "process", "settle"]

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Line:
    """What an object meets on its way: the world, the policy, the rules and the bounds."""

    ports: Ports
    engine: Engine
    severities: Mapping[str, Severity]
    bounds: Bounds = DEFAULT


@dataclass(frozen=True, slots=True)
class _Passage:
    """One object between two steps."""

    raw_key: str
    source: Opened
    warnings: tuple[Fault, ...] = ()
    cleaned: Cleaned | None = None
    output: Output | None = None


def accept(
    arrivals: Sequence[Arrival], ports: Ports, bounds: Bounds = DEFAULT, terms: Terms = ANY
) -> list[Receipt]:
    """Take files through the gate and keep them durably; return a receipt a file, in order.

    A receipt names the execution, or the reason of the refusal; a DICOMDIR is read past (rule `dicomdir`),
    and what does not meet the terms is not kept.
    Raises OutOfSpace or Unavailable; files of earlier batches of 64 are kept then, and a repeat finds them.
    """
    receipts: list[Receipt] = []
    try:
        for start in range(0, len(arrivals), _BATCH):
            receipts += _accept_batch(arrivals[start : start + _BATCH], ports, bounds, terms)
    finally:
        for arrival in arrivals:
            arrival.staged.discard()
    return receipts


def advance(claim: Claim, line: Line, watch: Callable[[str], None] = lambda _stage: None) -> Work:
    """Take one claimed object through all steps, each announced to `watch`; nothing is durable yet."""
    work = Work(claim)
    try:
        with line.ports.objects.open(Zone.RAW, claim.raw_key) as source:
            work = replace(work, size=len(source.view))
            passage = _Passage(claim.raw_key, source)
            for name, step in STEPS:
                watch(name)
                began = time.perf_counter()
                status = Status.FAILED
                try:
                    passage = step(passage, line)
                    status = Status.SUCCEEDED
                finally:
                    stage = Stage(name, status, time.perf_counter() - began)
                    work = replace(work, stages=(*work.stages, stage))
    except ScanwardError as error:
        return work.failed(error)
    except OSError:
        return work.failed(Unavailable("The disk could not be read or written."))
    return replace(work, output=passage.output, pairs=_pairs(passage.cleaned), warnings=passage.warnings)


def process(claim: Claim, line: Line) -> Outcome:
    """Take one claimed object all the way; its outcome is to be finished by the caller."""
    return settle([advance(claim, line)], line.ports)[0]


def judge(view: memoryview, severities: Mapping[str, Severity], bounds: Bounds) -> tuple[Fault, ...]:
    """Take an object through the gate and the rules: the step "validate", on every engine.

    Returns what it breaks without harm. Raises InvalidDicom, or ValidationFailed with every fault.
    """
    faults = validate(view, structure.check(view, bounds), severities)
    raise_rejected(faults)
    return faults


def _validate(passage: _Passage, line: Line) -> _Passage:
    return replace(passage, warnings=judge(passage.source.view, line.severities, line.bounds))


def _deidentify(passage: _Passage, line: Line) -> _Passage:
    cleaned = line.engine.clean_file(passage.source.fileno(), len(passage.source.view))
    return replace(passage, cleaned=cleaned, warnings=passage.warnings + cleaned.warnings)


def _store(passage: _Passage, line: Line) -> _Passage:
    key = deid_key(passage.raw_key, line.engine.release)
    pieces = passage.cleaned.pieces if passage.cleaned else ()
    output = stage_output(pieces, passage.source, passage.raw_key, key, line.ports.objects, line.bounds)
    return replace(passage, output=output)


STEPS = (("validate", _validate), ("deidentify", _deidentify), ("store", _store))
"""The order of the steps, written here and nowhere else."""


def _accept_batch(arrivals: Sequence[Arrival], ports: Ports, bounds: Bounds, terms: Terms) -> list[Receipt]:
    verdicts = [receive(arrival, bounds, terms) for arrival in arrivals]
    kept = iter(
        keep(
            [
                (arrival.staged, verdict)
                for arrival, verdict in zip(arrivals, verdicts, strict=True)
                if not isinstance(verdict, NotTaken)
            ],
            ports,
        )
    )
    return [
        Receipt(verdict.name, "", error=verdict.error, faults=(verdict.fault,), named=verdict.named)
        if isinstance(verdict, NotTaken)
        else next(kept)
        for verdict in verdicts
    ]


def _pairs(cleaned: Cleaned | None) -> tuple[Pair, ...]:
    """Return what stands for what. A placeholder PatientID stands for nobody, so it is no pair."""
    if cleaned is None:
        return ()
    old, new = cleaned.original, cleaned.replaced
    pairs = [
        Pair("study", old.study_uid, new.study_uid),
        Pair("series", old.series_uid, new.series_uid),
        Pair("instance", old.instance_uid, new.instance_uid),
    ]
    if not is_placeholder(old.patient_id):
        # As HL7 writes an ID with its issuer: the same ID of two issuers is two patients.
        patient = f"{old.patient_id}^^^{old.issuer}" if old.issuer else old.patient_id
        pairs.append(Pair("patient", patient, new.patient_id))
    return tuple(pairs)
