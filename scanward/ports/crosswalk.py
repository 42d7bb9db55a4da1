"""Which pseudonym stands for whom; encrypted, and asked by one role only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pair:
    """kind: patient | study | series | instance; original as in the object, pseudonym as in its output."""

    kind: str
    original: str
    pseudonym: str


class Crosswalk(Protocol):
    """The crosswalk raw <-> deid."""

    def record(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Keep pairs, encrypted; return collisions: pairs whose pseudonym stands for another original."""
        ...

    def original(self, kind: str, pseudonym: str, asker: str) -> str:
        """Return the original; the look-up is audited. Raises NotFound."""
        ...
