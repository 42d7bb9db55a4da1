"""Metrics of the functions, in CloudWatch's embedded format: numbers by stage and environment, nothing else.

    with metrics.measured("Validation") as meter:
        meter.add("BytesIn", reference.size)
        meter.add("FilesProcessed")

One line is written when the block ends, also when it fails. Every metric stands twice in CloudWatch: by
`Environment`, and by `Environment` and `Stage`. A name that is not listed here cannot be written, so that
no key and no identifier becomes a metric.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from aws_lambda_powertools.metrics import EphemeralMetrics

from scanward.settings import AwsSettings

__all__ = ["DESCRIBED", "NAMESPACE", "UNITS", "Meter", "Metric", "Stage", "measured"]

NAMESPACE: Final = "MedicalImaging/Pipeline"

Stage = Literal[
    "Ingestion",
    "Validation",
    "Deidentification",
    "Quarantine",
    "Starter",
    "Recorder",
    "Upload",
    "ImportMonitor",
]
Metric = Literal[
    "FilesProcessed",
    "FilesRejected",
    "FilesQuarantined",
    "FilesIgnored",
    "FilesSuperseded",
    "ExecutionsStarted",
    "ExecutionsDuplicate",
    "ExecutionsSucceeded",
    "ExecutionsFailed",
    "ExecutionsTimedOut",
    "StudiesImported",
    "StudiesFailed",
    "ImportSeconds",
    "BytesIn",
    "BytesOut",
    "BytesThroughFunction",
    "StageFailures",
    "StageSeconds",
]
DESCRIBED: Final[dict[Metric, tuple[str, str]]] = {
    "FilesProcessed": ("Count", "objects that a stage did its work on"),
    "FilesRejected": ("Count", "objects that are not DICOM or break a rule of severity reject"),
    "FilesQuarantined": ("Count", "objects put under quarantine/ with their reason"),
    "FilesIgnored": (
        "Count",
        "objects that are DICOM neither by name nor by content, or outside of the prefix",
    ),
    "FilesSuperseded": ("Count", "objects whose newer version's output stands already"),
    "ExecutionsStarted": ("Count", "executions started"),
    "ExecutionsDuplicate": ("Count", "events of an object that has its execution"),
    "ExecutionsSucceeded": ("Count", "executions that ended well"),
    "ExecutionsFailed": ("Count", "executions that failed or were aborted"),
    "ExecutionsTimedOut": ("Count", "executions that took too long"),
    "StudiesImported": ("Count", "studies of Phase 1 ready for analysis"),
    "StudiesFailed": ("Count", "studies of Phase 1 that HealthImaging did not import"),
    "ImportSeconds": ("Seconds", "how long HealthImaging took over a study"),
    "BytesIn": ("Bytes", "size of the objects"),
    "BytesOut": ("Bytes", "size of the outputs"),
    "BytesThroughFunction": ("Bytes", "what of the objects entered a function's memory"),
    "StageFailures": ("Count", "calls that ended with an error"),
    "StageSeconds": ("Seconds", "how long a call worked"),
}
"""Each metric's unit and meaning."""
UNITS: Final[dict[Metric, str]] = {name: unit for name, (unit, _) in DESCRIBED.items()}


class Meter:
    """Sums of one invocation."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._sums: dict[Metric, float] = {}

    def add(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric; an unknown size (-1) counts as nothing. Raises KeyError."""
        UNITS[metric]
        self._sums[metric] = self._sums.get(metric, 0.0) + max(value, 0)

    def write(self, stage: Stage, environment: str) -> None:
        """Print all sums as one line."""
        line = EphemeralMetrics(namespace=NAMESPACE)
        # Powertools would add POWERTOOLS_SERVICE_NAME as a dimension to one of the two sets only.
        line.service = ""
        line.add_dimension("Environment", environment)
        line.add_dimensions(Environment=environment, Stage=stage)
        for metric, total in self._sums.items():
            line.add_metric(metric, UNITS[metric], total)
        line.flush_metrics()


@contextmanager
def measured(stage: Stage) -> Iterator[Meter]:
    """Measure a stage's block; its seconds are added, and a failure is counted."""
    meter, began = Meter(), time.perf_counter()
    try:
        yield meter
    except BaseException:
        meter.add("StageFailures")
        raise
    finally:
        meter.add("StageSeconds", time.perf_counter() - began)
        meter.write(stage, AwsSettings().environment or "dev")
