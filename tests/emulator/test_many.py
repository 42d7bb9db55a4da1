"""Many objects at once, a bucket that is full already, and one bucket for both zones."""

from __future__ import annotations

import json
import random
from collections import Counter
from io import BytesIO

import pytest
from pydicom import dcmread

from tests.emulator import leaks
from tests.emulator.deploying import deploy
from tests.emulator.machine import Account
from tests.emulator.objects import NEEDLES, scan
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration


def test_uploads_whose_events_come_thrice_and_shuffled_give_one_result_each(stack: Stack) -> None:
    keys = [f"many/{number:02}.dcm" for number in range(30)]
    with stack.events.held():
        for number, key in enumerate(keys):
            stack.upload(key, scan(100 + number))
        events = stack.events.take(len(keys)) * 3
        random.Random(4).shuffle(events)  # noqa: S311 - an order, not a secret
        for event in events:
            stack.events.send(event)
    wait_for(lambda: all_there(stack, keys), "30 results", seconds=150)
    stack.settle()
    started = Counter(key for key in keys for _ in stack.executions_of(key))
    assert started == Counter(keys)
    assert [row["shelf"] for row in stack.rows() if row["raw_key"] in keys] == ["SUCCEEDED"] * len(keys)
    instances = {dcmread(BytesIO(stack.output(key)), stop_before_pixels=True).SOPInstanceUID for key in keys}
    assert len(instances) == len(keys)


def test_a_bucket_that_is_full_already_is_taken_through_once(stack: Stack) -> None:
    keys = [f"old/{number:02}.dcm" for number in range(20)]
    with stack.events.held():
        for number, key in enumerate(keys):
            stack.upload(key, scan(200 + number))
        stack.events.take(len(keys))
    for _ in range(2):
        run = stack.scanward("backfill", f"s3://{stack.raw}/old/", "--batch", "5", "--json")
        assert run.returncode == 0, run.stderr + run.stdout
        wait_for(lambda: all_there(stack, keys), "20 results", seconds=120)
        stack.settle()
    started = Counter(key for key in keys for _ in stack.executions_of(key))
    assert started == Counter(keys)


def test_with_one_bucket_no_output_starts_an_execution(account: Account, layer: str) -> None:
    stack = into_one_bucket(deploy(account, layer, "single", ProjectName="single", FunctionSuffix="-single"))
    stack.upload("raw/patient1/image.dcm", scan(301))
    assert stack.result("raw/patient1/image.dcm")["status"] == "SUCCEEDED"
    stack.upload("elsewhere/image.dcm", scan(302))
    wait_for(lambda: stack.row_of("elsewhere/image.dcm", "IGNORED"), "what lies outside of raw/")
    stack.settle()
    assert sorted(key for key in stack.keys(stack.raw) if key.endswith("image.dcm")) == [
        "elsewhere/image.dcm",
        "processed/patient1/image.dcm",
        "raw/patient1/image.dcm",
    ]
    assert len(list(stack.executions())) == 1
    body = stack.account.client("s3").get_object(Bucket=stack.raw, Key="processed/patient1/image.dcm")
    assert dcmread(BytesIO(body["Body"].read())).PatientName == "REMOVED"


def test_nothing_of_many_tells_who_the_patients_are(stack: Stack) -> None:
    stack.settle()
    assert leaks.found(stack, NEEDLES) == {}


def all_there(stack: Stack, keys: list[str]) -> bool:
    """Return whether all outputs stand."""
    return set(keys) <= set(stack.keys(stack.processed))


def into_one_bucket(stack: Stack) -> Stack:
    """Let outputs go to the raw bucket, as the settings allow, with the right that this takes."""
    functions, iam = stack.account.client("lambda"), stack.account.client("iam")
    own = {
        "SCANWARD_AWS_RAW_PREFIX": "raw/",
        "SCANWARD_AWS_PROCESSED_BUCKET": stack.raw,
        "SCANWARD_AWS_PROCESSED_PREFIX": "processed/",
        "SCANWARD_AWS_PROCESSED_KMS_KEY": stack.outputs["RawKeyArn"],
    }
    for function in ("Ingestion", "Validation", "Deidentification", "Quarantine", "Starter"):
        name = stack.outputs[f"{function}FunctionName"]
        there = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": there | own})
    role = functions.get_function_configuration(FunctionName=stack.outputs["DeidentificationFunctionName"])
    objects = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{stack.raw}/processed/*",
    }
    keys = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": stack.outputs["RawKeyArn"],
    }
    iam.put_role_policy(
        RoleName=role["Role"].rpartition("/")[2],
        PolicyName="one-bucket",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [objects, keys]}),
    )
    return stack
