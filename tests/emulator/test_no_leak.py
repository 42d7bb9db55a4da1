"""Objects of many kinds and alphabets, uploaded under their patients' names: nothing tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.needles import PEOPLE, found, needles
from tests.e2e.planted import DELIVERED, Planted, inflated, planted
from tests.emulator import leaks
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration

WANTED = needles(PEOPLE)


@pytest.fixture(scope="module")
def told(stack: Stack) -> Iterator[str]:
    """A queue that hears what the alerts' topic tells."""
    sqs, sns = stack.account.client("sqs"), stack.account.client("sns")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=stack.outputs["AlertsTopicArn"], Protocol="sqs", Endpoint=arn)
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def uploads(stack: Stack, told: str) -> list[Planted]:  # noqa: ARG001 - the topic is heard from the start
    """Every planted object, through the line to its end."""
    files = [file for person in PEOPLE for file in planted(person)]
    for file in files:
        stack.upload(file.name, file.body)
    wait_for(lambda: {file.name for file in files} <= ends(stack).keys(), "all ends", seconds=150)
    stack.settle()
    return files


def ends(stack: Stack) -> dict[str, str]:
    """Return how every raw key's execution ended."""
    return {row["raw_key"]: row["shelf"] for row in stack.rows() if row["shelf"] != "RUNNING"}


def test_what_can_be_cleaned_is_delivered_and_more_is_kept_back(stack: Stack, uploads: list[Planted]) -> None:
    ended = ends(stack)
    wrong = [file.kind for file in uploads if file.kind in DELIVERED and ended[file.name] != "SUCCEEDED"]
    assert wrong == []
    kept_back = {file.kind for file in uploads if ended[file.name] == "FAILED"}
    assert len(kept_back) > 1
    assert kept_back.isdisjoint(DELIVERED)


def test_the_needles_are_found_where_they_may_stand(stack: Stack, uploads: list[Planted]) -> None:
    assert all(found(inflated(file.body), WANTED) for file in uploads)
    assert all(found(file.name.encode(), WANTED) for file in uploads)
    assert {file.name for file in uploads} <= set(stack.keys(stack.raw))
    assert any(found(row["raw_key"].encode(), WANTED) for row in stack.rows())


def test_logs_metrics_names_states_rows_and_outputs_tell_nothing(
    stack: Stack, uploads: list[Planted]
) -> None:
    looked_at = dict(leaks.places(stack))
    assert len(looked_at) > len(uploads)
    assert leaks.found(stack, WANTED) == {}


def test_deflated_outputs_tell_nothing_either(stack: Stack, uploads: list[Planted]) -> None:
    assert uploads
    outputs = {key: inflated(stack.output(key)) for key in stack.keys(stack.processed)}
    assert len(outputs) >= len(DELIVERED)
    assert {key: hits for key, body in outputs.items() if (hits := found(body, WANTED))} == {}


def test_reasons_in_quarantine_tell_nothing(stack: Stack, uploads: list[Planted]) -> None:
    assert uploads
    s3 = stack.account.client("s3")
    reasons = [key for key in stack.keys(stack.raw) if key.endswith("/reason.json")]
    assert reasons
    for key in reasons:
        assert found(s3.get_object(Bucket=stack.raw, Key=key)["Body"].read(), WANTED) == []


def test_alerts_tell_nothing(stack: Stack, uploads: list[Planted], told: str) -> None:
    assert uploads
    messages = list[str]()
    while (
        found_now := stack.account.client("sqs")
        .receive_message(QueueUrl=told, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        messages += [message["Body"] for message in found_now]
    assert messages
    assert found("\n".join(messages).encode(), WANTED) == []
