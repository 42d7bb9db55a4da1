"""An engine that hangs at some objects, as the real one must not: in Python, or in C where nothing helps."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from itertools import repeat

from scanward.deidentify.engine import Engine
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.cli.batch.plan import Entry, Plan, Tally
from scanward.entrypoints.cli.batch.work import run_batch, worker_of

HANGING = "Hangs^Ever"
STUCK = "Stuck^Inside"


class HangingEngine(Engine):
    def clean_file(self, fd: int, size: int) -> Cleaned:
        content = os.pread(fd, size, 0)
        while HANGING.encode() in content:
            pass
        if STUCK.encode() in content:
            deque(repeat(0), maxlen=0)
        return super().clean_file(fd, size)


def work(plan: Plan, entries: Sequence[Entry]) -> Tally:
    """Do a batch as the command does, with that engine."""
    worker_of(plan).engine.__class__ = HangingEngine
    return run_batch(plan, entries)
