"""Log events in batches that CloudWatch Logs takes, in order and none left out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanward.errors import BadInput

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

_MOST_EVENTS: Final = 10_000
_MOST_BYTES: Final = 1 << 20
_BYTES_AN_EVENT: Final = 26  # what CloudWatch counts beside the message's own bytes
_LONGEST: Final = 24 * 3600 * 1000
_OLDEST: Final = 14 * 24 * 3600 * 1000
_NEWEST: Final = 2 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class _Event:
    timestamp: int
    message: str
    bytes: int


def batches(given: Sequence[Mapping[str, Any]]) -> Iterator[list[InputLogEventTypeDef]]:
    """Yield events in order of time, at most 10,000, 1 MiB and 24 hours a batch.

    Every event is checked before the first batch, so that nothing is sent of a list that would be refused in
    part. Raises BadInput with the places of what is wrong.
    """
    now = time.time_ns() // 1_000_000
    _refuse(given, now)
    events = [
        _Event(one["timestamp"], one["message"], len(one["message"].encode()) + _BYTES_AN_EVENT)
        for one in given
    ]
    return _cut(sorted(events, key=lambda event: event.timestamp))


def _cut(events: Sequence[_Event]) -> Iterator[list[InputLogEventTypeDef]]:
    batch: list[InputLogEventTypeDef] = []
    size = 0
    for event in events:
        if batch and (
            len(batch) == _MOST_EVENTS
            or size + event.bytes > _MOST_BYTES
            or event.timestamp - batch[0]["timestamp"] >= _LONGEST
        ):
            yield batch
            batch, size = [], 0
        batch.append({"timestamp": event.timestamp, "message": event.message})
        size += event.bytes
    if batch:
        yield batch


def _refuse(given: Sequence[Mapping[str, Any]], now: int) -> None:
    reasons: dict[str, list[int]] = {}
    for place, one in enumerate(given, 1):
        reason = _fault(one, now)
        if reason:
            reasons.setdefault(reason, []).append(place)
    if reasons:
        said = "; ".join(f"event {_places(places)}: {reason}" for reason, places in reasons.items())
        raise BadInput(f"Nothing was written, because some events cannot be: {said}.")


def _places(places: Sequence[int]) -> str:
    shown = ", ".join(map(str, places[:5]))
    return shown if len(places) <= 5 else f"{shown} and {len(places) - 5} more"  # noqa: PLR2004 - a line's worth


def _fault(one: object, now: int) -> str:
    if not isinstance(one, Mapping) or set(one) != {"timestamp", "message"}:
        return "needs `timestamp` and `message`, and nothing else"
    moment, message = one["timestamp"], one["message"]
    if isinstance(moment, bool) or not isinstance(moment, int):
        return "its timestamp is not a whole number of milliseconds since 1970"
    if not isinstance(message, str) or not message:
        return "its message is not a text, or empty"
    return _bound(moment, message, now)


def _bound(moment: int, message: str, now: int) -> str:
    try:
        size = len(message.encode())
    except UnicodeEncodeError:
        return "its message holds half a character"
    if size + _BYTES_AN_EVENT > _MOST_BYTES:
        return f"its message is longer than {_MOST_BYTES - _BYTES_AN_EVENT} bytes"
    if moment < now - _OLDEST:
        return "it is older than 14 days"
    if moment > now + _NEWEST:
        return "it is more than 2 hours in the future"
    return ""
