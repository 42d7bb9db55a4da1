"""HealthImaging on loopback, for tests: a server that speaks botocore's service model of it.

    with HealthImagingServer(s3_of_role) as imaging:
        environment["AWS_ENDPOINT_URL_MEDICAL_IMAGING"] = imaging.url

No emulator has this service. Import jobs go SUBMITTED -> IN_PROGRESS -> COMPLETED | FAILED, their output is
written as AWS documents it, starts are throttled to AWS's 0.25 a second with a burst of 1, and one client
token names one job. `emit` gets the events that AWS would send to EventBridge.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.phase1.healthimaging_model import Refusal, Request, answer, read, refusal
from tests.phase1.healthimaging_store import CannotRead, Datastore, ImageSet, Job

STARTS_A_SECOND = 0.25  # AWS's quota of StartDICOMImportJob in every region
_EVENTS = {
    "SUBMITTED": "Import Job Submitted",
    "IN_PROGRESS": "Import Job In Progress",
    "COMPLETED": "Import Job Completed",
    "FAILED": "Import Job Failed",
}
_PAGE = 50


class Throttle:
    """A token bucket; AWS refuses what does not fit, and the refused start has had no effect."""

    def __init__(self, a_second: float, burst: int = 1) -> None:
        """Begin full."""
        self._rate, self._burst = a_second, burst
        self._tokens, self._at = float(burst), time.monotonic()
        self.refused = 0

    def take(self) -> None:
        """Take a token. Raises Refusal."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            self.refused += 1
            raise Refusal("ThrottlingException", "Rate exceeded")
        self._tokens -= 1


class HealthImagingServer:
    """One account's HealthImaging with one active data store; a context manager."""

    def __init__(
        self,
        s3_of_role: Callable[[str], Any],
        *,
        emit: Callable[[str, dict[str, str]], None] = lambda _kind, _detail: None,
        allows: Callable[[str, str], bool] = lambda _operation, _role_arn: True,
        starts_a_second: float = STARTS_A_SECOND,
        job_seconds: float = 0.2,
    ) -> None:
        """Listen on a free port of loopback; `job_seconds` is how long a job is IN_PROGRESS.

        allows: may whoever asks do so? It is told the operation and the role that the job works with.
        """
        self.datastore_id = secrets.token_hex(16)
        self.store = Datastore(s3_of_role)
        self.throttle = Throttle(starts_a_second)
        self.jobs: dict[str, Job] = {}
        self.requests: list[Request] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.faults: list[BaseException] = []
        self._tokens: dict[str, tuple[dict[str, Any], str]] = {}
        self._emit, self._allows, self._job_seconds = emit, allows, job_seconds
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and let the jobs end."""
        self.may_end.set()
        self._http.shutdown()
        self._http.server_close()

    def throttle_to(self, starts_a_second: float) -> None:
        """Throttle starts anew; one is free at once."""
        self.throttle = Throttle(starts_a_second)

    def forget(self, starts_a_second: float = STARTS_A_SECOND) -> None:
        """Be as new: no job, no image set, one free start."""
        self.jobs, self._tokens, self.store.image_sets = {}, {}, {}
        self.may_end.set()
        self.throttle_to(starts_a_second)

    def wait_for(self, job_id: str, seconds: float = 20) -> None:
        """Return when a job has ended, for whatever reason."""
        until = time.monotonic() + seconds
        while not self.jobs[job_id].ended:
            if time.monotonic() > until:
                raise AssertionError("The job does not end.")
            time.sleep(0.01)

    def perform(self, method: str, target: str, body: bytes) -> bytes:
        """Answer one request. Raises Refusal."""
        request = read(method, target, body)
        with self._lock:
            self.requests.append(request)
            given = request.members
            if given.get("datastoreId") not in (None, self.datastore_id):
                raise Refusal("ResourceNotFoundException", "There is no such data store")
            operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
                "StartDICOMImportJob": self._start,
                "GetDICOMImportJob": self._get_job,
                "ListDICOMImportJobs": self._list_jobs,
                "GetDatastore": self._get_datastore,
                "GetImageSet": self._get_image_set,
                "DeleteImageSet": self._delete_image_set,
            }
            if request.operation not in operations:
                raise Refusal("ValidationException", f"This server has no {request.operation}")
            return answer(request.operation, operations[request.operation](given))

    def _require(self, operation: str, role_arn: str) -> None:
        if not self._allows(operation, role_arn):
            raise Refusal("AccessDeniedException", f"User is not authorized to perform {operation}")

    def _start(self, given: dict[str, Any]) -> dict[str, Any]:
        self._require("StartDICOMImportJob", given["dataAccessRoleArn"])
        self.throttle.take()
        token = given["clientToken"]
        known = self._tokens.get(token)
        if known and known[0] != given:
            raise Refusal("ConflictException", "The client token stands for another request")
        job = self.jobs[known[1]] if known else self._begin(given)
        self._tokens[token] = given, job.id
        return {
            "datastoreId": self.datastore_id,
            "jobId": job.id,
            "jobStatus": job.status,
            "submittedAt": job.submitted,
        }

    def _begin(self, given: dict[str, Any]) -> Job:
        number = secrets.token_hex(16)
        job = Job(
            id=number,
            name=given.get("jobName", number),
            datastore_id=self.datastore_id,
            role_arn=given["dataAccessRoleArn"],
            input=given["inputS3Uri"],
            output=f"{given['outputS3Uri'].rstrip('/')}/{self.datastore_id}-DicomImport-{number}/",
            submitted=datetime.now(UTC),
        )
        self.jobs[job.id] = job
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return job

    def _run(self, job: Job) -> None:
        try:
            self._become(job, "SUBMITTED")
            self._become(job, "IN_PROGRESS")
            time.sleep(self._job_seconds)
            self.may_end.wait(timeout=120)
            try:
                self.store.import_all(job)
            except CannotRead as reason:
                job.message = str(reason)
                self._become(job, "FAILED")
            else:
                self._become(job, "COMPLETED")
        except BaseException as error:  # a broken test double must not look like a slow import
            self.faults.append(error)
            raise

    def _become(self, job: Job, status: str) -> None:
        with self._lock:
            job.status = status
            if status in {"COMPLETED", "FAILED"}:
                job.ended = datetime.now(UTC)
        self._emit(
            _EVENTS[status],
            {
                "imagingVersion": "1.0",
                "datastoreId": job.datastore_id,
                "jobId": job.id,
                "jobName": job.name,
                "jobStatus": status,
                "inputS3Uri": job.input,
                "outputS3Uri": job.output,
            },
        )

    def _get_job(self, given: dict[str, Any]) -> dict[str, Any]:
        job = self.jobs.get(given["jobId"])
        if job is None:
            raise Refusal("ResourceNotFoundException", "There is no such import job")
        self._require("GetDICOMImportJob", job.role_arn)
        return {"jobProperties": {**_summary(job), "inputS3Uri": job.input, "outputS3Uri": job.output}}

    def _list_jobs(self, given: dict[str, Any]) -> dict[str, Any]:
        wanted = [job for job in self.jobs.values() if given.get("jobStatus") in (None, job.status)]
        first = int(given.get("nextToken", "0"))
        last = first + given.get("maxResults", _PAGE)
        page: dict[str, Any] = {"jobSummaries": [_summary(job) for job in wanted[first:last]]}
        return {**page, "nextToken": str(last)} if last < len(wanted) else page

    def _get_datastore(self, _given: dict[str, Any]) -> dict[str, Any]:
        properties = {
            "datastoreId": self.datastore_id,
            "datastoreName": "tests",
            "datastoreStatus": "ACTIVE",
        }
        return {"datastoreProperties": properties}

    def _get_image_set(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._image_set(given["imageSetId"])
        return {
            "datastoreId": self.datastore_id,
            "imageSetId": found.id,
            "versionId": str(found.version),
            "imageSetState": "DELETED" if found.deleted else "ACTIVE",
            "imageSetWorkflowStatus": "DELETED" if found.deleted else "CREATED",
            "createdAt": found.created,
            "isPrimary": found.primary,
        }

    def _delete_image_set(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._image_set(given["imageSetId"])
        found.deleted = True
        return {
            "datastoreId": self.datastore_id,
            "imageSetId": found.id,
            "imageSetState": "LOCKED",
            "imageSetWorkflowStatus": "DELETING",
        }

    def _image_set(self, number: str) -> ImageSet:
        if number not in self.store.image_sets:
            raise Refusal("ResourceNotFoundException", "There is no such image set")
        return self.store.image_sets[number]


def _summary(job: Job) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "jobId": job.id,
        "jobName": job.name,
        "jobStatus": job.status,
        "datastoreId": job.datastore_id,
        "dataAccessRoleArn": job.role_arn,
        "submittedAt": job.submitted,
    }
    if job.ended:
        summary["endedAt"] = job.ended
    if job.message:
        summary["message"] = job.message
    return summary


def _signed(authorization: str) -> None:
    if "/medical-imaging/aws4_request" not in authorization:
        raise Refusal("AccessDeniedException", "The request is not signed for medical-imaging")


def _handler(server: HealthImagingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                _signed(self.headers.get("Authorization", ""))
                self._send(200, server.perform(self.command, self.path, body))
            except Refusal as refused:
                status, text = refusal(refused)
                self._send(status, text, refused.code)

        def _send(self, status: int, body: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", secrets.token_hex(16))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: the test says what went wrong."""

    return Handler
