"""The template on the emulator: what its policies refuse, and what stays when the stack goes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.emulator.deploying import ARTIFACTS, deploy
from tests.emulator.machine import REGION, Account, Emulator
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration

_CURATOR = "arn:aws:iam::000000000000:role/curator-*"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Emulator() as emulator:
        yield emulator.account


@pytest.fixture(scope="module")
def stack(account: Account) -> Stack:
    """Deploy with an empty layer: no function runs here."""
    return deploy(account, _empty_layer(account), QuarantineAdminArns=_CURATOR)


def _empty_layer(account: Account) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/nothing.py", "")
    s3 = account.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)
    s3.put_object(Bucket=ARTIFACTS, Key="layer.zip", Body=packed.getvalue())
    published = account.client("lambda").publish_layer_version(
        LayerName="empty", Content={"S3Bucket": ARTIFACTS, "S3Key": "layer.zip"}
    )
    return str(published["LayerVersionArn"])


def _as_role(account: Account, name: str, actions: str = "s3:*") -> Any:  # noqa: ANN401 - boto3's client
    """Return an S3 client of a role that may do anything with S3, as far as its own policy goes."""
    iam = account.client("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [anybody]}))
    may = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="s3", PolicyDocument=json.dumps(may))
    keys = account.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="test")
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=account.endpoint,
        aws_access_key_id=keys["Credentials"]["AccessKeyId"],
        aws_secret_access_key=keys["Credentials"]["SecretAccessKey"],
        aws_session_token=keys["Credentials"]["SessionToken"],
    )


def test_nobody_but_its_keepers_reads_or_writes_quarantine_whatever_else_they_may(stack: Stack) -> None:
    physician = _as_role(stack.account, "physician")
    curator = _as_role(stack.account, "curator-radiology")
    kept = {"Bucket": stack.raw, "Key": "quarantine/execution/object"}
    curator.put_object(**kept, Body=b"kept")
    assert curator.get_object(**kept)["Body"].read() == b"kept"
    for forbidden in (physician.get_object, physician.delete_object):
        with pytest.raises(ClientError, match="AccessDenied"):
            forbidden(**kept)
    with pytest.raises(ClientError, match="AccessDenied"):
        physician.put_object(**kept, Body=b"other")
    physician.put_object(Bucket=stack.raw, Key="patient/a.dcm", Body=b"raw")
    assert physician.get_object(Bucket=stack.raw, Key="patient/a.dcm")["Body"].read() == b"raw"


def test_an_upload_without_kms_is_refused(stack: Stack) -> None:
    """The emulator does not tell policies which key is named; the template's test does that."""
    uploader = _as_role(stack.account, "uploader")
    with pytest.raises(ClientError, match="AccessDenied"):
        uploader.put_object(Bucket=stack.raw, Key="a.dcm", Body=b"x", ServerSideEncryption="AES256")
    own: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": stack.outputs["RawKeyArn"]}
    uploader.put_object(Bucket=stack.raw, Key="a.dcm", Body=b"x", **own)
    uploader.put_object(Bucket=stack.raw, Key="a.dcm", Body=b"x")


def test_the_site_secret_is_made_by_the_deployment(stack: Stack) -> None:
    secrets = stack.account.client("secretsmanager")
    made = {
        secrets.get_secret_value(SecretId=stack.outputs[name])["SecretString"]
        for name in ("SiteSecretArn", "NamingSecretArn")
    }
    assert len(made) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in made)


def test_the_state_machine_has_its_time_out_and_its_functions(stack: Stack) -> None:
    states = stack.account.client("stepfunctions")
    found = states.describe_state_machine(stateMachineArn=stack.machine)
    definition = json.loads(found["definition"])
    assert definition["TimeoutSeconds"] == 300
    assert definition["States"]["Ingestion"]["Resource"].endswith(
        ":function:medical-imaging-pipeline-ingestion"
    )
    assert found["encryptionConfiguration"]["type"] == "CUSTOMER_MANAGED_KMS_KEY"


def test_a_second_stack_with_suffixes_stands_beside_the_first(stack: Stack) -> None:
    layers = stack.account.client("lambda").list_layer_versions(LayerName="empty")["LayerVersions"]
    second = deploy(
        stack.account,
        layers[0]["LayerVersionArn"],
        name="second",
        Environment="prod",
        BucketSuffix="-4711",
        FunctionSuffix="-prod",
        AlarmEmail="somebody@example.org",
        SiteSecretAdminArns="arn:aws:iam::000000000000:role/keeper,arn:aws:iam::000000000000:role/deputy",
    )
    assert second.raw == "medical-imaging-pipeline-prod-raw-dicom-4711"
    assert second.outputs["IngestionFunctionName"] == "medical-imaging-pipeline-ingestion-prod"
    assert second.machine.endswith(":dicom-processing-workflow-prod-prod")
    told = stack.account.client("sns").list_subscriptions_by_topic(TopicArn=second.outputs["AlertsTopicArn"])
    assert [each["Endpoint"] for each in told["Subscriptions"]] == ["somebody@example.org"]
    secrets = stack.account.client("secretsmanager")
    key = secrets.describe_secret(SecretId=second.outputs["SiteSecretArn"])["KmsKeyId"]
    policy = stack.account.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    (readers,) = [each for each in json.loads(policy)["Statement"] if each["Sid"] == "ReadSecret"]
    named = [arn.rpartition("/")[2] for arn in readers["Condition"]["ArnLike"]["aws:PrincipalArn"]]
    assert named == ["medical-imaging-pipeline-prod-deidentification-prod", "keeper", "deputy"]


def test_data_outlives_the_stack(stack: Stack) -> None:
    uploader = _as_role(stack.account, "last-uploader")
    uploader.put_object(Bucket=stack.raw, Key="patient/last.dcm", Body=b"kept")
    formation = stack.account.client("cloudformation")
    formation.delete_stack(StackName=stack.name)

    def is_gone() -> bool:
        try:
            (found,) = formation.describe_stacks(StackName=stack.name)["Stacks"]
        except ClientError:
            return True
        assert found["StackStatus"] != "DELETE_FAILED"
        return bool(found["StackStatus"] == "DELETE_COMPLETE")

    wait_for(is_gone, "the stack's end", 60)
    assert uploader.get_object(Bucket=stack.raw, Key="patient/last.dcm")["Body"].read() == b"kept"
    # What guards the data outlives the stack with it.
    guard = json.loads(stack.account.client("s3").get_bucket_policy(Bucket=stack.raw)["Policy"])
    assert "QuarantineIsClosed" in {each["Sid"] for each in guard["Statement"]}
    described = stack.account.client("dynamodb").describe_table(
        TableName=stack.outputs["ExecutionsTableName"]
    )
    assert described["Table"]["TableStatus"] == "ACTIVE"
    assert stack.account.client("secretsmanager").describe_secret(SecretId=stack.outputs["SiteSecretArn"])
    key = stack.account.client("kms").describe_key(KeyId=stack.outputs["RawKeyArn"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    functions = stack.account.client("lambda").list_functions()["Functions"]
    assert "medical-imaging-pipeline-ingestion" not in {each["FunctionName"] for each in functions}
