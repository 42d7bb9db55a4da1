"""Import jobs of AWS HealthImaging: begun once a token, looked at, and read from what they write to S3.

    imaging = HealthImaging(datastore_id, role_arn)
    job = imaging.start("STUDY-abc123def456", "s3://bucket/in/", "s3://bucket/out/", patience=20)
    job = imaging.job(job.id)
    if job.status == "COMPLETED":
        sets = imaging.outcome(job).image_sets

AWS takes one start in four seconds for the whole account and Region, so a start waits its turn for as long
as the caller has time.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import code_of, translated
from scanward.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_medical_imaging import HealthImagingClient
    from mypy_boto3_s3 import S3Client

__all__ = ["ENDED", "SECONDS_A_START", "HealthImaging", "ImportJob", "Outcome"]

SECONDS_A_START: Final = 4.0
ENDED: Final = frozenset({"COMPLETED", "FAILED"})
# The quota is that of jobs at work at once: another ends, and there is a place.
_WAIT: Final = frozenset({
    "ServiceQuotaExceededException", "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
_IMAGE_SET = re.compile(r"[0-9a-z]{32}")
_EXCEPTION = re.compile(r"[A-Za-z]{1,64}")
_OUTPUT_BYTES: Final = 1 << 20  # one object makes one line of a few hundred bytes
_jitter: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import job. status: SUBMITTED | IN_PROGRESS | COMPLETED | FAILED; output: an S3 URI."""

    id: str
    status: str
    output: str = ""
    submitted: datetime | None = None
    ended: datetime | None = None

    @property
    def seconds(self) -> float:
        """Return how long it took, or 0 if that is not known."""
        return (self.ended - self.submitted).total_seconds() if self.ended and self.submitted else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job made of its files. `refused` are classes of exceptions, one a file; never AWS's texts."""

    image_sets: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class HealthImaging:
    """The import jobs of one data store."""

    def __init__(
        self,
        datastore_id: str,
        role_arn: str = "",
        *,
        imaging: HealthImagingClient | None = None,
        s3: S3Client | None = None,
    ) -> None:
        """Keep the data store, and the role that HealthImaging reads and writes the bucket with."""
        self._datastore_id = datastore_id
        self._role_arn = role_arn
        self._imaging = imaging
        self._s3 = s3

    def start(self, token: str, source: str, destination: str, patience: float) -> ImportJob:
        """Begin the import of all under the prefix `source`; one token is one job, however often it is sent.

        token: also the job's name, at most 64 of `A-Za-z0-9._-`; patience: seconds to wait for a turn.
        Raises Unavailable when the turn did not come, and whatever AWS refuses.
        """
        begin = self._client().start_dicom_import_job
        until = time.monotonic() + patience
        while True:
            with translated("HealthImaging data store"):
                try:
                    begun = begin(
                        jobName=token,
                        clientToken=token,
                        datastoreId=self._datastore_id,
                        dataAccessRoleArn=self._role_arn,
                        inputS3Uri=source,
                        outputS3Uri=destination,
                    )
                except ClientError as error:
                    if code_of(error) not in _WAIT:
                        raise
                    _wait_for_a_turn(until)
                    continue
            return ImportJob(begun["jobId"], begun["jobStatus"], submitted=begun["submittedAt"])

    def job(self, job_id: str) -> ImportJob:
        """Return a job's state. Raises NotFound."""
        with translated("HealthImaging import job"):
            found = self._client().get_dicom_import_job(datastoreId=self._datastore_id, jobId=job_id)
        properties = found["jobProperties"]
        return ImportJob(
            id=properties["jobId"],
            status=properties["jobStatus"],
            output=properties["outputS3Uri"],
            submitted=properties.get("submittedAt"),
            ended=properties.get("endedAt"),
        )

    def outcome(self, job: ImportJob) -> Outcome:
        """Return what an ended job wrote. Raises Unavailable as long as its manifest is not there."""
        bucket, folder = self._folder(job)
        succeeded = self._lines(bucket, folder + "SUCCESS/success.ndjson")
        failed = self._lines(bucket, folder + "FAILURE/failure.ndjson")
        return Outcome(
            image_sets=tuple(_distinct(succeeded, _image_set)), refused=tuple(_distinct(failed, _exception))
        )

    def _folder(self, job: ImportJob) -> tuple[str, str]:
        """Find the job's folder; AWS names it in the job, and in some of its examples the prefix above it."""
        parts = urlsplit(job.output)
        above = parts.path.strip("/")
        own = f"{self._datastore_id}-DicomImport-{job.id}"
        for folder in (f"{above}/", f"{above}/{own}/"):
            if self._read(parts.netloc, folder + "job-output-manifest.json"):
                return parts.netloc, folder
        raise Unavailable("The import job's manifest is not written yet; look again in half a minute.")

    def _lines(self, bucket: str, key: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._read(bucket, key).splitlines() if line.strip()]
        return [line for line in lines if isinstance(line, dict)]

    def _read(self, bucket: str, key: str) -> bytes:
        s3 = self._s3 or client("s3")
        try:
            with translated("output of the import job"):
                return s3.get_object(Bucket=bucket, Key=key)["Body"].read(_OUTPUT_BYTES)
        except NotFound:
            return b""

    def _client(self) -> HealthImagingClient:
        return self._imaging or client("medical-imaging")


def _wait_for_a_turn(until: float) -> None:
    """Sleep around one turn, so that callers who wait together do not come back together."""
    pause = SECONDS_A_START * _jitter.uniform(0.5, 1.5)
    if time.monotonic() + pause > until:
        raise Unavailable("HealthImaging takes one import in four seconds, and others wait too; try again.")
    time.sleep(pause)


def _distinct(lines: list[dict[str, Any]], pick: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    """Yield what `pick` finds, once each, what is primary in its series first."""
    found: dict[str, None] = {}
    for line in sorted(lines, key=_is_secondary):
        if picked := pick(line):
            found[picked] = None
    yield from found


def _is_secondary(line: dict[str, Any]) -> bool:
    response = line.get("importResponse")
    return isinstance(response, dict) and response.get("isPrimary") is False


def _image_set(line: dict[str, Any]) -> str:
    response = line.get("importResponse")
    named = str(response.get("imageSetId", "")) if isinstance(response, dict) else ""
    return named if _IMAGE_SET.fullmatch(named) else ""


def _exception(line: dict[str, Any]) -> str:
    raised = line.get("exception")
    named = str(raised.get("exceptionType", "")) if isinstance(raised, dict) else ""
    return named if _EXCEPTION.fullmatch(named) else "Exception"
