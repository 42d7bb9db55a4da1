"""A whole bucket through the line: starts the machine of backfill_workflow.json, and tells how far it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import translated
from scanward.errors import BadInput, Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_RUNNING = "RUNNING"
_MOST_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Order:
    """What to send to the starter, and how. tolerated: percentage of objects that may fail."""

    bucket: str
    prefix: str = ""
    batch: int = 50
    concurrency: int = 10
    tolerated: float = 5.0

    @classmethod
    def of(cls, address: str, batch: int, concurrency: int, tolerated: float) -> Order:
        """Read `s3://bucket/prefix`; the prefix is a text that keys begin with. Raises BadInput."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not address.startswith("s3://") or not bucket:
            raise BadInput("The objects are named as s3://bucket or s3://bucket/prefix.")
        if not (0 < batch <= _MOST_BATCH and 0 < concurrency <= _MOST_BATCH and 0 <= tolerated <= 100):  # noqa: PLR2004 - per cent
            raise BadInput("Batch and concurrency are 1 to 1000, the tolerance is 0 to 100 per cent.")
        return cls(bucket, prefix, batch, concurrency, tolerated)


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of objects. `sent` were taken by the starter, that is started, known or ignored."""

    status: str = _RUNNING
    objects: int = 0
    sent: int = 0
    failed: int = 0
    error: str = ""

    @property
    def ended(self) -> bool:
        """Return whether nothing more will come."""
        return self.status != _RUNNING


class Backfill:
    """The backfill machine of one stack."""

    def __init__(self, machine_arn: str, raw_bucket: str, states: SFNClient | None = None) -> None:
        """Use a machine that is there. Raises Misconfigured without its ARN."""
        if not machine_arn:
            raise Misconfigured(
                "SCANWARD_AWS_BACKFILL_ARN is not set; it names the machine that goes through a bucket."
            )
        self._machine = machine_arn
        self._raw_bucket = raw_bucket
        self._states = states or client("stepfunctions")

    def start(self, order: Order) -> str:
        """Start it and return the execution's ARN, whose name is Step Functions' own.

        Raises BadInput for another bucket than the line reads, NotFound, Refused or Unavailable.
        """
        if self._raw_bucket and order.bucket != self._raw_bucket:
            raise BadInput(
                "The line reads the bucket of SCANWARD_AWS_RAW_BUCKET only; copy the objects there first."
            )
        given = {
            "bucket": order.bucket,
            "prefix": order.prefix,
            "batch_size": order.batch,
            "max_concurrency": order.concurrency,
            "tolerated_failure_percentage": order.tolerated,
        }
        with translated("backfill machine"):
            answer = self._states.start_execution(stateMachineArn=self._machine, input=json.dumps(given))
        return answer["executionArn"]

    def progress(self, arn: str) -> Progress:
        """Return how far an execution is. Raises NotFound, Refused or Unavailable."""
        with translated("backfill"):
            found = self._states.describe_execution(executionArn=arn)
            runs = self._states.list_map_runs(executionArn=arn)["mapRuns"]
            if not runs:
                return Progress(found["status"], error=found.get("error", ""))
            counts = self._states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
        lost = counts["failed"] + counts["timedOut"] + counts["aborted"]
        return Progress(found["status"], counts["total"], counts["succeeded"], lost, found.get("error", ""))
