"""The table of studies: one row a study, whoever writes at the same time, found by its patient too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scanward.adapters.aws.studies import PATIENT_INDEX, Studies, StudyRecord, StudyStatus, timestamp
from scanward.errors import NotFound
from tests.phase1.conftest import TABLE, Phase1

pytestmark = pytest.mark.unit

RECORD = StudyRecord(
    study_id="STUDY-abc123def456",
    patient_id="P123456",
    upload_timestamp="2025-10-28T14:30:00.000Z",
    study_description="Brain CT - Suspected Stroke",
    s3_bucket="stroke-detection-ai-dicom-uploads-123456789012",
    s3_key="uploads/brain_scan.dcm",
    datastore_id="1234567890abcdef1234567890abcdef",
    import_job_id="12345678901234567890123456789012",
)


def test_the_first_writer_of_a_study_wins_and_all_get_its_row(phase1: Phase1) -> None:
    studies = Studies(TABLE)
    others = [replace(RECORD, import_job_id=f"{number:032d}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        rows = set(pool.map(studies.begin, others))
    assert len(rows) == 1
    assert phase1.row(RECORD.study_id)["import_job_id"] == rows.pop().import_job_id


def test_a_row_moves_to_its_end_and_stays_there(phase1: Phase1) -> None:
    del phase1
    studies = Studies(TABLE)
    studies.begin(RECORD)
    ends = (RECORD.study_id, RECORD.import_job_id)
    _, changed = studies.advance(*ends, StudyStatus.IMPORTING, "IN_PROGRESS")
    assert changed
    ready, changed = studies.advance(*ends, StudyStatus.READY_FOR_ANALYSIS, "COMPLETED", "f" * 32)
    assert changed
    again, changed = studies.advance(*ends, StudyStatus.FAILED, "FAILED")
    assert (again, changed) == (ready, False)
    assert studies.begin(RECORD) == ready
    assert studies.find(RECORD.study_id) == ready


def test_a_study_that_is_not_there_is_none_and_cannot_advance(phase1: Phase1) -> None:
    del phase1
    studies = Studies(TABLE)
    assert studies.find("STUDY-000000000000") is None
    with pytest.raises(NotFound):
        studies.advance("STUDY-000000000000", "1", StudyStatus.FAILED, "FAILED")


def test_a_table_that_is_not_there_is_told_apart_from_a_study(phase1: Phase1) -> None:
    del phase1
    with pytest.raises(NotFound, match="no table of studies"):
        Studies("nowhere").begin(RECORD)


def test_a_patients_studies_are_found_in_the_order_of_their_upload(phase1: Phase1) -> None:
    studies = Studies(TABLE)
    for day in (3, 1, 2):
        moment = datetime(2025, 10, day, tzinfo=UTC)
        studies.begin(replace(RECORD, study_id=f"STUDY-{day:012x}", upload_timestamp=timestamp(moment)))
    studies.begin(replace(RECORD, study_id="STUDY-ffffffffffff", patient_id="P2"))
    found = phase1.dynamodb.query(
        TableName=TABLE,
        IndexName=PATIENT_INDEX,
        KeyConditionExpression="patient_id = :patient",
        ExpressionAttributeValues={":patient": {"S": "P123456"}},
    )["Items"]
    assert [item["study_id"]["S"] for item in found] == [f"STUDY-{day:012x}" for day in (1, 2, 3)]


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    here = datetime(2025, 10, 28, 16, 30, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(here) == "2025-10-28T14:30:00.000Z"
