from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from scanward.adapters.aws.notifier import SnsNotifier
from scanward.errors import Misconfigured, NotFound
from scanward.ports.executions import Status
from scanward.ports.notifier import Notice
from tests.lambda_start.stack import Stack, running

pytestmark = pytest.mark.integration

NOTICE = Notice("0" * 40, Status.FAILED, "Validation failed", 2, rules=(("type1-missing", 3),))


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running() as made:
        yield made


def _inbox(stack: Stack, **policy: list[str]) -> str:
    sqs = stack.clients.sqs
    url: str = sqs.create_queue(QueueName=f"inbox{len(policy)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.clients.sns.subscribe(
        TopicArn=stack.topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": json.dumps(policy)}
    )
    return url


def _received(stack: Stack, url: str) -> list[dict[str, str]]:
    found = stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(one["Body"]) for one in found]


def test_a_notice_comes_to_those_who_subscribed_as_words_and_counts(stack: Stack) -> None:
    inbox = _inbox(stack)
    SnsNotifier(stack.topic, stack.clients.sns).tell(NOTICE)
    (message,) = _received(stack, inbox)
    assert message["Subject"] == "Scanward: an execution failed"
    assert json.loads(message["Message"]) == {
        "execution": "0" * 40,
        "status": "FAILED",
        "error": "Validation failed",
        "attempt": 2,
        "dead_letter": False,
        "rules": {"type1-missing": 3},
    }


def test_a_subscription_can_be_of_one_status(stack: Stack) -> None:
    inbox = _inbox(stack, status=["TIMED_OUT"])
    notifier = SnsNotifier(stack.topic, stack.clients.sns)
    notifier.tell(NOTICE)
    notifier.tell(Notice("1" * 40, Status.TIMED_OUT, "Timed out", dead_letter=True))
    (message,) = _received(stack, inbox)
    assert message["Subject"] == "Scanward: an execution timed out"
    assert json.loads(message["Message"])["execution"] == "1" * 40


def test_a_topic_that_is_not_there_or_not_named_is_said(stack: Stack) -> None:
    with pytest.raises(NotFound):
        SnsNotifier(f"{stack.topic}-gone", stack.clients.sns).tell(NOTICE)
    with pytest.raises(Misconfigured, match="SCANWARD_AWS_TOPIC_ARN"):
        SnsNotifier("")
