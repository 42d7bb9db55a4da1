"""`POST /upload` of Phase 1: one uploaded object becomes a study that HealthImaging imports.

Every step can be repeated. The study's id is made of what was uploaded, the copy has its name from the id,
the job its client token, the row its condition and the execution its name: whoever asks again, after a
time-out or a crash between any two steps, goes on where it ended and gets the same answer.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from scanward import logs
from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import code_of, translated
from scanward.adapters.aws.healthimaging import SECONDS_A_START, HealthImaging
from scanward.adapters.aws.s3_objects import Head, S3Objects
from scanward.adapters.aws.studies import Studies, StudyRecord, StudyStatus, timestamp
from scanward.dicom import structure
from scanward.entrypoints.aws_lambda.metrics import measured
from scanward.entrypoints.aws_lambda.upload_request import UploadRequest, upload_request
from scanward.entrypoints.aws_lambda.wrapper import lambda_handler_wrapper
from scanward.errors import InvalidDicom, Misconfigured, NotFound, ScanwardError, TooLarge, Unavailable
from scanward.receive.part10 import DICOMDIR_CLASS
from scanward.receive.s3_event import Reference
from scanward.settings import Phase1Settings

__all__ = ["UploadHandler", "lambda_handler"]

_MOST_BYTES: Final = 4 << 30  # HealthImaging's bound of one file
_PATIENCE: Final = 18.0  # seconds; an HTTP API waits 30 for the whole
_RESERVE: Final = 10.0  # seconds that the steps after the start may take
_ANSWERS: Final = {
    StudyStatus.IMPORTING: "processing",
    StudyStatus.READY_FOR_ANALYSIS: "ready_for_analysis",
    StudyStatus.FAILED: "failed",
}
_log = logs.logger(__name__)


@lambda_handler_wrapper
class UploadHandler:
    """Validates an upload, starts its import, writes its row and starts the execution that watches it."""

    def handle(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer with `message`, `study_id`, `import_job_id` and `status`. Raises what errors.py names."""
        settings = _settings()
        asked = upload_request(event)
        with measured("Upload") as meter:
            objects = S3Objects()
            source, head = _uploaded(objects, settings.upload_bucket, asked.file_key)
            study_id = _study_id(source, asked)
            studies = Studies(settings.studies_table)
            with _of_the_site():
                record = studies.find(study_id)
            if record is None:
                meter.add("BytesIn", head.size)
                _raise_unless_dicom(objects, source)
                objects.copy(source, settings.upload_bucket, f"imports/{study_id}/{study_id}.dcm")
                with _of_the_site():
                    record = studies.begin(_import(settings, asked, study_id, _patience(context)))
                meter.add("FilesProcessed")
            _raise_unless_of(record, asked)
            with _of_the_site():
                _start_execution(settings, record)
        _log.info("study accepted", operation="upload", study_id=study_id, import_job_id=record.import_job_id)
        return {"statusCode": 200, "body": _answer(record)}


def _import(settings: Phase1Settings, asked: UploadRequest, study_id: str, patience: float) -> StudyRecord:
    """Start the import of the study's copy; an import takes all under a prefix, so the study has its own."""
    bucket = f"s3://{settings.upload_bucket}"
    job = HealthImaging(settings.datastore_id, settings.import_role_arn).start(
        study_id, f"{bucket}/imports/{study_id}/", f"{bucket}/import-results/{study_id}/", patience
    )
    return StudyRecord(
        study_id=study_id,
        patient_id=asked.patient_id,
        upload_timestamp=timestamp(datetime.now(UTC)),
        study_description=asked.study_description,
        s3_bucket=settings.upload_bucket,
        s3_key=asked.file_key,
        datastore_id=settings.datastore_id,
        import_job_id=job.id,
        import_status=job.status,
    )


def _settings() -> Phase1Settings:
    settings = Phase1Settings()
    missing = [
        f"SCANWARD_PHASE1_{name.upper()}" for name, value in settings.model_dump().items() if value == ""
    ]
    if missing:
        raise Misconfigured(f"Phase 1 lacks {', '.join(missing)}; its template sets them.")
    return settings


@contextmanager
def _of_the_site() -> Iterator[None]:
    """Keep 404 for the object: a table or data store that is missing is no fault of the asker."""
    try:
        yield
    except NotFound as missing:
        raise Misconfigured(f"{missing.message} Check the settings of Phase 1.") from None


def _uploaded(objects: S3Objects, bucket: str, key: str) -> tuple[Reference, Head]:
    try:
        return objects.pin(Reference(bucket, key))
    except NotFound:
        raise NotFound("There is no object under `file_key`; upload it first.") from None


def _study_id(source: Reference, asked: UploadRequest) -> str:
    """Name the study by its upload; a new version of a key, or another patient, is another study."""
    uploaded = [source.bucket, source.key, source.version_id or source.etag, asked.patient_id]
    return f"STUDY-{hashlib.sha256(json.dumps(uploaded).encode()).hexdigest()[:12]}"


def _raise_unless_dicom(objects: S3Objects, source: Reference) -> None:
    if source.size > _MOST_BYTES:
        raise TooLarge("HealthImaging imports files of up to 4 GiB.")
    with objects.open(source) as opened:
        if structure.check(opened.view, structure.DEFAULT).sop_class_uid == DICOMDIR_CLASS:
            raise InvalidDicom("A DICOMDIR is a medium's directory, no image; upload the files it lists.")


def _raise_unless_of(record: StudyRecord, asked: UploadRequest) -> None:
    """Twelve hex digits can meet by chance; a study must never be taken for another's."""
    if (record.patient_id, record.s3_key) != (asked.patient_id, asked.file_key):
        raise ScanwardError("Another upload has this study's id; upload the object once more.")


def _patience(context: object) -> float:
    left = getattr(context, "get_remaining_time_in_millis", None)
    return min(_PATIENCE, left() / 1000 - _RESERVE) if callable(left) else _PATIENCE


def _start_execution(settings: Phase1Settings, record: StudyRecord) -> None:
    """Start the watch; a name that is taken means that it runs, or ran, already."""
    watched = {"study_id": record.study_id, "import_job_id": record.import_job_id}
    with translated("state machine of Phase 1"):
        try:
            client("stepfunctions").start_execution(
                stateMachineArn=settings.state_machine_arn,
                name=f"stroke-analysis-{record.study_id}",
                input=json.dumps(watched),
            )
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise


def _answer(record: StudyRecord) -> dict[str, str]:
    return {
        "message": "DICOM ingestion started",
        "study_id": record.study_id,
        "import_job_id": record.import_job_id,
        "status": _ANSWERS[StudyStatus(record.status)],
    }


_handler = UploadHandler()


def lambda_handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Answer one request of the HTTP API; who is to come again is told when, and not all at one time."""
    answer: dict[str, Any] = _handler(event, context)  # type: ignore[operator]  # the decorator makes it callable
    if answer.get("statusCode") == Unavailable.status and "headers" in answer:
        turn = int(SECONDS_A_START)
        answer["headers"]["retry-after"] = str(random.SystemRandom().randint(turn, 3 * turn))
    return answer
