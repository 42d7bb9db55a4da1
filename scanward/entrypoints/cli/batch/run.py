"""One run of `scanward deidentify`: walk, pass by what is done, dispatch, count, report."""
# ruff: noqa: PTH108, PTH116, PTH118 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from scanward.entrypoints.cli import stopping
from scanward.entrypoints.cli.batch import pools, state
from scanward.entrypoints.cli.batch.dispatch import Dispatcher
from scanward.entrypoints.cli.batch.plan import Entry, Note, Outcome, Plan, Row, Tally
from scanward.entrypoints.cli.batch.progress import Meter
from scanward.entrypoints.cli.batch.reporting import Report
from scanward.entrypoints.cli.batch.request import Request, parsed_shard, planned
from scanward.entrypoints.cli.batch.rows import refused_row
from scanward.entrypoints.cli.batch.sources import Shard, sources
from scanward.entrypoints.cli.batch.summary import as_json
from scanward.entrypoints.cli.batch.work import run_batch, worker_of
from scanward.errors import BadInput, Misconfigured, OutOfSpace

Show = Callable[[Tally], None]


class Run:
    """A run under way."""

    def __init__(self, request: Request, *, show: Show) -> None:
        """Check the request. `show` gets each batch's notes and rows. Raises BadInput or Misconfigured."""
        self._request = request
        self._shard: Shard = parsed_shard(request.shard)
        self._show = show
        self.total = Tally()
        self.plan: Plan = planned(request)
        self._fingerprints = worker_of(self.plan).fingerprints
        self._report: Report | None = None
        self._done: state.StateReader | None = None
        self._superseded: dict[int, state.Done] = {}

    def count(self, stop: threading.Event) -> int | None:
        """Return how many inputs there are, None if stopped before that is known."""
        total = 0
        for source in sources(self.plan):
            if stop.is_set():
                return None
            total += self._mine(source)
        return total

    def go(self, meter: Meter) -> Tally:
        """Do all of it. Raises OutOfSpace, Misconfigured or Unavailable; run again, it continues."""
        started = time.monotonic()
        with ExitStack() as stack:
            if not self.plan.dry and not self.plan.to_bucket:
                self._open_state(stack)
            report = self._open_report()
            if report is not None:
                stack.callback(report.leave)
            pool = self._pool()
            stack.callback(pool.close)
            dispatcher = Dispatcher(
                pool, self.plan, run_batch, lambda path: f"{self._fingerprints.path(path):016x}"
            )
            for tally in dispatcher.run(self._entries(meter)):
                stopping.check()
                self._take(tally, meter)
            self._remove_superseded()
            self.total.seconds = time.monotonic() - started
            if report is not None:
                report.close(self.summary())
        return self.total

    def summary(self) -> dict[str, object]:
        """Return the summary for programs."""
        return as_json(self.total, self.plan, worker_of(self.plan).engine, str(self._shard))

    def _open_state(self, stack: ExitStack) -> None:
        try:
            state.make_folders(self.plan.state)
        except FileExistsError:
            raise BadInput("A part of OUT's path is a file; give a folder.") from None
        except OSError as error:
            raise _unwritable(error) from None
        stack.callback(os.close, _locked(self.plan.state, self._shard))
        state.sweep(self.plan.state, str(self._shard))
        self.plan = replace(self.plan, run=state.next_run(self.plan.state, str(self._shard)))
        self._done = state.StateReader(self.plan.state)
        stack.callback(self._done.close)

    def _open_report(self) -> Report | None:
        if self._request.report is not None:
            outputs = frozenset(row.output for row in self._done or () if self._stands(row))
            self._report = Report(self._request.report, stands=outputs.__contains__)
        return self._report

    def _pool(self) -> pools.Pool:
        if self._request.scheduler:
            return pools.cluster(self._request.scheduler)
        return pools.InlinePool() if self._request.jobs == 1 else pools.ProcessPool(self._request.jobs)

    def _entries(self, meter: Meter) -> Iterator[Entry]:
        """Yield what is to be done; count what is done already or no file at all."""
        for source in sources(self.plan):
            if not self._mine(source):
                continue
            if isinstance(source, Note):
                self._take(self._noted(source), meter)
            elif self._is_done(source):
                self._take(_already(source), meter)
            else:
                yield source

    def _mine(self, source: Entry | Note) -> bool:
        return self._shard.count == 1 or self._shard.holds(self._fingerprints.path(source.relative))

    def _is_done(self, entry: Entry) -> bool:
        row = self._done.find(self._fingerprints.path(entry.relative)) if self._done else None
        if row is None:
            return False
        if row.version_hash != self._fingerprints.version(entry) or not self._stands(row):
            self._superseded[row.path_hash] = row
            return False
        return self._report is None or row.output in self._report

    def _output_path(self, row: state.Done) -> str:
        return os.path.join(self.plan.target, row.output)

    def _stands(self, row: state.Done) -> bool:
        try:
            status = os.stat(self._output_path(row))
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (row.size, row.mtime_ns)

    def _remove_superseded(self) -> None:
        """Remove outputs of an earlier policy or input whose successor is named otherwise, or was refused."""
        if not self._superseded:
            return
        with closing(state.StateReader(self.plan.state)) as newest:
            kept = {row.output for row in newest if self._superseded.get(row.path_hash) != row}
        for row in self._superseded.values():
            if row.output not in kept and self._stands(row):
                os.unlink(self._output_path(row))

    def _take(self, tally: Tally, meter: Meter) -> None:
        self.total.add(tally)
        meter.advance(tally.files, tally.bytes)
        if self._report is not None:
            for row in tally.rows:
                self._report.add(row.text)
            self._report.flush()
        self._show(tally)

    def _noted(self, note: Note) -> Tally:
        tally = Tally(files=1, notes=[note])
        tally.outcomes[note.outcome] += 1
        if self.plan.rows:
            key = f"{self._fingerprints.path(note.relative):016x}"
            tally.rows.append(Row(note.relative, refused_row(key, note.outcome, note.reason)))
        return tally


def _already(entry: Entry) -> Tally:
    tally = Tally(files=1, bytes=entry.size)
    tally.outcomes[Outcome.ALREADY_DONE] += 1
    return tally


def _locked(folder: str, shard: Shard) -> int:
    """Hold the shard's lock for as long as the run lasts; the system frees it whatever ends the run."""
    path = Path(folder) / f"lock-{shard}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BadInput(
            "Another run writes this OUT (for this shard). Wait for it, or give another OUT."
        ) from None
    except OSError:
        return descriptor  # a file system without locks: the person sees to it
    return descriptor


def _unwritable(error: OSError) -> Exception:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutOfSpace("The disk of the output is full.")
    return Misconfigured(f"OUT cannot be written: {os.strerror(error.errno or 0)}.")
