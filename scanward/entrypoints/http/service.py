"""What every route needs of the running service; one object an application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from scanward.deliver.transcode import Frames
from scanward.entrypoints.http.metrics import Metrics
from scanward.pipeline import Arrival, Terms
from scanward.ports import Ports
from scanward.ports.catalog import Receipt
from scanward.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the door. A slow peer is silent for `idle_seconds`, or slower than `least_rate` bytes/s."""

    idle_seconds: float = 30.0
    grace_seconds: float = 60.0
    least_rate: int = 1024
    uploads: int = 256
    batch_files: int = 64
    batch_bytes: int = 64 << 20


class Accept(Protocol):
    """The gate, with the ports and bounds of this service (`pipeline.accept`)."""

    def __call__(self, arrivals: Sequence[Arrival], *, terms: Terms = ...) -> list[Receipt]:
        """Return a receipt a file once all is durable."""
        ...


@dataclass(slots=True)
class Service:
    """The ports, the gate as `accept`, and what the routes count."""

    settings: Settings
    ports: Ports
    accept: Accept
    fingerprint: str
    workers_alive: Callable[[], bool]
    metrics: Metrics
    frames: Frames
    limits: Limits = field(default_factory=Limits)
    uploads_under_way: int = 0
    # Who waits for a decoder keeps no thread of the pool; so many may be asked at a time.
    decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))


def service_of(request: Request) -> Service:
    """Return the application's service."""
    return cast("Service", request.app.state.service)


Here = Annotated[Service, Depends(service_of)]
