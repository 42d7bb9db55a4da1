"""Failures told by SNS: people subscribe to the topic by mail, chat or a function of theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import translated
from scanward.errors import Misconfigured
from scanward.ports.executions import Status
from scanward.ports.notifier import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_SUBJECTS = {Status.TIMED_OUT: "Scanward: an execution timed out"}
_FAILED = "Scanward: an execution failed"


class SnsNotifier:
    """The topic of one stack."""

    def __init__(self, topic_arn: str, sns: SNSClient | None = None) -> None:
        """Use a topic that is there. Raises Misconfigured without its ARN."""
        if not topic_arn:
            raise Misconfigured("SCANWARD_AWS_TOPIC_ARN is not set; it names the topic that failures go to.")
        self._topic = topic_arn
        self._sns = sns or client("sns")

    def tell(self, notice: Notice) -> None:
        """Publish a notice as JSON; `status` and `error` are attributes too, for filters of subscriptions."""
        said = {
            "execution": notice.execution,
            "status": notice.status.value,
            "error": notice.error,
            "attempt": notice.attempt,
            "dead_letter": notice.dead_letter,
            "rules": dict(notice.rules),
        }
        attributes = {"status": notice.status.value, "error": notice.error or "Unknown"}
        with translated("topic"):
            self._sns.publish(
                TopicArn=self._topic,
                Subject=_SUBJECTS.get(notice.status, _FAILED),
                Message=json.dumps(said),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
