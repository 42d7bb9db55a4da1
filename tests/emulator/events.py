"""The queue of the raw bucket's events: held back, taken out, sent again and in another order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.emulator.machine import Account
from tests.emulator.waiting import wait_for

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Events:
    """Events under way, and the trigger that hands them to the starter."""

    account: Account
    url: str
    function: str

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let events wait in the queue, as long as the block lasts."""
        self._switch(on=False)
        try:
            yield
        finally:
            self._switch(on=True)

    def take(self, count: int) -> list[dict[str, Any]]:
        """Take waiting events out of the queue, the oldest first."""
        sqs, taken = self.account.client("sqs"), list[dict[str, Any]]()

        def all_there() -> bool:
            answer = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", ()):
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                if "Records" in event:
                    taken.append(event)
            return len(taken) >= count

        wait_for(all_there, f"{count} events")
        return sorted(taken, key=lambda event: str(event["Records"][0]["s3"]["object"]["sequencer"]))

    def send(self, event: Event | str) -> None:
        """Put an event into the queue, as S3 does, or a text that is none."""
        body = event if isinstance(event, str) else json.dumps(event)
        self.account.client("sqs").send_message(QueueUrl=self.url, MessageBody=body)

    def waiting(self, url: str = "") -> int:
        """Return how many messages a queue holds, those under way included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.account.client("sqs").get_queue_attributes(
            QueueUrl=url or self.url, AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def are_done(self) -> bool:
        """Return whether no event waits or is under way."""
        return self.waiting() == 0

    @contextmanager
    def tried_again_after(self, seconds: int) -> Iterator[None]:
        """Let a failed message come back soon; a deployment waits six times the starter's limit."""
        sqs = self.account.client("sqs")
        (before,) = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["VisibilityTimeout"])[
            "Attributes"
        ].values()
        sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": before})

    def _switch(self, *, on: bool) -> None:
        functions = self.account.client("lambda")
        (mapping,) = functions.list_event_source_mappings(FunctionName=self.function)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
