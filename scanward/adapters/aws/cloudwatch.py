"""The documented `CloudWatchHandler`: metrics, log groups, log streams and log events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from scanward.adapters.aws import metric_checks
from scanward.adapters.aws.clients import new_client
from scanward.adapters.aws.failures import translated
from scanward.adapters.aws.log_batches import batches
from scanward.adapters.aws.operation import operation
from scanward.errors import BadInput, ScanwardError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
_GROUP: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM: Final = re.compile(r"[^:*]{1,512}")


class _Names(TypedDict):
    logGroupName: str
    logStreamName: str


class CloudWatchHandler:
    """Publishes metrics and writes logs. What is passed is published: pass no identifier of a patient."""

    def __init__(
        self,
        region_name: str = "us-east-1",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
    ) -> None:
        """Work in one region. Without keys, boto3 looks for credentials."""
        keys = (region_name, aws_access_key_id, aws_secret_access_key)
        self.region_name = region_name
        self.cloudwatch_client: CloudWatchClient = new_client("cloudwatch", *keys)
        self.logs_client: CloudWatchLogsClient = new_client("logs", *keys)

    def put_metric_data(
        self,
        namespace: str,
        metric_name: str,
        value: float,
        unit: str = "Count",
        dimensions: list[dict[str, str]] | None = None,
        timestamp: datetime | None = None,
    ) -> dict[str, Any]:
        """Publish one value; return `namespace`, `metric_name`, `value`, `unit`, `dimensions`, `timestamp`.

        A timestamp without a zone is local time. Raises BadInput, Refused, Unavailable.
        """
        with operation(self.put_metric_data, "Metric published", "metric") as details:
            datum: MetricDatumTypeDef = {
                "MetricName": metric_checks.metric_name(metric_name),
                "Value": metric_checks.value(value),
                "Unit": cast("StandardUnitType", metric_checks.unit(unit)),
                "Dimensions": metric_checks.dimensions(dimensions),
                "Timestamp": metric_checks.timestamp(timestamp),
            }
            self.cloudwatch_client.put_metric_data(
                Namespace=metric_checks.namespace(namespace), MetricData=[datum]
            )
            details["unit"] = unit
            return {
                "namespace": namespace,
                "metric_name": metric_name,
                "value": datum["Value"],
                "unit": unit,
                "dimensions": datum["Dimensions"],
                "timestamp": datum["Timestamp"],
            }

    def create_log_group(self, log_group_name: str, retention_days: int = 7) -> dict[str, str]:
        """Make a log group, or set the retention of the one that is there.

        Return `log_group_name`, `retention_days` and `status`: `created` or `exists`. Raises BadInput.
        """
        with operation(self.create_log_group, "Log group ready", "log group") as details:
            _group(log_group_name)
            if isinstance(retention_days, bool) or retention_days not in RETENTION_DAYS:
                raise BadInput(f"CloudWatch keeps logs for {', '.join(map(str, RETENTION_DAYS))} days only.")
            details["state"] = "created"
            try:
                self.logs_client.create_log_group(logGroupName=log_group_name)
            except self.logs_client.exceptions.ResourceAlreadyExistsException:
                details["state"] = "exists"
            self.logs_client.put_retention_policy(logGroupName=log_group_name, retentionInDays=retention_days)
            return {
                "log_group_name": log_group_name,
                "retention_days": str(retention_days),
                "status": str(details["state"]),
            }

    def create_log_stream(self, log_group_name: str, log_stream_name: str) -> dict[str, str]:
        """Make a log stream, unless it is there.

        Return `log_group_name`, `log_stream_name` and `status`: `created` or `exists`. Raises BadInput, or
        NotFound without its group.
        """
        with operation(self.create_log_stream, "Log stream ready", "log group") as details:
            names: _Names = {
                "logGroupName": _group(log_group_name),
                "logStreamName": _stream(log_stream_name),
            }
            details["state"] = "created"
            try:
                self.logs_client.create_log_stream(**names)
            except self.logs_client.exceptions.ResourceAlreadyExistsException:
                details["state"] = "exists"
            return {
                "log_group_name": log_group_name,
                "log_stream_name": log_stream_name,
                "status": str(details["state"]),
            }

    def put_log_events(
        self, log_group_name: str, log_stream_name: str, log_events: Iterable[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Write events in order of time, in as many requests as it takes; return `events` and `batches`.

        Raises BadInput before anything is written for an event that CloudWatch would refuse. Raises as well,
        with how many are written, if it refuses or fails later: no event is lost in silence.
        """
        with operation(self.put_log_events, "Log events written", "log stream") as details:
            names: _Names = {
                "logGroupName": _group(log_group_name),
                "logStreamName": _stream(log_stream_name),
            }
            given = list(log_events)
            events = sent = 0
            for batch in batches(given):
                self._write(names, batch, f"{events} of {len(given)} events")
                events, sent = events + len(batch), sent + 1
            details.update(events=events, batches=sent)
            return {"events": events, "batches": sent}

    def _write(self, names: _Names, batch: list[InputLogEventTypeDef], written: str) -> None:
        """Write one batch; a failure says how many events of those before it, by time, are written."""
        try:
            with translated("log stream"):
                answer = self.logs_client.put_log_events(**names, logEvents=batch)
        except ScanwardError as error:
            raise type(error)(f"{error.message} Written, the oldest first: {written}.") from None
        if answer.get("rejectedLogEventsInfo"):
            raise BadInput(
                "CloudWatch took only a part of a batch, because the group's retention or the clock of this "
                f"machine leaves events out. Written before it, the oldest first: {written}."
            )


def _group(name: str) -> str:
    if not isinstance(name, str) or _GROUP.fullmatch(name) is None:
        raise BadInput("A log group's name has 1 to 512 letters, digits and . - _ / #.")
    return name


def _stream(name: str) -> str:
    if not isinstance(name, str) or _STREAM.fullmatch(name) is None:
        raise BadInput("A log stream's name has 1 to 512 characters, none of them : or *.")
    return name
