"""One line of the table: how one file ended, in words of people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from scanward.entrypoints.cli.ingest.arrivals import Unread
from scanward.errors import Fault, JsonValue, Quarantined
from scanward.ports.catalog import Receipt
from scanward.ports.executions import Execution, Status

_READ_PAST = frozenset({"dicomdir"})
_NOT_DICOM = frozenset({"not-dicom", "empty"})
_GOOD = frozenset({"deidentified", "already done", "skipped"})


@dataclass(frozen=True, slots=True)
class Line:
    """One file: name, modality, outcome, seconds, and why it was rejected or what is to be known."""

    name: str
    outcome: str
    size: int = 0
    modality: str = ""
    seconds: float | None = None
    reason: str = ""
    execution_id: str = ""
    key: str = ""

    @property
    def bad(self) -> bool:
        """Say whether somebody must look at it."""
        return self.outcome not in _GOOD

    def as_json(self) -> dict[str, JsonValue]:
        """Return the line for programs."""
        return asdict(self)


def of_unread(unread: Unread) -> Line:
    """Return the line of what could not be read, or is no file."""
    return Line(unread.name, "skipped" if unread.skipped else "rejected", reason=unread.reason)


def of_receipt(receipt: Receipt, size: int) -> Line:
    """Return the line of an accepted or refused file."""
    if receipt.execution_id:
        outcome = "already done" if receipt.duplicate else "RUNNING"
        return Line(receipt.name, outcome, size, execution_id=receipt.execution_id)
    rules = {fault.rule for fault in receipt.faults if fault.severity == "reject"} or {
        fault.rule for fault in receipt.faults
    }
    outcome = "skipped" if rules and rules <= _READ_PAST | _NOT_DICOM else "rejected"
    return Line(receipt.name, outcome, size, reason=_reason(receipt.error, receipt.faults))


def of_execution(line: Line, execution: Execution) -> Line:
    """Return the line with its execution's end; for a file that was there already, its first execution's."""
    seconds = sum(stage.seconds for stage in execution.stages)
    ended = replace(line, modality=execution.modality, seconds=seconds, key=execution.deid_key)
    if execution.status is Status.SUCCEEDED:
        return replace(ended, outcome="deidentified" if line.outcome == "RUNNING" else line.outcome)
    reason = _reason(execution.cause or execution.error, execution.faults)
    if execution.status is Status.TIMED_OUT:
        return replace(ended, outcome="timed out", reason=reason)
    outcome = "quarantined" if execution.error == Quarantined.error else "rejected"
    return replace(ended, outcome=outcome, reason=reason)


def _reason(error: str, faults: tuple[Fault, ...]) -> str:
    """Return the first fault that matters with its place, and how many more there are."""
    weighty = [fault for fault in faults if fault.severity == "reject"] or list(faults)
    if not weighty:
        return error
    first = weighty[0]
    place = f"{first.path} " if first.path and first.path not in first.message else ""
    more = f" (and {len(weighty) - 1} more)" if len(weighty) > 1 else ""
    return f"{place}{first.message}{more}"
