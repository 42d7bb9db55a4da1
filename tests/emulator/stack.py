"""A deployed pipeline, and what a test looks at in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

from boto3.dynamodb.types import TypeDeserializer

from tests.emulator.events import Events
from tests.emulator.machine import ROOT, Account
from tests.emulator.waiting import wait_for

FINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
_KEPT = ("PATH", "HOME", "COVERAGE")  # the last, so that a measured run measures the command too
_SCANWARD = ROOT / ".venv/bin/scanward"


@dataclass(frozen=True)
class Stack:
    """What was deployed, and how a test looks into it."""

    account: Account
    name: str
    outputs: Mapping[str, str]
    _keys: dict[str, str] = field(default_factory=dict)

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
        """Return the executions of every version of a raw key as they are listed, the oldest first."""
        listed = list(self.executions())
        for one in listed:
            if one["executionArn"] not in self._keys:
                self._keys[one["executionArn"]] = _key(self.describe(one["executionArn"]))
        return [one for one in reversed(listed) if self._keys[one["executionArn"]] == key]

    def ended(self, key: str, count: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait until `count` executions of a key have ended; return them, the oldest first."""

        def all_ended() -> list[dict[str, Any]]:
            found = self.executions_of(key)
            done = len(found) >= count and all(one["status"] in FINAL for one in found)
            return found if done else []

        found = wait_for(all_ended, f"{count} executions of {key}", seconds)
        return [self.describe(one["executionArn"]) for one in found]

    def ended_execution(self, arn: str) -> dict[str, Any]:
        """Return an execution if it has ended, else {}."""
        found = self.describe(arn)
        return found if found["status"] in FINAL else {}

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

    def version_of_output(self, key: str) -> str:
        """Return which version of an output is the current one."""
        head = self.account.client("s3").head_object(Bucket=self.processed, Key=key)
        return str(head["VersionId"])

    @property
    def events(self) -> Events:
        """Return the queue of the raw bucket's events."""
        return Events(self.account, self.outputs["QueueUrl"], self.outputs["StarterFunctionName"])

    def settle(self, seconds: float = 90) -> None:
        """Wait until no message is under way, no execution runs and every end is recorded."""
        wait_for(self.events.are_done, "the end of all events", seconds)
        wait_for(
            lambda: all(one["status"] in FINAL for one in self.executions()), "the end of all runs", seconds
        )
        wait_for(
            lambda: all(row.get("shelf") != "RUNNING" for row in self.rows()),
            "all ends in the table",
            seconds,
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return every row of the table of executions, the running totals left out."""
        read = TypeDeserializer().deserialize
        pages = self.account.client("dynamodb").get_paginator("scan")
        items = [
            {name: read(value) for name, value in item.items()}
            for page in pages.paginate(TableName=self.outputs["ExecutionsTableName"])
            for item in page["Items"]
        ]
        return [row for row in items if "raw_key" in row]

    def rows_on(self, shelf: str) -> list[dict[str, Any]]:
        """Return the rows of a shelf."""
        return [row for row in self.rows() if row["shelf"] == shelf]

    def row_of(self, key: str, shelf: str = "") -> dict[str, Any]:
        """Return the newest row of a raw key on a shelf, {} if there is none."""
        mine = [row for row in self.rows() if row["raw_key"] == key and shelf in {"", row["shelf"]}]
        return max(mine, key=lambda row: str(row["arrived"]), default={})

    @property
    def environment(self) -> dict[str, str]:
        """Return what `scanward` needs in its shell to find this stack."""
        named = {
            "RAW_BUCKET": "RawBucketName",
            "PROCESSED_BUCKET": "ProcessedBucketName",
            "STATE_MACHINE_ARN": "StateMachineArn",
            "BACKFILL_ARN": "BackfillStateMachineArn",
            "EXECUTIONS_TABLE": "ExecutionsTableName",
            "QUEUE_URL": "QueueUrl",
            "DEAD_LETTER_URL": "DeadLetterQueueUrl",
            "TOPIC_ARN": "AlertsTopicArn",
            "SITE_SECRET_ARN": "SiteSecretArn",
            "NAMING_SECRET_ARN": "NamingSecretArn",
        }
        found = {f"SCANWARD_AWS_{name}": self.outputs[output] for name, output in named.items()}
        return self.account.environment | found

    def scanward(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run Scanward's command line against the stack."""
        return subprocess.run(
            [str(_SCANWARD), *arguments],
            env={name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
            | self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def listed(self, *options: str) -> list[dict[str, Any]]:
        """Return what `scanward executions list` prints for programs."""
        run = self.scanward("executions", "list", "--engine", "aws", "--limit", "500", "--json", *options)
        assert run.returncode == 0, run.stderr
        found: list[dict[str, Any]] = json.loads(run.stdout)
        return found

    def spellings_of_raw_keys(self) -> list[bytes]:
        """Return every raw key as it may be written, the longest first."""
        keys = self.keys(self.raw)
        ways = (str, quote, lambda key: quote_plus(key, safe="/"), lambda key: json.dumps(key)[1:-1])
        spelled = {way(key) for key in keys for way in ways}
        return [form.encode() for form in sorted(spelled, key=len, reverse=True)]

    def logged(self, function: str) -> list[str]:
        """Return what a function has written to its log."""
        logs = self.account.client("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/{self.outputs[f'{function}FunctionName']}"
        return [event["message"] for page in logs.paginate(logGroupName=group) for event in page["events"]]

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Let no end of an execution reach the recorder, as long as the block lasts."""
        events = self.account.client("events")
        rules = events.list_rules(NamePrefix=self.raw.removesuffix("-raw-dicom"))["Rules"]
        (name,) = [rule["Name"] for rule in rules]
        events.disable_rule(Name=name)
        try:
            yield
        finally:
            events.enable_rule(Name=name)

    def tell_of_an_end(self, execution: Mapping[str, Any], status: str = "") -> None:
        """Tell the recorder of an execution's end as EventBridge does, perhaps with another status."""
        detail = {
            "executionArn": execution["executionArn"],
            "stateMachineArn": self.machine,
            "name": execution["name"],
            "status": status or execution["status"],
            "startDate": int(execution["startDate"].timestamp() * 1000),
            "stopDate": int(execution["stopDate"].timestamp() * 1000),
            "input": json.dumps(execution["input"]),
            "output": json.dumps(execution["output"]) if "output" in execution and not status else None,
        }
        event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change"}
        answer = self.account.client("lambda").invoke(
            FunctionName=self.outputs["RecorderFunctionName"], Payload=json.dumps(event | {"detail": detail})
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def start_cold(self, function: str) -> None:
        """Let a function begin anew, as any change of its settings does: what it remembers is gone."""
        functions, name = self.account.client("lambda"), self.outputs[f"{function}FunctionName"]
        memory = functions.get_function_configuration(FunctionName=name)["MemorySize"]
        functions.update_function_configuration(FunctionName=name, MemorySize=memory ^ 1)

    @contextmanager
    def without(self, function: str, *actions: str) -> Iterator[None]:
        """Take permissions from a function's role, and put them back."""
        iam, functions = self.account.client("iam"), self.account.client("lambda")
        name = self.outputs[f"{function}FunctionName"]
        role = functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
        (policy_name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policy = iam.get_role_policy(RoleName=role, PolicyName=policy_name)["PolicyDocument"]
        lessened = json.loads(json.dumps(policy))
        for statement in lessened["Statement"]:
            statement["Action"] = [one for one in statement["Action"] if one not in actions]
        lessened["Statement"] = [one for one in lessened["Statement"] if one["Action"]]
        assert lessened != policy, f"{role} has none of {actions}"
        put = {"RoleName": role, "PolicyName": policy_name}
        iam.put_role_policy(**put, PolicyDocument=json.dumps(lessened))
        try:
            yield
        finally:
            iam.put_role_policy(**put, PolicyDocument=json.dumps(policy))


def _key(execution: Mapping[str, Any]) -> str:
    given = execution["input"]
    if "reference" in given:
        return str(given["reference"]["key"])
    return str(given["Records"][0]["s3"]["object"]["key"]) if "Records" in given else ""
