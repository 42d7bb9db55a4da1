"""Accepts files in batches while workers take them through the line, waits for the last, prints the table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from scanward import logs
from scanward.dicom.structure import Bounds
from scanward.entrypoints import worker
from scanward.entrypoints.cli.console import err, out, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.entrypoints.cli.ingest.arrivals import Unread, arrivals, missing
from scanward.entrypoints.cli.ingest.outcomes import Line, of_execution, of_receipt, of_unread
from scanward.entrypoints.cli.ingest.progress import Watch, watch
from scanward.entrypoints.cli.ingest.table import show
from scanward.errors import Unavailable
from scanward.pipeline import Arrival, accept
from scanward.ports import Ports
from scanward.ports.executions import Status
from scanward.settings import Settings
from scanward.wiring import open_bounds, open_ports

_BATCH = 64
_PAUSE = 0.05
_PATIENCE = 60.0
_GRACE = 1.0  # a person waits for the end


def ingest_command(paths: Sequence[Path], settings: Settings, *, json: bool) -> int:
    """Take files through the line; return 0, or 1 if one ended badly."""
    missing(paths)
    logs.configure("ERROR")
    changed = {"workers": max(1, settings.workers), "stop_seconds": min(_GRACE, settings.stop_seconds)}
    settings = settings.model_copy(update={**changed, "log_level": "ERROR"})
    ports = open_ports(settings)
    started = time.monotonic()
    with ExitStack() as stack:
        progress = stack.enter_context(watch(err()))
        stack.enter_context(worker.supervise(settings, ports))
        lines = _accepted(paths, ports, open_bounds(settings), progress)
        lines = list(_ended(lines, ports, progress))
    seconds = time.monotonic() - started
    if json:
        for line in lines:
            print_json(line.as_json())
        print_json({"summary": summary(lines, seconds)})
    else:
        show(lines, seconds, out())
    return PARTLY if any(line.bad for line in lines) else 0


def summary(lines: Sequence[Line], seconds: float) -> dict[str, object]:
    """Return counts by outcome, bytes and time."""
    outcomes: dict[str, int] = {}
    for line in lines:
        outcomes[line.outcome] = outcomes.get(line.outcome, 0) + 1
    size = sum(line.size for line in lines)
    return {"files": len(lines), "outcomes": outcomes, "bytes": size, "seconds": round(seconds, 3)}


def _accepted(paths: Sequence[Path], ports: Ports, bounds: Bounds, progress: Watch) -> list[Line]:
    lines: list[Line] = []
    batch: list[Arrival] = []
    for arrival in arrivals(paths, ports.objects, bounds):
        if isinstance(arrival, Unread):
            lines.append(of_unread(arrival))
            continue
        batch.append(arrival)
        if len(batch) == _BATCH:
            lines += _taken(batch, ports, bounds, progress)
            batch = []
    return lines + _taken(batch, ports, bounds, progress)


def _taken(batch: Sequence[Arrival], ports: Ports, bounds: Bounds, progress: Watch) -> list[Line]:
    sizes = [arrival.staged.size for arrival in batch]
    receipts = accept(batch, ports, bounds) if batch else []
    progress.accepted(len(batch))
    return [of_receipt(receipt, size) for receipt, size in zip(receipts, sizes, strict=True)]


def _ended(lines: Sequence[Line], ports: Ports, progress: Watch) -> Iterator[Line]:
    """Yield each line with its execution's end. Raises Unavailable if nothing moves for a minute."""
    for number, line in enumerate(lines):
        if line.execution_id:
            execution = ports.executions.describe(line.execution_id)
            waited, before = time.monotonic(), ports.executions.statistics()
            while execution.status is Status.RUNNING:
                time.sleep(_PAUSE)
                execution = ports.executions.describe(line.execution_id)
                if time.monotonic() - waited > _PATIENCE:
                    now = ports.executions.statistics()
                    if now == before and not execution.attempts:
                        raise Unavailable(
                            "The line does not move; `scanward doctor` tells what may be wrong."
                        )
                    waited, before = time.monotonic(), now
            yield of_execution(line, execution)
        else:
            yield line
        progress.ended(number + 1)
