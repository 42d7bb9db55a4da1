"""Hands batches to a pool and takes their counts; a worker that dies loses no file and doubles none.

Outputs are named only when whole, and an input's second run replaces its own output; so a batch whose worker
died is simply run again. Which file killed the worker shows when suspects run alone: first batch by batch,
then file by file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from scanward.entrypoints.cli.batch.plan import Entry, Note, Outcome, Plan, Row, Tally
from scanward.entrypoints.cli.batch.pools import Pool
from scanward.entrypoints.cli.batch.rows import refused_row
from scanward.errors import Unavailable

Work = Callable[[Plan, Sequence[Entry]], Tally]
_BATCH_BYTES = 256 << 20
_ATTEMPTS = 2  # alone, so that a worker killed from outside costs nobody a file
KILLED = "it ended its worker process, alone and twice (out of memory, a crash, or no end in time)"


class Dispatcher:
    """Runs a plan's inputs through a pool."""

    def __init__(self, pool: Pool, plan: Plan, work: Work, input_key: Callable[[str], str]) -> None:
        """Keep what is needed; `input_key` names a killing input in the report."""
        self._pool = pool
        self._plan = plan
        self._work = work
        self._input_key = input_key
        self._files = float(pool.batch_files[0])
        self._running: dict[Future[Tally], list[Entry]] = {}
        self._suspects: list[list[Entry]] = []

    def run(self, entries: Iterator[Entry]) -> Iterator[Tally]:
        """Yield the counts of one batch after the other, in the order of their ends."""
        more = True
        while more or self._running:
            while more and len(self._running) < self._pool.window and not self._suspects:
                batch = self._batch(entries)
                more = bool(batch)
                if batch:
                    self._submit(batch)
            yield from self._finished()
            if self._suspects:
                yield from self._isolated()

    def _batch(self, entries: Iterator[Entry]) -> list[Entry]:
        batch: list[Entry] = []
        size = 0
        for entry in entries:
            batch.append(entry)
            size += entry.size
            if len(batch) >= self._files or size >= _BATCH_BYTES:
                break
        return batch

    def _submit(self, batch: list[Entry]) -> None:
        try:
            self._running[self._pool.executor.submit(self._work, self._plan, tuple(batch))] = batch
        except self._pool.broken:
            self._suspects.append(batch)

    def _finished(self) -> Iterator[Tally]:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            batch = self._running.pop(future)
            try:
                tally = future.result()
            except self._pool.broken:
                self._suspects.append(batch)
            else:
                self._adapt(tally)
                yield tally

    def _adapt(self, tally: Tally) -> None:
        """Grow batches while they are short, so that progress moves and a task's own cost does not show."""
        least, most = self._pool.batch_files
        if tally.seconds > self._pool.batch_seconds * 2:
            self._files = max(least, self._files / 2)
        elif tally.seconds < self._pool.batch_seconds and tally.files >= self._files:
            self._files = min(most, self._files * 2)

    def _isolated(self) -> Iterator[Tally]:
        """Run the suspects alone, after what still runs has ended."""
        while self._running:
            yield from self._finished()
        suspects, self._suspects = self._suspects, []
        self._pool.renew(alone=True)
        for batch in suspects:
            tally = self._alone(batch)
            if tally is not None:
                yield tally
            else:
                yield from map(self._judged, batch)
        self._pool.renew()

    def _judged(self, entry: Entry) -> Tally:
        for _ in range(_ATTEMPTS):
            tally = self._alone([entry])
            if tally is not None:
                return tally
        if self._alone([]) is None:
            raise Unavailable(
                "Workers end at their start; the machine or its memory is not fit. Then run again."
            )
        return self._killing(entry)

    def _alone(self, batch: list[Entry]) -> Tally | None:
        """Run a batch with nothing beside it; None if it ended its worker."""
        try:
            return self._pool.executor.submit(self._work, self._plan, tuple(batch)).result()
        except self._pool.broken:
            self._pool.renew(alone=True)
            return None

    def _killing(self, entry: Entry) -> Tally:
        tally = Tally(files=1, bytes=entry.size)
        tally.outcomes[Outcome.REJECTED] += 1
        tally.notes.append(Note(entry.relative, Outcome.REJECTED, KILLED))
        row = refused_row(self._input_key(entry.relative), Outcome.REJECTED, KILLED)
        tally.rows += [Row(entry.relative, row)] if self._plan.rows else []
        return tally
