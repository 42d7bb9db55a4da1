"""Every place where AWS keeps something of an execution, and what of the patients stands there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from tests.emulator.machine import Account
from tests.emulator.stack import Stack

Place = tuple[str, bytes]


def found(stack: Stack, needles: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Return the places that hold a needle, with those that they hold."""
    wanted = tuple(needles)
    hits = {place: [needle for needle in wanted if needle in body] for place, body in places(stack)}
    return {place: held for place, held in hits.items() if held}


def places(stack: Stack) -> Iterator[Place]:
    """Yield all that is written, but for the raw bucket's objects and the raw key where it may stand."""
    yield from logs(stack.account)
    yield from metrics(stack.account)
    yield from executions(stack)
    yield from rows(stack)
    yield from processed(stack)
    yield "the emulator's own log", _without_raw_keys(stack.account.log.read_bytes(), stack)


def logs(account: Account) -> Iterator[Place]:
    """Yield every line of every stream of every log group."""
    client = account.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            yield f"the name of {name}", name.encode()
            for streams in client.get_paginator("describe_log_streams").paginate(logGroupName=name):
                for stream in streams["logStreams"]:
                    yield f"a stream's name in {name}", stream["logStreamName"].encode()
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    yield f"{name}: {event['message'][:60]}", event["message"].encode()


def metrics(account: Account) -> Iterator[Place]:
    """Yield names and dimensions of every metric."""
    for page in account.client("cloudwatch").get_paginator("list_metrics").paginate():
        for metric in page["Metrics"]:
            yield f"the metric {metric['MetricName']}", json.dumps(metric).encode()


def executions(stack: Stack) -> Iterator[Place]:
    """Yield each execution's name and what every state took, gave and told, without the raw key."""
    client = stack.account.client("stepfunctions")
    for machine in (stack.machine, stack.outputs["BackfillStateMachineArn"]):
        for one in stack.executions(machine):
            yield "an execution's name", one["name"].encode()
            for page in client.get_paginator("get_execution_history").paginate(
                executionArn=one["executionArn"]
            ):
                text = json.dumps(page["events"], default=str, ensure_ascii=False)
                yield f"the history of {one['name']}", _without_raw_keys(_plain(text), stack)


def rows(stack: Stack) -> Iterator[Place]:
    """Yield each row of the table of executions, without the raw key."""
    for row in stack.rows():
        told = {name: value for name, value in row.items() if name != "raw_key"}
        yield f"the row {row['id']}", json.dumps(told, ensure_ascii=False, default=str).encode()


def processed(stack: Stack) -> Iterator[Place]:
    """Yield key, metadata, tags and bytes of every version of every object of the processed bucket."""
    s3 = stack.account.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=stack.processed):
        for version in page.get("Versions", ()):
            given = {"Bucket": stack.processed, "Key": version["Key"], "VersionId": version["VersionId"]}
            answer = s3.get_object(**given)
            body = answer.pop("Body").read()
            tags = []
            with suppress(s3.exceptions.NoSuchKey):  # the emulator forgets the tags of what was deleted
                tags = s3.get_object_tagging(**given)["TagSet"]
            yield "a key of the processed bucket", version["Key"].encode()
            yield f"the headers of {version['Key']}", json.dumps([answer, tags], default=str).encode()
            yield f"the bytes of {version['Key']}", body


def _plain(text: str) -> bytes:
    # Inputs and outputs are JSON inside JSON.
    return text.replace('\\\\\\"', '"').replace('\\"', '"').encode()


def _without_raw_keys(body: bytes, stack: Stack) -> bytes:
    for spelling in stack.spellings_of_raw_keys():
        body = body.replace(spelling, b"")
    return body
