"""The recorder: takes what EventBridge tells of executions into their rows, and tells failures.

Events come late, twice and in any order; only the end of the newest attempt counts, and it counts once. A
failure is told at least once: its row is marked only after the topic has it.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanward import logs
from scanward.adapters.aws.executions import DynamoExecutions
from scanward.adapters.aws.executions_rows import Ended
from scanward.adapters.aws.notifier import SnsNotifier
from scanward.adapters.aws.opening import open_executions
from scanward.entrypoints.aws_lambda.metrics import Meter, Metric, measured
from scanward.entrypoints.aws_lambda.safe_errors import safe
from scanward.errors import BadInput
from scanward.ports.executions import Status
from scanward.ports.notifier import Notice, Notifier
from scanward.settings import AwsSettings, Settings

# Any stands for what EventBridge and Lambda make of an event.
Event = Mapping[str, Any]
Answer = dict[str, Any]

_METRICS: Mapping[Status, Metric] = {
    Status.SUCCEEDED: "ExecutionsSucceeded",
    Status.FAILED: "ExecutionsFailed",
    Status.TIMED_OUT: "ExecutionsTimedOut",
}
_log = logs.logger(__name__)


@dataclass(frozen=True, slots=True)
class Recorder:
    """What the recorder works with; without a notifier nobody is told."""

    executions: DynamoExecutions
    notifier: Notifier | None = None

    def record(self, detail: Mapping[str, Any], meter: Meter) -> bool:
        """Record a status change and tell of a failure; return whether it was news. Raises BadInput."""
        ended = self.executions.runs.of_event(detail)
        if ended is None:
            return False
        news = self.executions.ledger.finish(ended)
        if news:
            meter.add(_METRICS[ended.status])
            _log.info(
                "recorded",
                operation="record",
                execution_id=ended.execution_id,
                outcome=ended.status.value,
                error=ended.error,
                rules=[rule for rule, _ in _rules(ended)],
            )
        if self.notifier and self.executions.ledger.is_untold(ended.execution_id, ended.attempt):
            self.notifier.tell(_notice(ended))
            self.executions.ledger.told(ended.execution_id, ended.attempt)
        return news


def handle(event: Event, recorder: Recorder) -> Answer:
    """Answer one invocation. Raises our errors, so that EventBridge sends the event again."""
    with measured("Recorder") as meter:
        detail = event.get("detail")
        if not isinstance(detail, dict):
            raise BadInput("The event needs `detail`, as EventBridge tells a status change.")
        return {"recorded": recorder.record(detail, meter)}


def lambda_handler(event: Event, context: object) -> Answer:
    """Be called by Lambda. What it raises has no text, cause or frame but ours."""
    _log_as_a_function()
    with logs.bound(request_id=str(getattr(context, "aws_request_id", ""))):
        try:
            return handle(event, _recorder())
        except Exception as error:  # noqa: BLE001 - the door: a text of others may hold a key
            _log.error("failed", operation="record", exc_info=error)
            told = safe(error)
    raise told


def _notice(ended: Ended) -> Notice:
    return Notice(
        ended.execution_id, ended.status, ended.error, ended.attempt, ended.dead_letter, _rules(ended)
    )


def _rules(ended: Ended) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(fault.rule for fault in ended.faults).items()))


@functools.cache
def _recorder() -> Recorder:
    settings = AwsSettings()
    notifier = SnsNotifier(settings.topic_arn) if settings.topic_arn else None
    return Recorder(open_executions(settings), notifier)


@functools.cache
def _log_as_a_function() -> None:
    logs.configure(Settings().log_level)
