"""The import's end reaches the row and the waiting execution, by event or by poll, once and in any order."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest

from scanward.entrypoints.aws_lambda.import_monitor import lambda_handler
from scanward.entrypoints.aws_lambda.upload_handler import lambda_handler as upload
from scanward.errors import BadInput, Misconfigured, NotFound
from tests.phase1.conftest import ASKED, BUCKET, KEY, ROLE, Phase1, asked

pytestmark = pytest.mark.unit


def begun(phase1: Phase1, **more: str) -> dict[str, str]:
    """Upload a study and return what the state machine gives to the monitor."""
    phase1.upload()
    answer = json.loads(upload(asked({**ASKED, **more}))["body"])
    return {"study_id": answer["study_id"], "import_job_id": answer["import_job_id"]}


def event(phase1: Phase1, study: dict[str, str], **more: str) -> dict[str, Any]:
    detail = {
        "imagingVersion": "1.0",
        "datastoreId": phase1.imaging.datastore_id,
        "jobId": study["import_job_id"],
        "jobName": study["study_id"],
        "jobStatus": "COMPLETED",
        **more,
    }
    return {"source": "aws.medical-imaging", "detail-type": "Import Job Completed", "detail": detail}


@pytest.fixture
def held(phase1: Phase1) -> Phase1:
    """Phase 1 whose jobs stay IN_PROGRESS until a test lets them end."""
    phase1.imaging.may_end.clear()
    return phase1


def test_a_poll_of_a_running_import_writes_its_progress(held: Phase1) -> None:
    study = begun(held)
    assert lambda_handler(study) == {**study, "status": "IMPORTING", "import_status": "IN_PROGRESS"}
    row = held.row(study["study_id"])
    assert (row["status"], row["import_status"]) == ("IMPORTING", "IN_PROGRESS")


def test_an_ended_import_makes_the_study_ready_with_its_image_set(phase1: Phase1) -> None:
    study = begun(phase1)
    phase1.end(study["import_job_id"])
    answer = lambda_handler(study)
    image_set = next(iter(phase1.imaging.store.image_sets))
    assert answer == {
        **study,
        "status": "READY_FOR_ANALYSIS",
        "import_status": "COMPLETED",
        "image_set_id": image_set,
    }
    row = phase1.row(study["study_id"])
    assert (row["status"], row["import_status"], row["image_set_id"]) == (
        "READY_FOR_ANALYSIS",
        "COMPLETED",
        image_set,
    )
    assert row["processing_stage"] == "ingestion"


def test_a_failed_job_fails_the_study_with_a_reason(phase1: Phase1) -> None:
    phase1.imaging.may_end.clear()
    study = begun(phase1)
    phase1.s3.delete_object(Bucket=BUCKET, Key=f"imports/{study['study_id']}/{study['study_id']}.dcm")
    phase1.imaging.may_end.set()
    phase1.end(study["import_job_id"])
    answer = lambda_handler(study)
    assert (answer["status"], answer["import_status"]) == ("FAILED", "FAILED")
    assert "import job failed" in answer["reason"]
    assert phase1.row(study["study_id"])["status"] == "FAILED"


def test_a_completed_job_that_took_nothing_in_fails_the_study(phase1: Phase1) -> None:
    phase1.imaging.may_end.clear()
    study = begun(phase1)
    phase1.s3.put_object(
        Bucket=BUCKET, Key=f"imports/{study['study_id']}/{study['study_id']}.dcm", Body=b"Doe^Jane"
    )
    phase1.imaging.may_end.set()
    phase1.end(study["import_job_id"])
    answer = lambda_handler(study)
    assert (answer["status"], answer["import_status"]) == ("FAILED", "COMPLETED")
    assert "ValidationException" in answer["reason"]
    assert "attribute" not in answer["reason"], "AWS's own text may hold a value"


def test_a_manifest_that_is_not_written_yet_is_waited_for(phase1: Phase1) -> None:
    study = begun(phase1)
    phase1.end(study["import_job_id"])
    job = phase1.imaging.jobs[study["import_job_id"]]
    output, job.output = job.output, job.output.replace("import-results", "elsewhere")
    assert lambda_handler(study)["status"] == "IMPORTING"
    job.output = output
    assert lambda_handler(study)["status"] == "READY_FOR_ANALYSIS"


def test_the_prefix_above_the_jobs_folder_is_understood_too(phase1: Phase1) -> None:
    study = begun(phase1)
    phase1.end(study["import_job_id"])
    phase1.imaging.jobs[study["import_job_id"]].output = f"s3://{BUCKET}/import-results/{study['study_id']}/"
    assert lambda_handler(study)["status"] == "READY_FOR_ANALYSIS"


def test_what_has_ended_stays_as_it_ended(phase1: Phase1) -> None:
    study = begun(phase1)
    phase1.end(study["import_job_id"])
    first = lambda_handler(study)
    job = phase1.imaging.jobs[study["import_job_id"]]
    job.status = "IN_PROGRESS"  # an answer that was on its way while another call saw the end
    assert lambda_handler(study) == first
    job.status = "FAILED"
    assert lambda_handler(study) == first


def test_an_import_that_does_not_end_is_given_up_and_may_still_end_well(held: Phase1) -> None:
    study = begun(held)
    late = lambda_handler({**study, "started": "2020-01-01T00:00:00.000Z"})
    assert (late["status"], late["import_status"]) == ("FAILED", "IN_PROGRESS")
    assert "did not end" in late["reason"]
    held.imaging.may_end.set()
    held.end(study["import_job_id"])
    assert lambda_handler(event(held, study))["status"] == "READY_FOR_ANALYSIS"


def test_an_import_within_its_time_is_not_given_up(held: Phase1) -> None:
    study = begun(held)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert lambda_handler({**study, "started": now})["status"] == "IMPORTING"


def test_the_event_of_a_job_writes_the_row_but_its_word_is_not_taken(held: Phase1) -> None:
    study = begun(held)
    assert lambda_handler(event(held, study))["status"] == "IMPORTING", "the event says COMPLETED"
    held.imaging.may_end.set()
    held.end(study["import_job_id"])
    assert lambda_handler(event(held, study))["status"] == "READY_FOR_ANALYSIS"


@pytest.mark.parametrize(
    "other", [{"jobName": "nightly"}, {"jobName": ""}, {"datastoreId": "b" * 32}, {"jobId": "../x"}]
)
def test_the_jobs_of_others_are_passed_over(held: Phase1, other: dict[str, str]) -> None:
    study = begun(held)
    before = held.row(study["study_id"])
    assert lambda_handler(event(held, study, **other)) == {"status": "IGNORED"}
    assert held.row(study["study_id"]) == before


def test_another_job_under_a_studys_name_changes_nothing(held: Phase1) -> None:
    study = begun(held)
    other = boto3.client("medical-imaging", endpoint_url=held.imaging.url).start_dicom_import_job(
        jobName=study["study_id"],
        clientToken="another",
        datastoreId=held.imaging.datastore_id,
        dataAccessRoleArn=ROLE,
        inputS3Uri=f"s3://{BUCKET}/imports/",
        outputS3Uri=f"s3://{BUCKET}/elsewhere/",
    )["jobId"]
    held.imaging.may_end.set()
    held.end(other)
    assert lambda_handler(event(held, study, jobId=other))["status"] == "UNKNOWN"
    assert held.row(study["study_id"])["status"] == "IMPORTING"


def test_an_event_before_the_row_is_left_to_the_wait_that_follows(held: Phase1) -> None:
    study = begun(held)
    held.dynamodb.delete_item(
        TableName="stroke-detection-ai-study-metadata", Key={"study_id": {"S": study["study_id"]}}
    )
    assert lambda_handler(event(held, study))["status"] == "UNKNOWN"


def test_a_wait_keeps_its_token_and_the_event_wakes_it_with_the_answer(held: Phase1) -> None:
    study = begun(held)
    execution, token = waiting(held)
    assert lambda_handler({**study, "task_token": token})["status"] == "IMPORTING"
    held.imaging.may_end.set()
    held.end(study["import_job_id"])
    answer = lambda_handler(event(held, study))
    assert woken(held, execution) == answer
    assert lambda_handler(event(held, study)) == answer, "a token that has been used is no error"


def test_a_wait_that_begins_after_the_end_is_woken_at_once(phase1: Phase1) -> None:
    study = begun(phase1)
    phase1.end(study["import_job_id"])
    execution, token = waiting(phase1)
    answer = lambda_handler({**study, "task_token": token})
    assert answer["status"] == "READY_FOR_ANALYSIS"
    assert woken(phase1, execution) == answer


@pytest.mark.parametrize(
    "asked_of_it",
    [
        {},
        {"study_id": "STUDY-abc123def456"},
        {"study_id": "../../x", "import_job_id": "a"},
        {"study_id": "STUDY-abc123def456", "import_job_id": "A/B"},
        {"study_id": 7, "import_job_id": 7},
    ],
)
def test_a_caller_that_names_no_study_and_job_is_refused(phase1: Phase1, asked_of_it: dict[str, Any]) -> None:
    del phase1
    with pytest.raises(BadInput):
        lambda_handler(asked_of_it)


def test_a_job_that_is_not_there_is_an_error_of_its_class(phase1: Phase1) -> None:
    del phase1
    with pytest.raises(NotFound):
        lambda_handler({"study_id": "STUDY-abc123def456", "import_job_id": "f" * 32})


def test_what_aws_says_of_an_error_is_not_passed_on(held: Phase1, capfd: pytest.CaptureFixture[str]) -> None:
    study = begun(held, patient_id="PATIENTX77")
    held.s3.delete_bucket_policy(Bucket=BUCKET)
    with pytest.raises((Misconfigured, NotFound)) as raised:
        lambda_handler({**study, "import_job_id": "f" * 32})
    assert raised.value.__context__ is None
    told = "".join(capfd.readouterr()) + str(raised.value)
    assert "PATIENTX77" not in told
    assert KEY not in told


def waiting(phase1: Phase1) -> tuple[str, str]:
    """Let an execution wait for a token, and return both."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="tokens")["QueueUrl"]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    machine = phase1.states.create_state_machine(
        name="waits", definition=json.dumps({"StartAt": "Wait", "States": {"Wait": state}}), roleArn=ROLE
    )["stateMachineArn"]
    execution = phase1.states.start_execution(stateMachineArn=machine)["executionArn"]
    message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]
    return execution, json.loads(message["Body"])["token"]


def woken(phase1: Phase1, execution: str) -> dict[str, str]:
    """Wait until an execution has gone on, and return its output."""
    for _ in range(100):
        described = phase1.states.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            output: dict[str, str] = json.loads(described["output"])
            return output
        time.sleep(0.05)
    raise AssertionError("Nobody woke the execution.")
