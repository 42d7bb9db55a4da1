"""Who is told when an execution ends badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scanward.ports.executions import Status


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: a name that is a keyed hash, words and counts; never a key or a patient's value.

    rules: how often each rule was broken.
    """

    execution: str
    status: Status
    error: str
    attempt: int = 1
    dead_letter: bool = False
    rules: tuple[tuple[str, int], ...] = ()


class Notifier(Protocol):
    """Tells people."""

    def tell(self, notice: Notice) -> None:
        """Tell of a failure, at least once. Raises Unavailable, Refused or NotFound."""
        ...
