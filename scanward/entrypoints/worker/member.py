"""One worker process as its supervisor sees it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess

from scanward.entrypoints.worker.seat import Seat
from scanward.ports.executions import Claim


@dataclass
class Member:
    """One worker process, and what it last leased; () when it is idle, None before it asked."""

    process: ForkServerProcess
    seat: Seat
    leased: tuple[Claim, ...] | None = None

    @property
    def ready(self) -> bool:
        """Return whether it has asked for work."""
        return self.leased is not None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Return what it leased last."""
        return self.leased or ()

    @property
    def current(self) -> Claim | None:
        """Return the object that it has in hand, None between batches and while a whole batch is settled."""
        index = self.seat.index
        return self.claims[index] if 0 <= index < len(self.claims) else None

    @property
    def others(self) -> list[Claim]:
        """Return what it leased besides."""
        return [claim for place, claim in enumerate(self.claims) if place != self.seat.index]

    @property
    def seconds(self) -> float:
        """Return how long the stage lasts that it is in; 0 when it is idle."""
        return time.monotonic() - self.seat.since if self.claims and self.seat.stage else 0.0

    def hear(self) -> None:
        """Hear all that the worker said; one that died said its last before."""
        with contextlib.suppress(EOFError, OSError):
            while self.seat.pipe.poll():
                self.leased = self.seat.pipe.recv()

    def relieve(self) -> tuple[Claim, ...]:
        """Let it take up no more of its batch; return what is thereby free."""
        if self.seat.relieved:
            return ()
        self.seat.relieve()
        return self.claims[self.seat.index + 1 :]

    def end(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.join()
        self.hear()

    def ended(self) -> bool:
        """Return whether it has ended, and then close what belongs to it."""
        if self.process.is_alive():
            return False
        self.process.join()
        self.seat.pipe.close()
        return True
