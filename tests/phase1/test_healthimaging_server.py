"""The server of the tests is held to AWS's model and documents, so that what passes here may pass there."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_medical_imaging import HealthImagingClient

from tests.phase1.conftest import BUCKET, CT, ROLE, Phase1
from tests.phase1.healthimaging_model import Refusal, answer, read
from tests.phase1.healthimaging_server import HealthImagingServer

pytestmark = pytest.mark.unit


def imaging_client(phase1: Phase1) -> HealthImagingClient:
    config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
    return boto3.client("medical-imaging", endpoint_url=phase1.imaging.url, config=config)


def start(client: HealthImagingClient, phase1: Phase1, prefix: str = "in/") -> str:
    begun = client.start_dicom_import_job(
        jobName="one",
        clientToken="one",
        datastoreId=phase1.imaging.datastore_id,
        dataAccessRoleArn=ROLE,
        inputS3Uri=f"s3://{BUCKET}/{prefix}",
        outputS3Uri=f"s3://{BUCKET}/out/",
    )
    return begun["jobId"]


def output(phase1: Phase1, name: str) -> bytes:
    keys = [item["Key"] for item in phase1.s3.list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]]
    key = next(key for key in keys if key.endswith(name))
    body: bytes = phase1.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def test_a_job_ends_with_the_manifest_and_the_lines_that_aws_documents(phase1: Phase1) -> None:
    phase1.s3.put_object(Bucket=BUCKET, Key="in/good.dcm", Body=CT.read_bytes())
    phase1.s3.put_object(Bucket=BUCKET, Key="in/bad.dcm", Body=b"no image")
    client = imaging_client(phase1)
    job_id = start(client, phase1)
    phase1.end(job_id)
    properties = client.get_dicom_import_job(datastoreId=phase1.imaging.datastore_id, jobId=job_id)[
        "jobProperties"
    ]
    assert properties["jobStatus"] == "COMPLETED"
    assert properties["outputS3Uri"].endswith(f"/out/{phase1.imaging.datastore_id}-DicomImport-{job_id}/")
    good = json.loads(output(phase1, "SUCCESS/success.ndjson"))
    assert good["inputFile"] == "in/good.dcm"
    assert good["importResponse"]["imageSetId"] in phase1.imaging.store.image_sets
    bad = json.loads(output(phase1, "FAILURE/failure.ndjson"))
    assert bad["exception"]["exceptionType"] == "ValidationException"
    summary = json.loads(output(phase1, "job-output-manifest.json"))["jobSummary"]
    assert (summary["numberOfScannedFiles"], summary["numberOfImportedFiles"]) == (2, 1)
    assert summary["imageSetsSummary"] == [
        {"imageSetId": good["importResponse"]["imageSetId"], "numberOfMatchedSOPInstances": 1}
    ]


def test_one_client_token_is_one_job_and_another_request_under_it_conflicts(phase1: Phase1) -> None:
    phase1.s3.put_object(Bucket=BUCKET, Key="in/good.dcm", Body=CT.read_bytes())
    client = imaging_client(phase1)
    assert start(client, phase1) == start(client, phase1)
    with pytest.raises(ClientError) as raised:
        start(client, phase1, prefix="elsewhere/")
    assert raised.value.response["Error"]["Code"] == "ConflictException"
    listed = client.list_dicom_import_jobs(datastoreId=phase1.imaging.datastore_id)
    assert len(listed["jobSummaries"]) == 1


def test_a_second_start_within_four_seconds_is_throttled_as_aws_does(phase1: Phase1) -> None:
    with HealthImagingServer(lambda _role: phase1.s3) as throttled:
        client = boto3.client(
            "medical-imaging", endpoint_url=throttled.url, config=Config(retries={"total_max_attempts": 1})
        )

        def begin(token: str) -> str:
            begun = client.start_dicom_import_job(
                clientToken=token,
                datastoreId=throttled.datastore_id,
                dataAccessRoleArn=ROLE,
                inputS3Uri=f"s3://{BUCKET}/in/",
                outputS3Uri=f"s3://{BUCKET}/out/",
            )
            return begun["jobStatus"]

        began = time.monotonic()
        begin("one")
        with pytest.raises(ClientError) as raised:
            begin("two")
        assert raised.value.response["Error"]["Code"] == "ThrottlingException"
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        while time.monotonic() - began < 4.05:
            time.sleep(0.05)
        assert begin("two") in {"SUBMITTED", "IN_PROGRESS", "FAILED"}


def test_an_image_set_can_be_read_and_deleted(phase1: Phase1) -> None:
    phase1.s3.put_object(Bucket=BUCKET, Key="in/good.dcm", Body=CT.read_bytes())
    client = imaging_client(phase1)
    phase1.end(start(client, phase1))
    named = {
        "datastoreId": phase1.imaging.datastore_id,
        "imageSetId": next(iter(phase1.imaging.store.image_sets)),
    }
    assert client.get_image_set(**named)["imageSetState"] == "ACTIVE"
    assert client.delete_image_set(**named)["imageSetWorkflowStatus"] == "DELETING"
    assert client.get_image_set(**named)["imageSetState"] == "DELETED"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"inputS3Uri": "https://bucket/in/"}, "inputS3Uri"),
        ({"dataAccessRoleArn": "arn:aws:iam::12:role/r"}, "dataAccessRoleArn"),
        ({"jobName": "a blank"}, "jobName"),
        ({"clientToken": "x" * 65}, "clientToken"),
        ({"outputS3Uri": None}, "outputS3Uri"),
    ],
)
def test_a_request_that_does_not_fit_the_model_is_refused(wrong: dict[str, Any], named: str) -> None:
    body = {
        "jobName": "one",
        "clientToken": "one",
        "dataAccessRoleArn": ROLE,
        "inputS3Uri": "s3://bucket/in/",
        "outputS3Uri": "s3://bucket/out/",
    }
    given = {name: value for name, value in {**body, **wrong}.items() if value is not None}
    with pytest.raises(Refusal) as raised:
        read("POST", f"/startDICOMImportJob/datastore/{'a' * 32}", json.dumps(given).encode())
    assert raised.value.code == "ValidationException"
    assert named in raised.value.message


def test_an_answer_that_does_not_fit_the_model_is_never_sent() -> None:
    with pytest.raises(Refusal):
        answer("StartDICOMImportJob", {"datastoreId": "a" * 32, "jobId": "b" * 32, "jobStatus": "DONE"})


def test_what_is_not_signed_for_the_service_is_refused(phase1: Phase1) -> None:
    unsigned = boto3.client(
        "s3", endpoint_url=phase1.imaging.url, config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(ClientError) as raised:
        unsigned.get_object(Bucket="getDICOMImportJob", Key="datastore/x/job/y")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
