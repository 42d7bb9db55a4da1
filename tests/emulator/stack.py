"""The pipeline's stack on the emulator, deployed as a user would: layer, template, parameters, outputs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from tests.emulator.layer import build
from tests.emulator.machine import ROOT, Account

TEMPLATE = ROOT / "cloudformation/pipeline.yaml"
ARTIFACTS = "scanward-artifacts"
FINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Stack:
    """What was deployed, and how a test looks into it."""

    account: Account
    name: str
    outputs: Mapping[str, str]

    @property
    def raw(self) -> str:
        """Return the bucket of uploads."""
        return self.outputs["RawBucketName"]

    @property
    def processed(self) -> str:
        """Return the bucket of outputs."""
        return self.outputs["ProcessedBucketName"]

    @property
    def machine(self) -> str:
        """Return the processing state machine's ARN."""
        return self.outputs["StateMachineArn"]

    def upload(self, key: str, body: bytes) -> str:
        """Put an object into the raw bucket; return its version."""
        put = self.account.client("s3").put_object(Bucket=self.raw, Key=key, Body=body)
        return str(put["VersionId"])

    def executions(self, machine: str = "") -> Iterator[dict[str, Any]]:
        """Yield every execution of a machine, the newest first."""
        pages = self.account.client("stepfunctions").get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=machine or self.machine):
            yield from page["executions"]

    def describe(self, arn: str) -> dict[str, Any]:
        """Return an execution, its input and output read."""
        found: dict[str, Any] = self.account.client("stepfunctions").describe_execution(executionArn=arn)
        return found | {part: json.loads(found[part]) for part in ("input", "output") if found.get(part)}

    def executions_of(self, key: str) -> list[dict[str, Any]]:
        """Return the executions of every version of a raw key, the oldest first."""
        all_of_them = [self.describe(found["executionArn"]) for found in self.executions()]
        mine = [found for found in all_of_them if _key(found) == key]
        return sorted(mine, key=lambda found: found["startDate"])

    def ended(self, key: str, count: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait until `count` executions of a key have ended; return them, the oldest first."""

        def all_ended() -> list[dict[str, Any]]:
            found = self.executions_of(key)
            done = len(found) >= count and all(one["status"] in FINAL for one in found)
            return found if done else []

        return wait_for(all_ended, f"{count} executions of {key}", seconds)

    def result(self, key: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for the only execution of a key and return it."""
        (found,) = self.ended(key, seconds=seconds)
        return found

    def output(self, key: str) -> bytes:
        """Return an object of the processed bucket."""
        found = self.account.client("s3").get_object(Bucket=self.processed, Key=key)
        return bytes(found["Body"].read())

    def keys(self, bucket: str) -> list[str]:
        """Return every key of a bucket."""
        pages = self.account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


def wait_for(look: Callable[[], _Found], what: str, seconds: float = 60) -> _Found:
    """Look until something is there and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.2)
    return found


def publish_layer(account: Account) -> str:
    """Publish the layer as a deployment does, through a bucket; return its version's ARN."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)
    with tempfile.TemporaryDirectory() as folder:
        s3.upload_file(str(build(Path(folder) / "layer.zip")), ARTIFACTS, "layer.zip")
    published = account.client("lambda").publish_layer_version(
        LayerName="scanward", Content={"S3Bucket": ARTIFACTS, "S3Key": "layer.zip"}
    )
    return str(published["LayerVersionArn"])


def deploy(
    account: Account, layer: str, name: str = "pipeline", template: Path = TEMPLATE, **parameters: str
) -> Stack:
    """Create the stack and wait for it. Raises AssertionError with the events of what failed."""
    formation = account.client("cloudformation")
    account.client("s3").upload_file(str(template), ARTIFACTS, template.name)
    formation.create_stack(
        StackName=name,
        TemplateURL=f"{account.endpoint}/{ARTIFACTS}/{template.name}",
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in {"LayerArn": layer, **parameters}.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        formation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 90}
        )
    except Exception as error:
        raise AssertionError("\n".join(_failures(account, name))) from error
    (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
    return Stack(account, name, {out["OutputKey"]: out["OutputValue"] for out in stack["Outputs"]})


def _failures(account: Account, name: str) -> Iterator[str]:
    try:
        events = account.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    except ClientError as error:
        yield str(error)
        return
    for event in events:
        if "FAILED" in event["ResourceStatus"]:
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"


def _key(execution: Mapping[str, Any]) -> str:
    given = execution["input"]
    if "reference" in given:
        return str(given["reference"]["key"])
    return str(given["Records"][0]["s3"]["object"]["key"]) if "Records" in given else ""
