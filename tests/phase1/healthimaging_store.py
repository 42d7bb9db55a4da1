"""A data store of HealthImaging: image sets, made of the DICOM objects under a prefix, and a job's output.

Layout and fields of the output are those of AWS's developer guide ("Understanding import jobs"): below the
output prefix a folder `<datastore>-DicomImport-<job>/` with `job-output-manifest.json`,
`SUCCESS/success.ndjson` and `FAILURE/failure.ndjson`.
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pydicom
from botocore.exceptions import ClientError
from pydicom.errors import InvalidDicomError

_NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass
class ImageSet:
    """The instances of one series; a repeated instance raises the version and doubles nothing."""

    id: str
    series: tuple[str, str]
    patient_id: str
    created: datetime
    primary: bool = True
    version: int = 1
    instances: set[str] = field(default_factory=set)
    deleted: bool = False


@dataclass
class Job:
    """One import job; `output` is the job's own folder below the prefix that the client gave."""

    id: str
    name: str
    datastore_id: str
    role_arn: str
    input: str
    output: str
    submitted: datetime
    status: str = "SUBMITTED"
    ended: datetime | None = None
    message: str = ""


class CannotRead(Exception):
    """The role may not read the input or write the output, or there is no input."""


class Datastore:
    """The image sets of one data store, and the import of what lies under an S3 prefix."""

    def __init__(self, s3_of_role: Callable[[str], Any]) -> None:
        """Keep how to reach S3 with the rights of the role that a job names."""
        self._s3_of_role = s3_of_role
        self.image_sets: dict[str, ImageSet] = {}

    def import_all(self, job: Job) -> None:
        """Import every object under the job's input and write the job's output. Raises CannotRead."""
        s3 = self._s3_of_role(job.role_arn)
        bucket, prefix = split(job.input)
        successes, failures = [], []
        try:
            keys = _keys(s3, bucket, prefix)
            if not keys:
                raise CannotRead("No files were found under the input prefix")
            for key in keys:
                body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                try:
                    found = self._take(body)
                except ValueError as fault:
                    failures.append(_failed(key, str(fault)))
                else:
                    successes.append(_imported(key, found))
            _write_output(s3, job, successes, failures)
        except ClientError:
            raise CannotRead("The role does not allow the job's input or output") from None

    def _take(self, body: bytes) -> ImageSet:
        try:
            dataset = pydicom.dcmread(io.BytesIO(body), stop_before_pixels=True)
        except (InvalidDicomError, EOFError):
            raise ValueError("DICOM attributes does not exist") from None
        for keyword in _NEEDED:
            if not dataset.get(keyword):
                raise ValueError(f"DICOM attribute {keyword} does not exist")
        series = str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID)
        found = self._of_series(series, str(dataset.get("PatientID", "")))
        if str(dataset.SOPInstanceUID) in found.instances:
            found.version += 1
        found.instances.add(str(dataset.SOPInstanceUID))
        return found

    def _of_series(self, series: tuple[str, str], patient_id: str) -> ImageSet:
        """Return the series' image set; a conflict at the patient makes one that is not primary."""
        living = [one for one in self.image_sets.values() if one.series == series and not one.deleted]
        for one in living:
            if one.patient_id == patient_id:
                return one
        made = ImageSet(secrets.token_hex(16), series, patient_id, datetime.now(UTC), primary=not living)
        self.image_sets[made.id] = made
        return made


def split(uri: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def _keys(s3: Any, bucket: str, prefix: str) -> list[str]:  # noqa: ANN401 - a client of S3
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")
    ]


def _imported(key: str, found: ImageSet) -> dict[str, Any]:
    response = {"imageSetId": found.id, "imageSetVersion": found.version, "isPrimary": found.primary}
    return {"inputFile": key, "importResponse": response}


def _failed(key: str, message: str) -> dict[str, Any]:
    return {"inputFile": key, "exception": {"exceptionType": "ValidationException", "message": message}}


def _write_output(
    s3: Any,  # noqa: ANN401
    job: Job,
    successes: list[dict[str, Any]],
    failures: list[dict[str, Any]],
) -> None:
    bucket, folder = split(job.output)
    for name, lines in (("SUCCESS/success.ndjson", successes), ("FAILURE/failure.ndjson", failures)):
        if lines:
            s3.put_object(Bucket=bucket, Key=folder + name, Body="\n".join(map(json.dumps, lines)) + "\n")
    s3.put_object(
        Bucket=bucket,
        Key=folder + "job-output-manifest.json",
        Body=json.dumps({"jobSummary": _summary(job, successes, failures)}),
    )


def _summary(job: Job, successes: list[dict[str, Any]], failures: list[dict[str, Any]]) -> dict[str, Any]:
    matched: dict[str, int] = {}
    for line in successes:
        image_set = line["importResponse"]["imageSetId"]
        matched[image_set] = matched.get(image_set, 0) + 1
    return {
        "jobId": job.id,
        "datastoreId": job.datastore_id,
        "inputS3Uri": job.input,
        "outputS3Uri": job.output,
        "successOutputS3Uri": job.output + "SUCCESS/",
        "failureOutputS3Uri": job.output + "FAILURE/",
        "numberOfScannedFiles": len(successes) + len(failures),
        "numberOfImportedFiles": len(successes),
        "numberOfFilesWithCustomerError": len(failures),
        "numberOfFilesWithServerError": 0,
        "numberOfGeneratedImageSets": len(matched),
        "imageSetsSummary": [
            {"imageSetId": image_set, "numberOfMatchedSOPInstances": count}
            for image_set, count in matched.items()
        ],
    }
