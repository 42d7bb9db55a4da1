"""One thing looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Grade = Literal["good", "warning", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, what was seen, and what to do if it is not good."""

    subject: str
    grade: Grade
    seen: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding for programs."""
        return asdict(self)
