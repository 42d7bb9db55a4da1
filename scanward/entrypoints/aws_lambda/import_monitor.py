"""Phase 1's watch over an import: what HealthImaging's event, a poll and a wait have in common.

Three callers, one question ("how is the job?"), asked of HealthImaging itself and written to the row:

- EventBridge, when HealthImaging says that a job has ended: the row changes and the waiting execution wakes;
- the state machine's wait, with a task token: the token is kept, and answered at once if the job is over;
- the state machine's poll, when half a minute has passed without an event: the answer goes back to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from scanward import logs
from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import code_of, translated
from scanward.adapters.aws.healthimaging import ENDED, HealthImaging, ImportJob, Outcome
from scanward.adapters.aws.studies import Studies, StudyRecord, StudyStatus
from scanward.entrypoints.aws_lambda.metrics import Meter, measured
from scanward.entrypoints.aws_lambda.safe_errors import safe
from scanward.errors import BadInput, NotFound, Unavailable
from scanward.settings import Phase1Settings, Settings

__all__ = ["lambda_handler", "monitor"]

_STUDY: Final = re.compile(r"STUDY-[0-9a-f]{12}")
_JOB: Final = re.compile(r"[0-9a-z]{1,32}")
_GONE: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
_log = logs.logger(__name__)

Answer = dict[str, str]


def lambda_handler(event: Mapping[str, Any], context: object = None) -> Answer:
    """Answer one caller. Raises our errors, by whose class the state machine's Retry and Catch go."""
    logs.configure(Settings().log_level)
    with logs.bound(request_id=str(getattr(context, "aws_request_id", ""))):
        try:
            return monitor(event)
        except Exception as error:  # noqa: BLE001 - the door: whatever it is, its text may hold a key
            _log.warning("not monitored", operation="monitor", exc_info=error)
            raised = safe(error)
    # Raised outside of the `except`, so that no library's exception hangs on it.
    raise raised


def monitor(event: Mapping[str, Any]) -> Answer:
    """Look at the job that an event names and return `study_id`, `import_job_id`, `status`, `import_status`.

    `image_set_id` is there once the study is READY_FOR_ANALYSIS, `reason` if it FAILED.
    """
    settings = Phase1Settings()
    if "detail" in event:
        return _hear(settings, event["detail"])
    study_id, job_id = _named(event.get("study_id"), event.get("import_job_id"))
    token = event.get("task_token")
    if not token:
        return _look(settings, study_id, job_id, event.get("started", ""))
    # Kept before the job is looked at: an event that comes in between finds it, and one that came
    # before has changed what is looked at now.
    with translated("token of a wait"):
        client("s3").put_object(
            Bucket=settings.upload_bucket, Key=_waiting(study_id), Body=str(token).encode()
        )
    answer = _look(settings, study_id, job_id)
    if answer["status"] != StudyStatus.IMPORTING:
        _wake(str(token), answer)
    return answer


def _hear(settings: Phase1Settings, detail: Mapping[str, Any]) -> Answer:
    """Take HealthImaging's word for nothing but that it is time to look; pass over the jobs of others."""
    try:
        study_id, job_id = _named(detail.get("jobName"), detail.get("jobId"))
    except BadInput:
        return {"status": "IGNORED"}
    if detail.get("datastoreId") != settings.datastore_id:
        return {"status": "IGNORED"}
    try:
        answer = _look(settings, study_id, job_id)
    except NotFound:
        # The row is written a moment after the job has begun; the wait that follows looks for itself.
        _log.info("event before its row", operation="monitor", study_id=study_id)
        return {"status": "UNKNOWN", "study_id": study_id, "import_job_id": job_id}
    token = _kept_token(settings, study_id)
    if token and answer["status"] != StudyStatus.IMPORTING:
        _wake(token, answer)
    return answer


def _look(settings: Phase1Settings, study_id: str, job_id: str, started: str = "") -> Answer:
    with measured("ImportMonitor") as meter:
        imaging = HealthImaging(settings.datastore_id)
        job = imaging.job(job_id)
        status, image_set, reason = _verdict(imaging, job, late=_is_late(settings, started))
        told = "IN_PROGRESS" if status is StudyStatus.IMPORTING and job.status in ENDED else job.status
        record, changed = Studies(settings.studies_table).advance(study_id, job_id, status, told, image_set)
        if changed:
            _count(meter, status, job)
    _log.info(
        "import looked at",
        operation="monitor",
        study_id=study_id,
        import_job_id=job_id,
        study_status=record.status,
        import_status=record.import_status,
    )
    return _answer(record, reason)


def _verdict(imaging: HealthImaging, job: ImportJob, *, late: bool) -> tuple[StudyStatus, str, str]:
    """Return what the study is by its job, the image set, and why it failed."""
    if job.status == "FAILED":
        return (
            StudyStatus.FAILED,
            "",
            "HealthImaging's import job failed; its role, input or output is at fault.",
        )
    if job.status == "COMPLETED":
        try:
            return _of_outcome(imaging.outcome(job))
        except Unavailable:
            _log.info("manifest not written yet", operation="monitor", import_job_id=job.id)
    if late:
        return StudyStatus.FAILED, "", "The import job did not end in the time that Phase 1 waits for it."
    return StudyStatus.IMPORTING, "", ""


def _of_outcome(outcome: Outcome) -> tuple[StudyStatus, str, str]:
    """A job is COMPLETED even if it took no file in: what it wrote decides."""
    if outcome.image_sets and not outcome.refused:
        return StudyStatus.READY_FOR_ANALYSIS, outcome.image_sets[0], ""
    why = ", ".join(outcome.refused) or "no image set was made"
    return (
        StudyStatus.FAILED,
        "",
        f"HealthImaging did not take the object in ({why}); failure.ndjson says more.",
    )


def _is_late(settings: Phase1Settings, started: object) -> bool:
    if not isinstance(started, str) or not started:
        return False
    try:
        began = datetime.fromisoformat(started)
    except ValueError:
        raise BadInput("`started` is no time of ISO 8601.") from None
    return (datetime.now(UTC) - began).total_seconds() > settings.import_seconds


def _count(meter: Meter, status: StudyStatus, job: ImportJob) -> None:
    if status is StudyStatus.READY_FOR_ANALYSIS:
        meter.add("StudiesImported")
        meter.add("ImportSeconds", job.seconds)
    elif status is StudyStatus.FAILED:
        meter.add("StudiesFailed")


def _answer(record: StudyRecord, reason: str) -> Answer:
    answer = {
        "study_id": record.study_id,
        "import_job_id": record.import_job_id,
        "status": str(record.status),
        "import_status": record.import_status,
    }
    if record.image_set_id:
        answer["image_set_id"] = record.image_set_id
    if record.status == StudyStatus.FAILED:
        answer["reason"] = reason or "The study had failed before."
    return answer


def _named(study_id: object, job_id: object) -> tuple[str, str]:
    if not isinstance(study_id, str) or not _STUDY.fullmatch(study_id):
        raise BadInput("`study_id` must be STUDY- and 12 hex digits.")
    if not isinstance(job_id, str) or not _JOB.fullmatch(job_id):
        raise BadInput("`import_job_id` must be a job's id of HealthImaging.")
    return study_id, job_id


def _waiting(study_id: str) -> str:
    return f"import-waits/{study_id}"


def _kept_token(settings: Phase1Settings, study_id: str) -> str:
    try:
        with translated("token of a wait"):
            kept = client("s3").get_object(Bucket=settings.upload_bucket, Key=_waiting(study_id))
            return kept["Body"].read().decode()
    except NotFound:
        return ""


def _wake(token: str, answer: Answer) -> None:
    """Let the execution go on; one that does not wait any more has looked, or will, by itself."""
    with translated("waiting execution"):
        try:
            client("stepfunctions").send_task_success(taskToken=token, output=json.dumps(answer))
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
