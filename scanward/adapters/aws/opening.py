"""Open the ports of one stack on AWS from its settings."""

from __future__ import annotations

from scanward.adapters.aws.executions import DynamoExecutions
from scanward.adapters.aws.executions_runs import Runs
from scanward.adapters.aws.executions_table import ExecutionsTable
from scanward.adapters.aws.queue import SqsQueue
from scanward.settings import AwsSettings


def open_executions(settings: AwsSettings) -> DynamoExecutions:
    """Return the executions, with the dead letters of SQS if the queues are named. Raises Misconfigured."""
    queue = None
    if settings.queue_url or settings.dead_letter_url:
        queue = SqsQueue(settings.queue_url, settings.dead_letter_url)
    return DynamoExecutions(
        ExecutionsTable(settings.executions_table),
        Runs(settings.state_machine_arn),
        queue,
        settings.execution_seconds,
    )
