"""Bodies of any size as they come: in step with the disk, bounded in time, drained where refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from fastapi import Request

from scanward.entrypoints.http.refusals import SlowBody
from scanward.entrypoints.http.service import Limits
from scanward.errors import ScanwardError
from scanward.receive.multipart import Data

_AT_ONCE: Final = 1 << 20
_DRAIN_BYTES: Final = 16 << 20
_DRAIN_SECONDS: Final = 2.0
_Event = TypeVar("_Event")


async def in_step(events: AsyncIterator[Sequence[_Event]], take: Callable[[list[_Event]], None]) -> None:
    """Pass events on to the disk: the next bytes are asked for when the last ones are written."""
    waiting, weight = list[_Event](), 0
    async for found in events:
        waiting += found
        weight += sum(len(event.chunk) if isinstance(event, Data) else 1 for event in found)
        if weight >= _AT_ONCE:
            await asyncio.to_thread(take, waiting)
            waiting, weight = [], 0
    await asyncio.to_thread(take, waiting)


async def paced(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yield the body's chunks; a sender too slow to ever end is refused."""
    began, taken = time.monotonic(), 0
    async for chunk in request.stream():
        taken += len(chunk)
        elapsed = time.monotonic() - began
        if elapsed > limits.grace_seconds and taken < limits.least_rate * elapsed:
            raise SlowBody(f"the body comes with less than {limits.least_rate} bytes a second")
        yield chunk


async def drain(request: Request) -> None:
    """Read a little of what still comes: a sender that is cut off while it sends never reads the answer."""
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except (TimeoutError, ScanwardError):
        return
