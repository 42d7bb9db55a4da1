"""`/metrics` for Prometheus: what the line has done and has to do, and how the door answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from scanward.errors import ScanwardError

router: Final = APIRouter(tags=["operation"])


class Metrics:
    """One application's registry. Labels are routes and outcomes, never anything of an object."""

    def __init__(self, statistics: Callable[[], Mapping[str, float]]) -> None:
        """Read the line's counters at each scrape."""
        self._registry = CollectorRegistry()
        self._registry.register(_Line(statistics))
        self._requests = Counter(
            "scanward_http_requests",
            "Answers by route and status.",
            ["route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "scanward_http_request_seconds",
            "Time to the answer's end by route.",
            ["route"],
            registry=self._registry,
        )
        self._received = Counter(
            "scanward_http_received_bytes", "Bytes of files received by uploads.", registry=self._registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def received(self, count: int) -> None:
        """Count bytes of files."""
        self._received.inc(count)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text form."""
        return generate_latest(self._registry)


class _Line(Collector):
    """The counters that the executions keep, so that they outlive the process."""

    def __init__(self, statistics: Callable[[], Mapping[str, float]]) -> None:
        self._statistics = statistics

    def describe(self) -> Iterator[Metric]:
        """Name nothing ahead: the database is asked at the scrape only."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the line's metrics; none while the catalog does not answer, which `up` tells."""
        try:
            figures = self._statistics()
        except ScanwardError:
            return
        objects = GaugeMetricFamily("scanward_objects", "Objects by outcome.", labels=["status"])
        stages = SummaryMetricFamily("scanward_stage_seconds", "Time by stage.", labels=["stage"])
        for name, value in figures.items():
            if name.startswith("objects_"):
                objects.add_metric([name.removeprefix("objects_")], value)
            elif name.startswith("stage_seconds_"):
                stage = name.removeprefix("stage_seconds_")
                stages.add_metric([stage], int(figures.get(f"stage_count_{stage}", 0)), value)
        yield objects
        yield stages
        yield GaugeMetricFamily("scanward_queue_depth", "Objects waiting.", figures.get("queue_depth", 0))
        yield GaugeMetricFamily("scanward_dead_letters", "Objects given up.", figures.get("dead_letters", 0))
        yield CounterMetricFamily("scanward_bytes", "Bytes of objects received.", figures.get("bytes", 0))


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics(request: Request) -> Response:
    """Objects by outcome, stage seconds, queue depth, bytes, and the door's answers by route and status."""
    found: Metrics = request.app.state.service.metrics
    return Response(found.text(), media_type=CONTENT_TYPE_LATEST)
