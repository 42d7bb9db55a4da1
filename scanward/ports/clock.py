"""The time, so that tests can hold it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time in UTC."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, UTC."""
        ...
