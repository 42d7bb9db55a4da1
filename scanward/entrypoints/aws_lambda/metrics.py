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

__all__ = ["NAMESPACE", "UNITS", "Meter", "Metric", "Stage", "measured"]

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
UNITS: Final[dict[Metric, str]] = {
    "FilesProcessed": "Count",  # a stage has done its work on an object
    "FilesRejected": "Count",  # not DICOM, or a rule of severity "reject" is broken
    "FilesQuarantined": "Count",  # put under quarantine/ with its reason
    "FilesIgnored": "Count",  # no name and no content of DICOM, or outside of the prefix
    "FilesSuperseded": "Count",  # a newer version's output stands already
    "ExecutionsStarted": "Count",
    "ExecutionsDuplicate": "Count",  # an event of an object whose execution there is
    "ExecutionsSucceeded": "Count",
    "ExecutionsFailed": "Count",
    "ExecutionsTimedOut": "Count",
    "StudiesImported": "Count",
    "StudiesFailed": "Count",
    "ImportSeconds": "Seconds",  # how long HealthImaging took over a study
    "BytesIn": "Bytes",  # the size of the objects
    "BytesOut": "Bytes",  # the size of what was written
    "BytesThroughFunction": "Bytes",  # what of them entered the function's memory
    "StageFailures": "Count",  # the block ended with an exception
    "StageSeconds": "Seconds",  # how long the block took
}


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
