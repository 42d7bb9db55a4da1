"""`/dicomweb/{zone}/changes`: what happened to a zone's objects, to be read on from where one stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from scanward.entrypoints.http.dicomweb.addresses import ReadZone
from scanward.entrypoints.http.service import Here
from scanward.ports.changes import Action, Change, Window
from scanward.ports.object_store import Zone

router: Final = APIRouter(tags=["changes"])
LARGEST: Final = (1 << 63) - 1


class ChangeAnswer(BaseModel):
    """One change. Its UIDs are the zone's own; "" where an object has none that can be read."""

    sequence: int = Field(description="Grows with every change of the zone.")
    at: datetime
    action: Action
    study_uid: str
    series_uid: str
    instance_uid: str

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the answer's form of a change."""
        return cls(
            sequence=change.sequence,
            at=change.at,
            action=change.action,
            study_uid=change.study_uid,
            series_uid=change.series_uid,
            instance_uid=change.instance_uid,
        )


class ChangesAnswer(BaseModel):
    """A page of the feed."""

    changes: list[ChangeAnswer]
    since: int = Field(description="Ask with this for the changes after these.")
    more: bool = Field(description="There are changes after these already.")


@router.get("/dicomweb/{zone}/changes", summary="Read what changed in a zone")
def read_changes(
    service: Here,
    zone: ReadZone,
    since: Annotated[int, Query(ge=0, le=LARGEST, description="The last sequence number read.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    begin: Annotated[
        datetime | None, Query(description="Only changes from then on; UTC without a zone.")
    ] = None,
    end: Annotated[datetime | None, Query(description="Only changes before; UTC without a zone.")] = None,
) -> ChangesAnswer:
    """List changes, oldest first: stored, de-identified, superseded, quarantined, deleted."""
    window = Window(_utc(begin), _utc(end))
    # One more than asked for tells whether there are more.
    found = service.ports.changes.since(Zone(zone), since, limit + 1, window)
    page = found[:limit]
    return ChangesAnswer(
        changes=[ChangeAnswer.of(change) for change in page],
        since=page[-1].sequence if page else since,
        more=len(found) > limit,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
