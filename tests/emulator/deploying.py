"""The pipeline's stack on the emulator, deployed as a user would: layer, template, parameters, outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError

from tests.emulator.layer import build
from tests.emulator.machine import ROOT, Account
from tests.emulator.stack import Stack

TEMPLATE = ROOT / "cloudformation/pipeline.yaml"
ARTIFACTS = "scanward-artifacts"


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
    except WaiterError as error:
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
