"""How a work ends that did not succeed: the object's own fault for good, anything else once more later."""

from __future__ import annotations

from scanward.errors import BadInput, OutOfSpace, ScanwardError
from scanward.ports.executions import Claim, Outcome, Stage, Status

_FIRST_PAUSE = 2.0
_FULL_DISK_PAUSE = 30.0


def outcome_of(claim: Claim, stages: tuple[Stage, ...], error: ScanwardError) -> Outcome:
    """Return FAILED with the seeds' words for what is at fault itself, else RUNNING with a back-off.

    Pauses double with each attempt: 2, 4 s, … and from 30 s on where the disk is full.
    """
    if isinstance(error, BadInput):
        return Outcome(claim, Status.FAILED, error.error, error.message, error.faults, stages)
    first = _FULL_DISK_PAUSE if isinstance(error, OutOfSpace) else _FIRST_PAUSE
    pause = first * 2 ** (claim.attempt - 1)
    return Outcome(claim, Status.RUNNING, error.error, error.message, error.faults, stages, retry_after=pause)


def unexpected(fault: Exception) -> ScanwardError:
    """Return what may be told of a surprise: its type, and the last place in our own code. Never its text."""
    place = ""
    trace = fault.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("scanward."):
            place = f" in {name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return ScanwardError(f"{type(fault).__name__}{place}.")
