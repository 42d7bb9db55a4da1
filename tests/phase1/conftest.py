"""Phase 1 in this process: S3, DynamoDB and Step Functions by moto, HealthImaging by our own server."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
from moto.server import ThreadedMotoServer
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client
from mypy_boto3_stepfunctions import SFNClient

from scanward.adapters.aws import clients
from scanward.adapters.aws.studies import PATIENT_INDEX
from tests.phase1.healthimaging_server import HealthImagingServer

REGION = "us-east-1"
BUCKET = "stroke-detection-ai-dicom-uploads-123456789012"
TABLE = "stroke-detection-ai-study-metadata"
ROLE = "arn:aws:iam::123456789012:role/stroke-detection-ai-healthimaging-import"
CT = Path(pydicom.__file__).parent / "data/test_files/CT_small.dcm"
KEY = "uploads/brain_scan.dcm"
ASKED = {
    "patient_id": "P123456",
    "study_description": "Brain CT - Suspected Stroke",
    "file_key": KEY,
}


@dataclass(frozen=True)
class Phase1:
    """What a test works with: the services, and the two functions' surroundings."""

    imaging: HealthImagingServer
    s3: S3Client
    dynamodb: DynamoDBClient
    states: SFNClient
    machine_arn: str

    def upload(self, body: bytes | None = None, key: str = KEY) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=CT.read_bytes() if body is None else body)

    def row(self, study_id: str) -> dict[str, str]:
        found = self.dynamodb.get_item(TableName=TABLE, Key={"study_id": {"S": study_id}})["Item"]
        return {name: value["S"] for name, value in found.items()}

    def rows(self) -> list[dict[str, Any]]:
        return list(self.dynamodb.scan(TableName=TABLE)["Items"])

    def executions(self) -> list[str]:
        found = self.states.list_executions(stateMachineArn=self.machine_arn)["executions"]
        return [execution["name"] for execution in found]

    def end(self, job_id: str) -> None:
        """Wait until a job has ended."""
        self.imaging.wait_for(job_id)


def asked(body: object, **more: object) -> dict[str, Any]:
    """Return an event of an HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "POST /upload",
        "rawPath": "/prod/upload",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/prod/upload"}, "stage": "prod"},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        **more,
    }


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[str, HealthImagingServer]]:
    """Serve for a module's tests, which all start afresh: making boto3's clients is what takes time."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would log keys into the tests' own output
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    _tell_moto(url, "/moto-api/config", '{"stepfunctions": {"execute_state_machine": true}}')
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "MOTO_PORT": str(port),  # where its state machines look for its other services
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        clients.client.cache_clear()  # type: ignore[attr-defined]  # the stubs hide that it is cached
        s3 = clients.client("s3")
        with HealthImagingServer(lambda _role: s3, job_seconds=0) as imaging:
            environment.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", imaging.url)
            yield url, imaging
        clients.client.cache_clear()  # type: ignore[attr-defined]
    server.stop()


@pytest.fixture
def phase1(services: tuple[str, HealthImagingServer], monkeypatch: pytest.MonkeyPatch) -> Iterator[Phase1]:
    url, imaging = services
    _tell_moto(url, "/moto-api/reset")
    imaging.forget(starts_a_second=1000)
    s3, dynamodb = clients.client("s3"), clients.client("dynamodb")
    states = clients.client("stepfunctions")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    _create_table(dynamodb)
    machine = states.create_state_machine(
        name="stroke-detection-ai-processing",
        definition='{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}',
        roleArn=ROLE,
    )["stateMachineArn"]
    for name, value in {
        "UPLOAD_BUCKET": BUCKET,
        "STUDIES_TABLE": TABLE,
        "DATASTORE_ID": imaging.datastore_id,
        "IMPORT_ROLE_ARN": ROLE,
        "STATE_MACHINE_ARN": machine,
    }.items():
        monkeypatch.setenv(f"SCANWARD_PHASE1_{name}", value)
    yield Phase1(imaging, s3, dynamodb, states, machine)
    imaging.may_end.set()
    for job in list(imaging.jobs.values()):
        imaging.wait_for(job.id)
    assert imaging.faults == []


def _create_table(dynamodb: DynamoDBClient) -> None:
    names = ("study_id", "patient_id", "upload_timestamp")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": "study_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": PATIENT_INDEX,
                "KeySchema": [
                    {"AttributeName": "patient_id", "KeyType": "HASH"},
                    {"AttributeName": "upload_timestamp", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _tell_moto(url: str, path: str, body: str = "") -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    assert connection.getresponse().status in {200, 201}
    connection.close()
