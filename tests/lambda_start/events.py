"""Events in the shapes that S3 and SQS give them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

from scanward.receive.s3_event import Reference

JsonObject = dict[str, Any]


def s3_event(*references: Reference, event: str = "ObjectCreated:Put") -> JsonObject:
    return {"Records": [_record(reference, event) for reference in references]}


def batch(*bodies: JsonObject | str) -> JsonObject:
    """Return an SQS batch; message ids count from m0."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [message(f"m{at}", text) for at, text in enumerate(texts)]}


def message(message_id: str, body: str) -> JsonObject:
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:stack-events",
        "awsRegion": "eu-central-1",
    }


def failed(answer: JsonObject) -> Sequence[str]:
    return sorted(one["itemIdentifier"] for one in answer["batchItemFailures"])


def _record(reference: Reference, event: str) -> JsonObject:
    described: JsonObject = {
        "key": quote_plus(reference.key, safe="/"),
        "size": reference.size,
        "eTag": reference.etag,
        "sequencer": reference.sequencer,
    }
    if reference.version_id:
        described["versionId"] = reference.version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": event,
        "s3": {"bucket": {"name": reference.bucket}, "object": described},
    }
