"""`POST /upload`: the printed request and answer, what is refused, and that a retry makes nothing new."""

from __future__ import annotations

import base64
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pydicom
import pytest

from scanward import logs
from scanward.adapters.aws import healthimaging
from scanward.adapters.aws.studies import Studies, StudyStatus
from scanward.entrypoints.aws_lambda import upload_handler
from scanward.entrypoints.aws_lambda.upload_handler import lambda_handler
from tests.phase1.conftest import ASKED, BUCKET, CT, KEY, Phase1, asked

pytestmark = pytest.mark.unit

PRINTED = {
    "study_id",
    "patient_id",
    "upload_timestamp",
    "study_description",
    "s3_bucket",
    "s3_key",
    "datastore_id",
    "import_job_id",
    "image_set_id",
    "status",
    "import_status",
    "processing_stage",
}


class Context:
    """A function's context with the time that it has left."""

    aws_request_id = "1f0c"

    def __init__(self, seconds: float = 29) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def post(body: object, seconds: float = 29, **more: object) -> tuple[int, dict[str, Any]]:
    answer = lambda_handler(asked(body, **more), Context(seconds))
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


def test_the_printed_request_gets_the_printed_answer(phase1: Phase1) -> None:
    phase1.upload()
    status, answer = post(ASKED)
    assert status == 200
    assert list(answer) == ["message", "study_id", "import_job_id", "status"]
    assert answer["message"] == "DICOM ingestion started"
    assert re.fullmatch(r"STUDY-[0-9a-f]{12}", answer["study_id"])
    assert answer["import_job_id"] in phase1.imaging.jobs
    assert answer["status"] == "processing"


def test_the_row_has_the_printed_fields_and_no_others(phase1: Phase1) -> None:
    phase1.upload()
    study = post(ASKED)[1]
    row = phase1.row(study["study_id"])
    assert set(row) == PRINTED - {"image_set_id"}
    assert row["status"] == "IMPORTING"
    assert row["processing_stage"] == "ingestion"
    assert (row["s3_bucket"], row["s3_key"]) == (BUCKET, KEY)
    assert row["patient_id"] == "P123456"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["upload_timestamp"])


def test_an_execution_of_the_printed_name_watches_the_import_and_knows_no_patient(phase1: Phase1) -> None:
    phase1.upload()
    study = post(ASKED)[1]
    assert phase1.executions() == [f"stroke-analysis-{study['study_id']}"]
    arn = phase1.states.list_executions(stateMachineArn=phase1.machine_arn)["executions"][0]["executionArn"]
    given = json.loads(phase1.states.describe_execution(executionArn=arn)["input"])
    assert given == {"study_id": study["study_id"], "import_job_id": study["import_job_id"]}


def test_the_import_takes_a_copy_under_a_prefix_of_its_own_study(phase1: Phase1) -> None:
    phase1.upload()
    study = post(ASKED)[1]
    job = phase1.imaging.jobs[study["import_job_id"]]
    assert job.input == f"s3://{BUCKET}/imports/{study['study_id']}/"
    copies = phase1.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"imports/{study['study_id']}/")["Contents"]
    assert [copy["Key"] for copy in copies] == [f"imports/{study['study_id']}/{study['study_id']}.dcm"]
    assert copies[0]["Size"] == CT.stat().st_size


def test_a_retry_is_no_duplicate_and_answers_the_same(phase1: Phase1) -> None:
    phase1.upload()
    answers = [post(ASKED) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(phase1.rows()) == len(phase1.imaging.jobs) == len(phase1.executions()) == 1


def test_a_retry_of_an_ended_study_says_how_it_ended(phase1: Phase1) -> None:
    phase1.upload()
    study = post(ASKED)[1]
    Studies("stroke-detection-ai-study-metadata").advance(
        study["study_id"], study["import_job_id"], StudyStatus.FAILED, "FAILED"
    )
    assert post(ASKED)[1] == {**study, "status": "failed"}


def test_other_bytes_under_one_key_and_another_patient_are_other_studies(phase1: Phase1) -> None:
    phase1.upload()
    first = post(ASKED)[1]["study_id"]
    other_patient = post({**ASKED, "patient_id": "P2"})[1]["study_id"]
    phase1.upload()
    new_version = post(ASKED)[1]["study_id"]
    assert len({first, other_patient, new_version}) == 3


@pytest.mark.parametrize("step", ["copy", "start", "row", "execution"])
def test_a_crash_after_any_step_is_healed_by_a_retry(
    phase1: Phase1, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    phase1.upload()
    place, name = {
        "copy": (upload_handler, "_import"),
        "start": (Studies, "begin"),
        "row": (upload_handler, "_start_execution"),
        "execution": (upload_handler, "_answer"),
    }[step]

    def crash(*_given: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(place, name, crash)
        with pytest.raises(SystemExit):
            post(ASKED)
    status, study = post(ASKED)
    assert status == 200
    assert len(phase1.rows()) == len(phase1.imaging.jobs) == len(phase1.executions()) == 1
    assert phase1.row(study["study_id"])["import_job_id"] == study["import_job_id"]


def test_every_fault_of_a_request_is_named_at_once_without_its_value(phase1: Phase1) -> None:
    del phase1
    status, answer = post({"patient_id": " Doe^Jane ", "study_description": 7, "file_key": "../secret"})
    assert (status, answer["statusCode"], answer["error"]) == (400, 400, "Bad request")
    assert [fault["path"] for fault in answer["details"]["faults"]] == [
        "patient_id",
        "study_description",
        "file_key",
    ]
    assert "Doe" not in json.dumps(answer)
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize(
    "key",
    [
        "brain_scan.dcm",
        "imports/STUDY-abc123def456/x.dcm",
        "uploads/../imports/x.dcm",
        "uploads//x.dcm",
        "uploads/./x.dcm",
        "uploads/",
        "/uploads/x.dcm",
        "uploads\\x.dcm",
        "uploads/x\n.dcm",
        "uploads/" + "x" * 1020,
        "uploads/\ud800",
        "",
        None,
        7,
    ],
)
def test_a_key_outside_of_uploads_or_not_plain_is_refused(phase1: Phase1, key: object) -> None:
    del phase1
    status, answer = post({**ASKED, "file_key": key})
    assert status == 400
    assert [fault["path"] for fault in answer["details"]["faults"]] == ["file_key"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient_id": ""},
        {"patient_id": "P" * 65},
        {"patient_id": "P\\1"},
        {"patient_id": "P\u0000"},
        {"patient_id": None},
        {"study_description": "d" * 257},
    ],
)
def test_patient_and_description_are_bounded(phase1: Phase1, wrong: dict[str, object]) -> None:
    phase1.upload()
    assert post({**ASKED, **wrong})[0] == 400
    assert phase1.rows() == []


def test_the_description_may_be_left_out(phase1: Phase1) -> None:
    phase1.upload()
    study = post({"patient_id": "P123456", "file_key": KEY})[1]
    assert phase1.row(study["study_id"])["study_description"] == ""


@pytest.mark.parametrize("body", ["", "no json", "[]", '"text"', "[" * 5000, "null"])
def test_a_body_that_is_no_json_object_is_refused(phase1: Phase1, body: str) -> None:
    del phase1
    assert post(body)[0] == 400


def test_a_large_body_is_refused(phase1: Phase1) -> None:
    del phase1
    assert post(json.dumps({"patient_id": "x" * 20_000}))[0] == 413


def test_a_body_in_base64_is_understood(phase1: Phase1) -> None:
    phase1.upload()
    body = base64.b64encode(json.dumps(ASKED).encode()).decode()
    assert post(body, isBase64Encoded=True)[0] == 200
    assert post("!" + body, isBase64Encoded=True)[0] == 400


def test_an_object_that_is_not_there_is_404(phase1: Phase1) -> None:
    status, answer = post(ASKED)
    assert (status, answer["error"]) == (404, "Not found")
    assert KEY not in json.dumps(answer)
    assert phase1.imaging.jobs == {}


@pytest.mark.parametrize("body", [b"", b"no image at all", CT.read_bytes()[:4000]])
def test_what_is_not_wholly_dicom_is_refused_by_the_gate(phase1: Phase1, body: bytes) -> None:
    phase1.upload(body)
    status, answer = post(ASKED)
    assert (status, answer["error"]) == (400, "Invalid DICOM file")
    assert phase1.imaging.jobs == {}
    assert phase1.rows() == []


def test_a_directory_of_a_medium_is_refused(phase1: Phase1) -> None:
    phase1.upload((CT.parent / "dicomdirtests/DICOMDIR").read_bytes())
    assert post(ASKED)[0] == 400


def test_a_throttled_start_waits_for_its_turn(phase1: Phase1, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthimaging, "SECONDS_A_START", 0.2)
    phase1.imaging.throttle_to(starts_a_second=1.5)
    keys = [f"uploads/{number}.dcm" for number in range(3)]
    for key in keys:
        phase1.upload(key=key)
    assert [post({**ASKED, "file_key": key})[0] for key in keys] == [200, 200, 200]
    assert phase1.imaging.throttle.refused > 0
    assert len(phase1.imaging.jobs) == 3


def test_a_start_whose_turn_does_not_come_in_time_says_when_to_come_again(phase1: Phase1) -> None:
    phase1.imaging.throttle_to(starts_a_second=0.0001)
    phase1.upload()
    phase1.upload(key="uploads/second.dcm")
    assert post(ASKED)[0] == 200
    answer = lambda_handler(asked({**ASKED, "file_key": "uploads/second.dcm"}), Context(10.5))
    assert answer["statusCode"] == 503
    assert 4 <= int(answer["headers"]["retry-after"]) <= 12
    assert json.loads(answer["body"])["error"] == "Service unavailable"
    phase1.imaging.throttle_to(starts_a_second=1000)
    assert post({**ASKED, "file_key": "uploads/second.dcm"})[0] == 200


def test_two_uploads_that_share_an_id_are_never_mixed_up(
    phase1: Phase1, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_handler, "_study_id", lambda *_given: "STUDY-abc123def456")
    phase1.upload()
    phase1.upload(key="uploads/other.dcm")
    assert post(ASKED)[0] == 200
    status, answer = post({**ASKED, "file_key": "uploads/other.dcm"})
    assert status == 500
    assert "once more" in answer["message"]


def test_a_setting_that_is_missing_is_named(phase1: Phase1, monkeypatch: pytest.MonkeyPatch) -> None:
    del phase1
    monkeypatch.delenv("SCANWARD_PHASE1_STUDIES_TABLE")
    status, answer = post(ASKED)
    assert (status, answer["error"]) == (500, "Misconfigured")
    assert "SCANWARD_PHASE1_STUDIES_TABLE" in answer["message"]


def test_nothing_of_the_patient_is_logged_or_measured(
    phase1: Phase1, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure()  # to the stream that is captured now
    key = "uploads/Doe_Jane_19700101.dcm"
    phase1.upload(key=key)
    planted = {"patient_id": "PATIENTX77", "study_description": "ZEBRAFISH", "file_key": key}
    assert post(planted)[0] == 200
    assert post({**planted, "file_key": "uploads/Doe_none.dcm"})[0] == 404
    assert post({**planted, "patient_id": "PATIENTX77 "})[0] == 400
    told = "".join(capfd.readouterr())
    assert "STUDY-" in told
    for value in ("PATIENTX77", "ZEBRAFISH", "Doe", "uploads/"):
        assert value not in told


def test_requests_at_the_same_time_are_one_study(phase1: Phase1) -> None:
    phase1.upload()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: post(ASKED), range(4)))
    assert [status for status, _ in answers] == [200] * 4
    assert len({study["import_job_id"] for _, study in answers}) == 1
    assert len(phase1.rows()) == len(phase1.imaging.jobs) == len(phase1.executions()) == 1


def test_a_large_object_is_read_by_range_and_copied_inside_s3(phase1: Phase1) -> None:
    dataset = pydicom.dcmread(CT)
    dataset.Rows = dataset.Columns = 2400
    dataset.PixelData = bytes(2 * 2400 * 2400)
    written = io.BytesIO()
    dataset.save_as(written)
    phase1.upload(written.getvalue())
    status, study = post(ASKED)
    assert status == 200
    copy = f"imports/{study['study_id']}/{study['study_id']}.dcm"
    assert phase1.s3.head_object(Bucket=BUCKET, Key=copy)["ContentLength"] == len(written.getvalue())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("STUDIES_TABLE", "nowhere"),
        ("DATASTORE_ID", "f" * 32),
        ("STATE_MACHINE_ARN", "arn:aws:states:us-east-1:123456789012:stateMachine:nowhere"),
    ],
)
def test_what_the_site_lacks_is_no_404_for_the_asker(
    phase1: Phase1, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    phase1.upload()
    monkeypatch.setenv(f"SCANWARD_PHASE1_{setting}", value)
    status, answer = post(ASKED)
    assert (status, answer["error"]) == (500, "Misconfigured")
    assert "settings of Phase 1" in answer["message"]


def test_an_object_beyond_healthimagings_bound_is_refused_unread(
    phase1: Phase1, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_handler, "_MOST_BYTES", 1000)
    phase1.upload()
    assert post(ASKED)[0] == 413
    assert phase1.imaging.jobs == {}


@pytest.mark.parametrize("event", [None, 7, "text", []], ids=str)
def test_an_event_that_is_no_object_is_the_callers_fault(phase1: Phase1, event: Any) -> None:  # noqa: ANN401 - whatever JSON is handed on
    assert phase1.rows() == []
    assert lambda_handler(event)["statusCode"] == 400
