"""A stack's queue, table, machine and buckets in moto, whose Step Functions runs what it is given."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
from moto import mock_aws

from scanward.adapters.aws.executions import DynamoExecutions
from scanward.adapters.aws.executions_runs import Runs
from scanward.adapters.aws.executions_table import ExecutionsTable
from scanward.adapters.aws.queue import SqsQueue
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.entrypoints.aws_lambda.starter import Starter
from scanward.entrypoints.aws_lambda.starter_choice import Places
from scanward.receive.s3_event import Reference
from scanward.settings import AwsSettings

REGION = "eu-central-1"
RAW, PROCESSED = "stack-raw-dicom", "stack-processed-dicom"
NAMING = b"a key that names executions only"
ROLE = "arn:aws:iam::123456789012:role/machine"
TABLE = "stack-dev-executions"

SUCCEEDS: dict[str, Any] = {"Type": "Succeed"}
WAITS: dict[str, Any] = {"Type": "Wait", "Seconds": 300, "End": True}


def fails(error: str, cause: str = "") -> dict[str, Any]:
    return {"Type": "Fail", "Error": error, "Cause": cause}


@dataclass(frozen=True)
class Clients:
    """Clients of one stack; a test may stand a proxy before one."""

    dynamodb: Any
    states: Any
    sqs: Any
    s3: Any
    sns: Any
    secrets: Any


@dataclass(frozen=True)
class Stack:
    clients: Clients
    machine: str
    queue_url: str
    dead_letter_url: str
    topic: str
    naming_secret: str

    def executions(self, run_seconds: float = 300) -> DynamoExecutions:
        clients = self.clients
        return DynamoExecutions(
            ExecutionsTable(TABLE, clients.dynamodb),
            Runs(self.machine, clients.states),
            self.queue(),
            run_seconds,
        )

    def queue(self) -> SqsQueue:
        return SqsQueue(self.queue_url, self.dead_letter_url, self.clients.sqs, wait_seconds=0)

    def starter(self, **places: str) -> Starter:
        places = {"raw_bucket": RAW, "processed_bucket": PROCESSED} | places
        return Starter(
            self.executions(),
            S3Objects(self.clients.s3),
            NAMING,
            Places.of(AwsSettings(**places)),  # type: ignore[arg-type]  # texts all
        )

    def with_clients(self, **proxies: object) -> Stack:
        return replace(self, clients=replace(self.clients, **proxies))

    def machine_now(self, state: dict[str, Any], seconds: int = 3600) -> None:
        """Let the machine be of this one state from now on, and time out after so many seconds."""
        self.clients.states.update_state_machine(
            stateMachineArn=self.machine, definition=definition(state, seconds)
        )

    def put(self, key: str, body: bytes = b"\0" * 128 + b"DICM", bucket: str = RAW) -> Reference:
        answer = self.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
        etag = answer["ETag"].strip('"')
        return Reference(bucket, key, answer.get("VersionId", ""), etag, len(body), "0055AED6DCD90281E5")

    def names(self) -> list[str]:
        """Return the names of all runs that were ever started."""
        pages = self.clients.states.get_paginator("list_executions").paginate(stateMachineArn=self.machine)
        return sorted(one["name"] for page in pages for one in page["executions"])

    def settled(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """Wait until a run has ended, and return what Step Functions says of it."""
        arn = self.machine.replace(":stateMachine:", ":execution:") + f":{name}"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found: dict[str, Any] = self.clients.states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.05)
        raise AssertionError("the run did not end")

    def detail(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """Return EventBridge's `detail` of a run's end."""
        found = self.settled(name, seconds)
        return {
            "executionArn": found["executionArn"],
            "stateMachineArn": self.machine,
            "name": name,
            "status": found["status"],
            "startDate": int(found["startDate"].timestamp() * 1000),
            # moto keeps no moment of a machine's time-out.
            "stopDate": int(found.get("stopDate", datetime.now(UTC)).timestamp() * 1000),
            "input": found.get("input"),
            "output": found.get("output"),
            "error": found.get("error"),
            "cause": found.get("cause"),
        }

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clients.dynamodb.scan(TableName=TABLE)["Items"]
        return [row for row in found if not row["id"]["S"].startswith("totals-")]


def definition(state: dict[str, Any], seconds: int = 3600) -> str:
    return json.dumps({"StartAt": "Only", "TimeoutSeconds": seconds, "States": {"Only": state}})


@contextmanager
def running() -> Iterator[Stack]:
    """Make a stack in moto; its runs are threads that end by themselves."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield _made()


def _made() -> Stack:
    def client(service: str) -> Any:  # noqa: ANN401 - boto3 knows its clients by name only
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # as above

    clients = Clients(
        *(client(name) for name in ("dynamodb", "stepfunctions", "sqs", "s3", "sns", "secretsmanager"))
    )
    make_table(clients.dynamodb)
    for bucket in (RAW, PROCESSED):
        clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    dead = clients.sqs.create_queue(QueueName="stack-dead-letters")["QueueUrl"]
    attributes = clients.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": "3"})
    queue = clients.sqs.create_queue(QueueName="stack-events", Attributes={"RedrivePolicy": policy})
    machine = clients.states.create_state_machine(
        name="dicom-processing-workflow-dev", definition=definition(WAITS), roleArn=ROLE
    )
    topic = clients.sns.create_topic(Name="stack-alerts")
    secret = clients.secrets.create_secret(Name="stack/naming-key", SecretString=NAMING.decode())
    return Stack(
        clients, machine["stateMachineArn"], queue["QueueUrl"], dead, topic["TopicArn"], secret["ARN"]
    )


def make_table(dynamodb: Any) -> None:  # noqa: ANN401 - a client
    texts = ("id", "shelf", "arrived")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in texts],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-shelf",
                "KeySchema": [
                    {"AttributeName": "shelf", "KeyType": "HASH"},
                    {"AttributeName": "arrived", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
