"""What the launcher mends of the emulator, and that nothing of it is left when its parent is gone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.machine import ACCOUNT, ROOT, Account
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
_CODE = """
import boto3
class Oops(Exception): pass
def lambda_handler(event, context):
    if "raise" in event:
        raise Oops("what happened")
    return boto3.client("s3").get_object(Bucket=event["bucket"], Key="key")["Body"].read().decode()
"""


@pytest.fixture(scope="module")
def function(account: Account) -> str:
    """A function without any permission, whose boto3 comes by a layer, and its role of the same name."""
    layer = account.client("lambda").publish_layer_version(
        LayerName="boto", Content={"ZipFile": _packed({"python/boto3.py": _BOTO3})}
    )
    role = account.client("iam").create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps(_TRUST))
    account.client("lambda").create_function(
        FunctionName="probe",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="index.lambda_handler",
        Code={"ZipFile": _packed({"index.py": _CODE})},
        Layers=[layer["LayerVersionArn"]],
    )
    return "probe"


# The emulator's own botocore is enough for one call.
_BOTO3 = """
import os, botocore.session
def client(name):
    return botocore.session.get_session().create_client(name, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
"""


def test_an_error_of_a_function_bears_the_name_of_its_class(account: Account, function: str) -> None:
    answer = account.client("lambda").invoke(FunctionName=function, Payload=b'{"raise": true}')
    told = json.loads(answer["Payload"].read())
    assert answer["FunctionError"]
    assert told["errorType"] == "Oops"
    assert told["errorMessage"] == "what happened"


def test_a_state_machine_catches_an_error_by_the_name_of_its_class(account: Account, function: str) -> None:
    allowed = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}",
    }
    role = {"RoleName": "probe", "PolicyName": "invoke"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    account.client("iam").put_role_policy(**role, PolicyDocument=json.dumps(policy))
    assert _end_of_a_machine(account, function, "catching")["status"] == "SUCCEEDED"
    account.client("iam").delete_role_policy(**role)


def test_a_state_machine_calls_no_function_that_its_role_may_not(account: Account, function: str) -> None:
    ended = _end_of_a_machine(account, function, "without-right")
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.AWSLambdaException")


def test_a_function_may_do_what_its_role_allows_and_nothing_else(account: Account, function: str) -> None:
    _bucket(account, "probed")
    assert "AccessDenied" in _read(account, function, "probed")
    _allow(account, "probed")
    assert _read(account, function, "probed") == "body"


@pytest.mark.parametrize(("tls", "answer"), [("false", "body"), ("true", "AccessDenied")])
def test_a_policy_sees_loopback_as_tls(account: Account, function: str, tls: str, answer: str) -> None:
    # A policy that denies what is not TLS lets loopback pass; one that denies TLS shows that it is enforced.
    bucket = f"transport-{tls}"
    _bucket(account, bucket)
    _allow(account, bucket)
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": tls}},
    }
    policy = {"Version": "2012-10-17", "Statement": [denied]}
    account.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert answer in _read(account, function, bucket)


def test_a_policy_knows_a_function_by_its_role(account: Account, function: str) -> None:
    bucket = "closed"
    _bucket(account, bucket)
    _allow(account, bucket)
    role = f"arn:aws:iam::{ACCOUNT}:role/probe"
    for keeper, answer in ((role, "body"), (f"{role}-2", "AccessDenied")):
        denied = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": keeper}},
        }
        policy = {"Version": "2012-10-17", "Statement": [denied]}
        account.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        assert answer in _read(account, function, bucket)


def test_the_emulator_ends_with_its_parent_even_when_that_is_killed() -> None:
    script = (
        "import sys, time\nfrom tests.emulator.machine import Emulator\n"
        "with Emulator() as emulator:\n"
        "    print(emulator.process_id, emulator.folder, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
    finally:
        parent.kill()
        parent.wait(timeout=10)
    deadline = time.monotonic() + 20
    while _runs(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(int(pid))
    assert not Path(folder).exists()


def _end_of_a_machine(account: Account, function: str, name: str) -> dict[str, Any]:
    """Run a machine that catches what the function raises; return how it ended."""
    states = account.client("stepfunctions")
    definition = {
        "StartAt": "Try",
        "States": {
            "Try": {
                "Type": "Task",
                "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}",
                "Catch": [{"ErrorEquals": ["Oops"], "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Succeed"},
        },
    }
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/probe"
    )
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"], input='{"raise": true}')

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
        return {} if found["status"] == "RUNNING" else found

    return wait_for(ended, "the machine's end", seconds=20)


def _bucket(account: Account, bucket: str) -> None:
    account.client("s3").create_bucket(Bucket=bucket)
    account.client("s3").put_object(Bucket=bucket, Key="key", Body=b"body")


def _allow(account: Account, bucket: str) -> None:
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    account.client("iam").put_role_policy(
        RoleName="probe", PolicyName=bucket, PolicyDocument=json.dumps(policy)
    )


def _read(account: Account, function: str, bucket: str) -> str:
    answer = account.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"bucket": bucket}))
    told = json.loads(answer["Payload"].read())
    return str(told["errorMessage"] if "FunctionError" in answer else told)


def _runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def _packed(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
