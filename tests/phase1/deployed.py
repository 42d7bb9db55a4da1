"""Phase 1 on the emulator, deployed by its README's own commands, with HealthImaging by our own server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.emulator.machine import AWS, REGION, ROOT, Account, Emulator
from tests.emulator.waiting import wait_for
from tests.phase1.healthimaging_server import HealthImagingServer

FOLDER = ROOT / "phase1_ingestion"
README = FOLDER / "README.md"
FINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


class EmulatorWithImaging(Emulator):
    """The emulator whose functions find HealthImaging where AWS's own variable says."""

    def __init__(self, imaging_url: str) -> None:
        """Keep the address for the functions' surroundings."""
        super().__init__()
        self._imaging_url = imaging_url

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "AWS_ENDPOINT_URL_MEDICAL_IMAGING": self._imaging_url}


@dataclass
class Surroundings:
    """What the server needs of the emulator, which needs the server's address first."""

    account: Account | None = None
    tells: bool = True
    datastore_id: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def s3_of_role(self, role_arn: str) -> Any:  # noqa: ANN401 - a client
        """Return S3 as the role sees it: a twin that we may take, with the policies that the role has now."""
        assert self.account is not None
        with self.lock:
            taken = self._taken(self.account, role_arn)
        return boto3.session.Session().client(
            "s3",
            region_name=REGION,
            endpoint_url=self.account.endpoint,
            aws_access_key_id=taken["AccessKeyId"],
            aws_secret_access_key=taken["SecretAccessKey"],
            aws_session_token=taken["SessionToken"],
        )

    def _taken(self, account: Account, role_arn: str) -> dict[str, str]:
        iam = account.client("iam")
        name = role_arn.rpartition("/")[2]
        twin = f"{name}-twin"
        if twin not in self.roles:
            trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            made = iam.create_role(RoleName=twin, AssumeRolePolicyDocument=document)
            self.roles[twin] = made["Role"]["Arn"]
        policy = iam.get_role_policy(RoleName=name, PolicyName="import")["PolicyDocument"]
        iam.put_role_policy(RoleName=twin, PolicyName="import", PolicyDocument=json.dumps(policy))
        keys = account.client("sts").assume_role(RoleArn=self.roles[twin], RoleSessionName="import")
        taken: dict[str, str] = keys["Credentials"]
        return taken

    def allows(self, operation: str, role_arn: str) -> bool:
        """Ask the policies that the stack's functions have now; who asks is known by what is asked.

        A start hands a role over, too. The emulator does not tell whose a key is, so that this is as near as
        one comes to AWS's own check.
        """
        assert self.account is not None
        project = role_arn.partition(":role/")[2].removesuffix("-healthimaging-import")
        start = operation == "StartDICOMImportJob"
        function = f"{project}-upload-handler" if start else f"{project}-import-monitor"
        iam = self.account.client("iam")
        (answer,) = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::000000000000:role/{function}",
            ActionNames=[f"medical-imaging:{operation}"],
            ResourceArns=[f"arn:aws:medical-imaging:{REGION}:000000000000:datastore/{self.datastore_id}"],
        )["EvaluationResults"]
        return answer["EvalDecision"] == "allowed" and (not start or _hands_over(iam, function, role_arn))

    def emit(self, kind: str, detail: dict[str, str]) -> None:
        """Send an event as AWS does, unless a test wants it lost."""
        if not self.tells or self.account is None:
            return
        entry = {"Source": "aws.medical-imaging", "DetailType": kind, "Detail": json.dumps(detail)}
        put = self.account.client("events").put_events(Entries=[entry])
        assert put["FailedEntryCount"] == 0, put


def _hands_over(iam: Any, role: str, handed: str) -> bool:  # noqa: ANN401 - a client
    """Tell whether a role may pass another to HealthImaging; its simulation knows no conditions."""
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    to_it = {"StringEquals": {"iam:PassedToService": "medical-imaging.amazonaws.com"}}
    wanted = {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": handed, "Condition": to_it}
    return any(wanted.items() <= statement.items() for statement in document["Statement"])


@dataclass(frozen=True)
class Deployed:
    """One stack of Phase 1 and what a test does with it."""

    account: Account
    imaging: HealthImagingServer
    surroundings: Surroundings
    project: str
    outputs: dict[str, str]

    @property
    def url(self) -> str:
        """Return the address of POST /upload on the emulator."""
        port = self.account.endpoint.rpartition(":")[2]
        return f"http://{self.outputs['ApiId']}.execute-api.localhost:{port}/prod/upload"

    def upload(self, key: str, body: bytes) -> None:
        """Put an object under uploads/."""
        self.account.client("s3").put_object(Bucket=self.outputs["UploadBucketName"], Key=key, Body=body)

    def post(self, body: Mapping[str, object], *options: str) -> tuple[int, dict[str, Any]]:
        """POST /upload by curl; return status and answer."""
        ran = subprocess.run(
            [
                *("curl", "-sS", "-X", "POST", self.url, "-H", "Content-Type: application/json"),
                *("-w", "\n%{http_code}", *options, "-d", json.dumps(body)),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        text, _, status = ran.stdout.rpartition("\n")
        return int(status), json.loads(text)

    def row(self, study_id: str) -> dict[str, str]:
        """Return a study's row as the printed command shows it."""
        table = self.outputs["StudyMetadataTableName"]
        found = self.account.client("dynamodb").get_item(TableName=table, Key={"study_id": {"S": study_id}})
        return {name: value["S"] for name, value in found.get("Item", {}).items()}

    def ended(self, study_id: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for a study's execution and return it."""
        machine = self.outputs["StateMachineArn"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:stroke-analysis-{study_id}"
        states = self.account.client("stepfunctions")

        def look() -> dict[str, Any]:
            found: dict[str, Any] = states.describe_execution(executionArn=arn)
            return found if found["status"] in FINAL else {}

        return wait_for(look, f"the end of {arn}", seconds)

    @contextmanager
    def without(self, role: str, *actions: str) -> Iterator[None]:
        """Take permissions from a role of the stack, and put them back."""
        iam, name = self.account.client("iam"), f"{self.project}-{role}"
        (policy_name,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        policy = iam.get_role_policy(RoleName=name, PolicyName=policy_name)["PolicyDocument"]
        lessened = json.loads(json.dumps(policy))
        for statement in lessened["Statement"]:
            statement["Action"] = [one for one in statement["Action"] if one not in actions]
        lessened["Statement"] = [one for one in lessened["Statement"] if one["Action"]]
        assert lessened != policy, f"{name} has none of {actions}"
        put = {"RoleName": name, "PolicyName": policy_name}
        iam.put_role_policy(**put, PolicyDocument=json.dumps(lessened))
        try:
            yield
        finally:
            iam.put_role_policy(**put, PolicyDocument=json.dumps(policy))


def blocks(title: str) -> str:
    """Return the commands under a heading of the README."""
    text = README.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def run(account: Account, commands: str, folder: Path, edit: Callable[[str], str] = str) -> str:
    """Run commands as a person does who has AWS's variables set; `edit` fills in what is theirs."""
    ran = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", edit(commands)],
        env={"PATH": f"{AWS.parent}:{os.environ['PATH']}", "HOME": str(folder), **account.environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def outputs_of(account: Account, stack: str) -> dict[str, str]:
    """Return a stack's outputs."""
    (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


__all__ = [
    "FOLDER",
    "REGION",
    "Deployed",
    "EmulatorWithImaging",
    "Surroundings",
    "blocks",
    "outputs_of",
    "run",
]
