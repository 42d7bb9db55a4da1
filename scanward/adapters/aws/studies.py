"""Phase 1's table of studies on DynamoDB: one row a study, its fields as the guide prints them, no others.

A row is written once, under the condition that there is none, and changed only until its import job has
ended; so that a retry, a repeated event and an event that comes late all leave what stands there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import code_of, translated
from scanward.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["PATIENT_INDEX", "Studies", "StudyRecord", "StudyStatus", "timestamp"]

PATIENT_INDEX: Final = "patient_id-upload_timestamp-index"
_TABLE: Final = "table of studies"
_CONDITION: Final = "ConditionalCheckFailedException"


class StudyStatus(StrEnum):
    """Where a study is; it moves from the first to one of the others."""

    IMPORTING = "IMPORTING"
    READY_FOR_ANALYSIS = "READY_FOR_ANALYSIS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A row. `image_set_id` is empty, and not in the table, until the import has made one."""

    study_id: str
    patient_id: str
    upload_timestamp: str
    study_description: str
    s3_bucket: str
    s3_key: str
    datastore_id: str
    import_job_id: str
    image_set_id: str = ""
    status: str = StudyStatus.IMPORTING
    import_status: str = "SUBMITTED"
    processing_stage: str = "ingestion"


class Studies:
    """The rows of one table."""

    def __init__(self, table: str, dynamodb: DynamoDBClient | None = None) -> None:
        """Keep the table's name."""
        self._table = table
        self._dynamodb = dynamodb

    def find(self, study_id: str) -> StudyRecord | None:
        """Return a row as it is now, or None."""
        with translated(_TABLE):
            found = self._client().get_item(
                TableName=self._table, Key={"study_id": {"S": study_id}}, ConsistentRead=True
            )
        return _record(found["Item"]) if "Item" in found else None

    def begin(self, record: StudyRecord) -> StudyRecord:
        """Write a row if there is none, and return the row that is there now."""
        with translated(_TABLE):
            try:
                self._client().put_item(
                    TableName=self._table,
                    Item=_item(record),
                    ConditionExpression="attribute_not_exists(study_id)",
                )
            except ClientError as error:
                if code_of(error) != _CONDITION:
                    raise
                return self._standing(record.study_id)
        return record

    def advance(
        self, study_id: str, job_id: str, status: StudyStatus, import_status: str, image_set_id: str = ""
    ) -> tuple[StudyRecord, bool]:
        """Say how the job goes, unless the row knows its end already. Raises NotFound.

        Returns the row as it is now, and whether this call has written it.
        """
        values = {":job": job_id, ":status": str(status), ":import": import_status}
        change = "SET #status = :status, import_status = :import"
        if image_set_id:
            change += ", image_set_id = :image"
            values[":image"] = image_set_id
        with translated(_TABLE):
            try:
                changed = self._client().update_item(
                    TableName=self._table,
                    Key={"study_id": {"S": study_id}},
                    UpdateExpression=change,
                    # What the job has said at its end stands; a row given up on may still learn of it.
                    ConditionExpression="import_job_id = :job AND NOT import_status IN (:completed, :failed)",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={
                        **{name: {"S": value} for name, value in values.items()},
                        ":completed": {"S": "COMPLETED"},
                        ":failed": {"S": "FAILED"},
                    },
                    ReturnValues="ALL_NEW",
                )
            except ClientError as error:
                if code_of(error) != _CONDITION:
                    raise
                return self._standing(study_id, job_id), False
        return _record(changed["Attributes"]), True

    def _standing(self, study_id: str, job_id: str = "") -> StudyRecord:
        standing = self.find(study_id)
        if standing is None or (job_id and standing.import_job_id != job_id):
            raise NotFound(f"There is no study {study_id} of that import job.")
        return standing

    def _client(self) -> DynamoDBClient:
        return self._dynamodb or client("dynamodb")


def timestamp(moment: datetime) -> str:
    """Return a moment as the guide prints it: `2025-10-28T14:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _item(record: StudyRecord) -> dict[str, Any]:
    named = {field.name: str(getattr(record, field.name)) for field in fields(record)}
    return {name: {"S": value} for name, value in named.items() if value or name != "image_set_id"}


def _record(item: dict[str, Any]) -> StudyRecord:
    known = {field.name for field in fields(StudyRecord)}
    return StudyRecord(**{name: str(value.get("S", "")) for name, value in item.items() if name in known})
