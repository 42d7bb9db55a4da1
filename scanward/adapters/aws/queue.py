"""The queue between bucket and starter, on SQS.

It is not the port `Queue`: that one leases work to workers, and on AWS Step Functions does that. This one
sends references, and tells and redrives dead letters, which the executions' port shows with its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import translated
from scanward.errors import Misconfigured, NotFound, Unavailable
from scanward.ports.executions import Execution, Status
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef, MessageTypeDef

LETTER = "sqs-"
"""What the id of a dead letter begins with; its message's id follows."""
_BATCH = 10
_MOST = 200
_HIDDEN_SECONDS = 30
_WORD = "Dead letter"
_CAUSE = "The starter failed on it three times; redrive it once the reason is mended."


class SqsQueue:
    """Events of the raw bucket, and those that failed three times."""

    def __init__(
        self, queue_url: str, dead_letter_url: str, sqs: SQSClient | None = None, wait_seconds: int = 1
    ) -> None:
        """Use queues that are there. Raises Misconfigured without their URLs.

        wait_seconds: of one look for dead letters; at 0 SQS asks only some of its servers, and may find none.
        """
        for setting, url in (("QUEUE_URL", queue_url), ("DEAD_LETTER_URL", dead_letter_url)):
            if not url:
                raise Misconfigured(f"SCANWARD_AWS_{setting} is not set; it names an SQS queue.")
        self._queue, self._dead = queue_url, dead_letter_url
        self._sqs = sqs or client("sqs")
        self._wait_seconds = wait_seconds

    def send(self, references: Sequence[Reference]) -> None:
        """Send objects to the starter, as if they had just been uploaded. Raises Unavailable."""
        for start in range(0, len(references), _BATCH):
            entries = [
                {"Id": str(at), "MessageBody": json.dumps({"reference": reference.as_json()})}
                for at, reference in enumerate(references[start : start + _BATCH])
            ]
            with translated("queue"):
                answer = self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)  # type: ignore[arg-type]  # the stubs want their own type
            if answer.get("Failed"):
                raise Unavailable("The queue did not take every object; try again.")

    def depths(self) -> tuple[int, int]:
        """Return about how many messages wait or are being worked on, and how many are dead letters."""
        return self._depth(self._queue), self._depth(self._dead)

    def dead_letters(self, limit: int = _MOST) -> list[Execution]:
        """Return dead letters, the newest first; they are hidden from others for a moment."""
        found: dict[str, MessageTypeDef] = {}
        for messages in self._received(limit):
            found |= {message["MessageId"]: message for message in messages}
        self._show(list(found.values()))
        letters = [_letter(message) for message in found.values()]
        return sorted(letters, key=lambda letter: (letter.started, letter.id), reverse=True)

    def dead_letter(self, letter_id: str) -> Execution:
        """Return one dead letter. Raises NotFound."""
        message = self._take(letter_id)
        self._show([message])
        return _letter(message)

    def redrive(self, letter_id: str) -> Execution:
        """Send a dead letter back to its queue, and only then delete it: it may be twice there, never gone.

        Raises NotFound, also while somebody else holds it.
        """
        message = self._take(letter_id)
        with translated("queue"):
            self._sqs.send_message(QueueUrl=self._queue, MessageBody=message["Body"])
        with translated("dead-letter queue"):
            self._sqs.delete_message(QueueUrl=self._dead, ReceiptHandle=message["ReceiptHandle"])
        return _letter(message, Status.RUNNING)

    def _take(self, letter_id: str) -> MessageTypeDef:
        """Receive messages until the wanted one comes, and give back the others. Raises NotFound."""
        others: list[MessageTypeDef] = []
        try:
            for messages in self._received(_MOST):
                wanted = [one for one in messages if f"{LETTER}{one['MessageId']}" == letter_id]
                others += [one for one in messages if one not in wanted]
                if wanted:
                    return wanted[0]
        finally:
            self._show(others)
        raise NotFound("There is no such dead letter, or somebody else is looking at it; try again in 30 s.")

    def _received(self, limit: int) -> Iterator[list[MessageTypeDef]]:
        """Yield messages of the dead-letter queue until an answer is empty; they are hidden meanwhile."""
        seen = 0
        while seen < limit:
            with translated("dead-letter queue"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._dead,
                    MaxNumberOfMessages=min(_BATCH, limit - seen),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    WaitTimeSeconds=self._wait_seconds,
                    MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                )
            messages = answer.get("Messages", [])
            if not messages:
                return
            seen += len(messages)
            yield messages

    def _show(self, messages: Sequence[MessageTypeDef]) -> None:
        """Let others see messages again; whichever this misses shows by itself in half a minute."""
        for start in range(0, len(messages), _BATCH):
            entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
                {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for at, message in enumerate(messages[start : start + _BATCH])
            ]
            with translated("dead-letter queue"):
                self._sqs.change_message_visibility_batch(QueueUrl=self._dead, Entries=entries)

    def _depth(self, url: str) -> int:
        with translated("queue"):
            answer = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        return sum(int(count) for count in answer["Attributes"].values())


def _letter(message: MessageTypeDef, status: Status = Status.FAILED) -> Execution:
    """Return a message as a row of the dead-letter list. Its key is shown to those who may read the queue."""
    key, size = _first_object(message["Body"])
    attributes = message.get("Attributes", {})
    failed = status is Status.FAILED
    return Execution(
        id=f"{LETTER}{message['MessageId']}",
        status=status,
        raw_key=key,
        name=key.rpartition("/")[2],
        modality="",
        size=size,
        started=datetime.fromtimestamp(int(attributes.get("SentTimestamp", "0")) / 1000, UTC),
        attempts=int(attributes.get("ApproximateReceiveCount", "0")),
        dead_letter=failed,
        error=_WORD if failed else "",
        cause=_CAUSE if failed else "",
    )


def _first_object(body: str) -> tuple[str, int]:
    """Return key and size of the first object that a message is about, as far as it can be read."""
    try:
        said = json.loads(body)
        if "reference" in said:
            return str(said["reference"]["key"]), max(int(said["reference"].get("size", 0)), 0)
        described = said["Records"][0]["s3"]["object"]
        return unquote_plus(str(described["key"])), int(described.get("size", 0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "", 0
