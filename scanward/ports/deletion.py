"""The end of objects: nothing of them stays but what the change feed tells, UIDs and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scanward.ports.crosswalk import Pair
from scanward.ports.object_store import Zone


class Deletion(Protocol):
    """Removes objects of the raw zone with all that was made of them."""

    def delete(self, study_uid: str, series_uid: str = "", instance_uid: str = "") -> int:
        """Remove a study, series or instance by its original UIDs; return how many instances went.

        What was made of it in deid and quarantine goes too, with its versions, its executions and those pairs
        of the crosswalk that nothing else needs. Raises NotFound; Unavailable leaves the rest to `finish`.
        """
        ...

    def discard(self, blobs: Sequence[tuple[Zone, str]], pairs: Sequence[Pair]) -> None:
        """Remove what the line made of an object that was deleted meanwhile, unless something needs it."""
        ...

    def finish(self) -> int:
        """Remove from the store what earlier deletions left there, because it failed or a crash came."""
        ...
