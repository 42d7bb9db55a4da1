"""Between a worker and its supervisor: leases go by a pipe, what is in hand stands in shared memory.

The supervisor must know whose fault it is when a worker ends or hangs. A message for each stage of each
object would cost both more than it is worth; a few numbers in memory cost nothing, and outlive the worker.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from ctypes import Array, c_double
from dataclasses import dataclass
from multiprocessing.connection import Connection

from scanward.pipeline import STEPS
from scanward.ports.executions import Claim

SETTLE = "settle"
"""The whole batch is being made durable; no single object is in hand."""

NOBODY = -1
_STAGES = ("", SETTLE, *(name for name, _ in STEPS))
_INDEX, _STAGE, _SINCE, _RELIEVED = range(4)
CELLS = 4


@dataclass(frozen=True)
class Seat:
    """One end for each side; `cells` are the shared ones."""

    pipe: Connection
    cells: Array[c_double]

    def claimed(self, claims: Sequence[Claim]) -> None:
        """Tell what was leased; nothing says that the worker is idle."""
        self.cells[_RELIEVED] = 0
        self.begin(NOBODY, "")
        self.pipe.send(tuple(claims))

    def begin(self, index: int, stage: str) -> None:
        """Note which object of the batch is in hand, and that a stage begins; its limit counts from now."""
        self.cells[_SINCE] = time.monotonic()
        self.cells[_STAGE] = _STAGES.index(stage)
        self.cells[_INDEX] = index

    @property
    def index(self) -> int:
        """Return the place in the batch of the object in hand, or NOBODY."""
        return int(self.cells[_INDEX])

    @property
    def stage(self) -> str:
        """Return the stage, "" between batches."""
        return _STAGES[int(self.cells[_STAGE])]

    @property
    def since(self) -> float:
        """Return when the stage began, by the machine's monotonic clock, which all processes share."""
        return float(self.cells[_SINCE])

    def relieve(self) -> None:
        """Ask the worker to take up no more of its batch: others do that while it is held up."""
        self.cells[_RELIEVED] = 1

    @property
    def relieved(self) -> bool:
        """Return whether the rest of the batch is others' by now."""
        return bool(self.cells[_RELIEVED])
