"""The work of the line, leased to workers; on AWS Step Functions does that instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scanward.ports.executions import Claim, Outcome


class Queue(Protocol):
    """RUNNING executions, claimed under a lease and finished under its token."""

    def claim(self, worker: str, count: int, lease_seconds: float) -> list[Claim]:
        """Lease up to `count` RUNNING executions that nobody holds; their attempts are counted now."""
        ...

    def renew(self, claims: Sequence[Claim], lease_seconds: float) -> None:
        """Prolong leases that are still held; at zero seconds they lapse, and each is then claimed alone."""
        ...

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back work that was not begun; its attempt is uncounted. Lost leases are left alone."""
        ...

    def finish(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes in one transaction, but for those whose lease was lost; return how many held."""
        ...
