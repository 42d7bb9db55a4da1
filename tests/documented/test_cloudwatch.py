"""`CloudWatchHandler`: each printed example, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from botocore.stub import Stubber

from scanward.errors import BadInput, NotFound, Refused, Unavailable
from src.monitoring.cloudwatch_handler import CloudWatchHandler
from tests.documented.printed import run

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws")]

GROUP, STREAM = "/aws/lambda/my-function", "2024/01/01/stream"
MiB = 1 << 20


@pytest.fixture
def handler(_aws: None) -> CloudWatchHandler:
    return CloudWatchHandler()


@pytest.fixture
def written(handler: CloudWatchHandler) -> Callable[[], list[dict[str, Any]]]:
    """Make the example's stream; return what gives its events."""
    handler.create_log_group(GROUP)
    handler.create_log_stream(GROUP, STREAM)

    def events() -> list[dict[str, Any]]:
        pages = handler.logs_client.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
        return [dict(event) for page in pages for event in page["events"]]

    return events


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def test_the_metric_example_publishes_a_processed_file() -> None:
    names = run("CloudWatchHandler.put_metric_data", {"CloudWatchHandler": CloudWatchHandler})

    handler = names["handler"]
    assert isinstance(handler, CloudWatchHandler)
    (metric,) = handler.cloudwatch_client.list_metrics(Namespace="MedicalImaging/Pipeline")["Metrics"]
    assert metric["MetricName"] == "FilesProcessed"
    assert metric["Dimensions"] == [{"Name": "Environment", "Value": "Production"}]
    answer = handler.cloudwatch_client.get_metric_statistics(
        Namespace="MedicalImaging/Pipeline",
        MetricName="FilesProcessed",
        Dimensions=metric["Dimensions"],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=600,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in answer["Datapoints"]] == [1.0]


def test_the_events_example_writes_its_line(
    handler: CloudWatchHandler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    run("CloudWatchHandler.put_log_events", {"handler": handler, "datetime": datetime, "json": json})

    (event,) = written()
    assert json.loads(event["message"]) == {"level": "INFO", "msg": "Processing started"}


def test_a_metric_s_answer_says_what_was_published(handler: CloudWatchHandler) -> None:
    moment = datetime.now(timezone(timedelta(hours=2)))

    assert handler.put_metric_data("Own", "Seconds", 1.5, "Seconds", timestamp=moment) == {
        "namespace": "Own",
        "metric_name": "Seconds",
        "value": 1.5,
        "unit": "Seconds",
        "dimensions": [],
        "timestamp": moment.astimezone(UTC),
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"namespace": "AWS/Lambda"}, "AWS's own"),
        ({"namespace": ":x"}, "namespace"),
        ({"namespace": " "}, "namespace"),
        ({"namespace": "a" * 256}, "namespace"),
        ({"metric_name": ""}, "name"),
        ({"metric_name": "Größe"}, "name"),
        ({"metric_name": "a\nb"}, "name"),
        ({"value": float("nan")}, "finite"),
        ({"value": float("inf")}, "finite"),
        ({"value": 2.0**361}, "finite"),
        ({"value": 10**400}, "finite"),
        ({"value": True}, "number"),
        ({"value": "1"}, "number"),
        ({"unit": "Parsecs"}, "Milliseconds"),
        ({"dimensions": [{"Name": "Environment"}]}, "Dimension 1"),
        ({"dimensions": [{"Name": "a", "Value": "b"}, {"Name": ":a", "Value": "b"}]}, "Dimension 2"),
        ({"dimensions": [{"Name": "a", "Value": "ä"}]}, "Dimension 1"),
        ({"dimensions": [{"Name": "a", "Value": "b"}] * 2}, "once"),
        ({"dimensions": [{"Name": f"a{i}", "Value": "b"} for i in range(31)]}, "30"),
        ({"timestamp": datetime.now(UTC) - timedelta(days=15)}, "14 days"),
        ({"timestamp": datetime.now(UTC) + timedelta(hours=3)}, "2 hours"),
        ({"timestamp": 1_700_000_000}, "datetime"),
    ],
)
def test_what_cloudwatch_would_refuse_is_refused_with_a_reason(
    handler: CloudWatchHandler, changed: dict[str, Any], said: str
) -> None:
    asked: dict[str, Any] = {"namespace": "Own", "metric_name": "Files", "value": 1, **changed}

    with pytest.raises(BadInput, match=said):
        handler.put_metric_data(**asked)
    assert handler.cloudwatch_client.list_metrics()["Metrics"] == []


@pytest.mark.parametrize("value", [np.int16(3), np.float32(3), 3, 3.0])
def test_a_value_is_any_real_number(handler: CloudWatchHandler, value: float) -> None:
    assert handler.put_metric_data("Own", "Any", value)["value"] == 3.0


def test_all_units_of_cloudwatch_are_known(handler: CloudWatchHandler) -> None:
    shape: Any = handler.cloudwatch_client.meta.service_model.shape_for("StandardUnit")
    told = {unit: handler.put_metric_data("Own", "Any", 1, unit)["unit"] for unit in shape.enum}
    assert told == {unit: unit for unit in shape.enum}


def test_a_group_is_made_once_and_keeps_its_logs_as_last_said(handler: CloudWatchHandler) -> None:
    made = handler.create_log_group(GROUP)
    again = handler.create_log_group(GROUP, retention_days=365)

    assert made == {"log_group_name": GROUP, "retention_days": "7", "status": "created"}
    assert again == {"log_group_name": GROUP, "retention_days": "365", "status": "exists"}
    (group,) = handler.logs_client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert group["retentionInDays"] == 365


@pytest.mark.parametrize("days", [0, 2, 8, 3654, -1, True])
def test_a_retention_that_aws_does_not_offer_is_refused_with_the_list(
    handler: CloudWatchHandler, days: int
) -> None:
    with pytest.raises(BadInput, match="1, 3, 5, 7, 14, 30, 60"):
        handler.create_log_group(GROUP, retention_days=days)
    assert handler.logs_client.describe_log_groups()["logGroups"] == []


def test_a_stream_is_made_once(handler: CloudWatchHandler) -> None:
    handler.create_log_group(GROUP)

    made = handler.create_log_stream(GROUP, STREAM)
    again = handler.create_log_stream(GROUP, STREAM)

    assert made == {"log_group_name": GROUP, "log_stream_name": STREAM, "status": "created"}
    assert again == {**made, "status": "exists"}


def test_a_stream_without_its_group_and_events_without_their_stream_are_not_found(
    handler: CloudWatchHandler,
) -> None:
    with pytest.raises(NotFound):
        handler.create_log_stream(GROUP, STREAM)
    with pytest.raises(NotFound):
        handler.put_log_events(GROUP, STREAM, [{"timestamp": now(), "message": "m"}])


@pytest.mark.parametrize(
    ("group", "stream"), [("", "s"), ("a b", "s"), (GROUP, ""), (GROUP, "a:b"), (GROUP, "*")]
)
def test_names_that_logs_cannot_have_are_refused(handler: CloudWatchHandler, group: str, stream: str) -> None:
    with pytest.raises(BadInput, match="name"):
        handler.create_log_stream(group, stream)


def test_events_are_written_in_order_of_time(
    handler: CloudWatchHandler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    start = now()
    moments = [start - 2, start - 9, start, start - 9]

    answer = handler.put_log_events(
        GROUP, STREAM, [{"timestamp": moment, "message": str(i)} for i, moment in enumerate(moments)]
    )

    assert answer == {"events": 4, "batches": 1}
    assert [event["message"] for event in written()] == ["1", "3", "0", "2"]


def batches_of(handler: CloudWatchHandler, events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the batches that are sent, as AWS gets them."""
    sent: list[list[dict[str, Any]]] = []
    handler.logs_client.meta.events.register(
        "provide-client-params.cloudwatch-logs.PutLogEvents",
        lambda params, **_: sent.append(params["logEvents"]),
    )
    handler.put_log_events(GROUP, STREAM, events)
    return sent


@pytest.mark.usefixtures("written")
def test_a_batch_has_at_most_ten_thousand_events(handler: CloudWatchHandler) -> None:
    moment = now()

    sent = batches_of(handler, [{"timestamp": moment, "message": str(i)} for i in range(25_000)])

    assert [len(batch) for batch in sent] == [10_000, 10_000, 5_000]
    assert [event["message"] for batch in sent for event in batch] == [str(i) for i in range(25_000)]


@pytest.mark.usefixtures("written")
def test_a_batch_has_at_most_one_mebibyte_as_cloudwatch_counts_it(handler: CloudWatchHandler) -> None:
    half = "ä" * ((MiB // 2 - 26) // 2)
    moment = now()

    sent = batches_of(handler, [{"timestamp": moment, "message": half}] * 5)

    assert [len(batch) for batch in sent] == [2, 2, 1]
    for batch in sent:
        assert sum(len(event["message"].encode()) + 26 for event in batch) <= MiB


@pytest.mark.usefixtures("written")
def test_a_batch_spans_less_than_a_day(handler: CloudWatchHandler) -> None:
    hours = [50, 49, 25, 2, 1, 0]

    sent = batches_of(handler, [{"timestamp": now() - h * 3_600_000, "message": str(h)} for h in hours])

    assert [[event["message"] for event in batch] for batch in sent] == [
        ["50", "49"],
        ["25", "2"],
        ["1", "0"],
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"timestamp": 0, "message": "old"}, "14 days"),
        ({"timestamp": now() + 3 * 3_600_000, "message": "new"}, "2 hours"),
        ({"timestamp": now(), "message": ""}, "empty"),
        ({"timestamp": now(), "message": "a" * (MiB - 25)}, "longer"),
        ({"timestamp": now(), "message": "\ud800"}, "half a character"),
        ({"timestamp": now() / 1000, "message": "m"}, "milliseconds"),
        ({"timestamp": True, "message": "m"}, "milliseconds"),
        ({"message": "m"}, "needs"),
        ({"timestamp": now(), "message": "m", "level": "x"}, "nothing else"),
        ("m", "needs"),
    ],
)
def test_one_impossible_event_is_named_and_nothing_is_written(
    handler: CloudWatchHandler, written: Callable[[], list[dict[str, Any]]], event: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=rf"event 2: .*{said}"):
        handler.put_log_events(GROUP, STREAM, [{"timestamp": now(), "message": "good"}, event])
    assert written() == []


def test_no_events_are_no_request(handler: CloudWatchHandler) -> None:
    assert handler.put_log_events(GROUP, STREAM, []) == {"events": 0, "batches": 0}


def test_a_failure_in_the_middle_says_how_many_are_written(handler: CloudWatchHandler) -> None:
    events = [{"timestamp": now(), "message": "m"}] * 10_001
    with Stubber(handler.logs_client) as aws:
        aws.add_response("put_log_events", {"nextSequenceToken": "t"})
        for _ in range(4):
            aws.add_client_error("put_log_events", "ServiceUnavailableException", "secret", 503)
        with pytest.raises(Unavailable, match="10000 of 10001") as failed:
            handler.put_log_events(GROUP, STREAM, events)
    assert "secret" not in str(failed.value)


def test_events_that_cloudwatch_leaves_out_are_an_error(handler: CloudWatchHandler) -> None:
    with Stubber(handler.logs_client) as aws:
        aws.add_response("put_log_events", {"rejectedLogEventsInfo": {"expiredLogEventEndIndex": 1}})
        with pytest.raises(BadInput, match="retention"):
            handler.put_log_events(GROUP, STREAM, [{"timestamp": now(), "message": "m"}])


def test_a_denied_metric_is_told_as_denied_and_logged_without_its_name(
    handler: CloudWatchHandler, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    with Stubber(handler.cloudwatch_client) as aws:
        aws.add_client_error("put_metric_data", "AccessDenied", "not for doe", 403)
        with pytest.raises(Refused):
            handler.put_metric_data("Own", "Doe", 1)

    (line,) = log_lines()
    assert (line["level"], line["operation"], line["status"]) == ("ERROR", "put_metric_data", "failed")
    assert line["details"]["error"] == "Access Denied"
    assert "doe" not in str(line).lower()
