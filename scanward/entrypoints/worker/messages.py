"""What a worker tells its supervisor, so that the supervisor knows whose fault it is when the worker ends."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.ports.executions import Claim


@dataclass(frozen=True, slots=True)
class Claimed:
    """Work was leased; () says that there is none any more and the worker is idle."""

    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Began:
    """A stage of one claimed object begins, and its limit; `index` -1 stands for the whole batch."""

    index: int
    stage: str


Message = Claimed | Began
SETTLE = "settle"
