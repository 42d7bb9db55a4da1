"""What identifies a patient stands in raw rows and inputs as part of the key, and in nothing else of ours."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanward import logs
from scanward.entrypoints.aws_lambda import recorder, starter
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.errors import ScanwardError
from tests.lambda_start.events import batch, s3_event
from tests.lambda_start.stack import Stack, fails

pytestmark = pytest.mark.integration

NEEDLES = ("DOE", "JANE", "MRN778899", "19700101")
KEY = "DOE^JANE/MRN778899/19700101"
CONTEXT = SimpleNamespace(aws_request_id="request")


class _Leaking:
    """A client whose every refusal tells all that it was given, as AWS's texts do."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any call
        def refuse(**given: object) -> None:
            raise ClientError({"Error": {"Code": self._code, "Message": f"{KEY} {given}"}}, name)

        return refuse


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    yield stream
    logs.configure("ERROR")


def _is_clean(text: str) -> bool:
    folded = text.upper()
    return not [needle for needle in NEEDLES if needle in folded]


def test_no_log_metric_name_or_answer_of_the_starter_holds_a_key(
    stack: Stack, written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    here = stack.starter()
    events: list[dict[str, Any]] = [
        batch(s3_event(stack.put(f"{KEY}/a.dcm")), s3_event(stack.put(f"{KEY}/notes")), f"poison {KEY}"),
        batch({"Records": [{"s3": {"bucket": {"name": KEY}, "object": {"key": 7}}}]}),
        {"reference": {"bucket": stack.put(f"{KEY}/b.dcm").bucket, "key": f"{KEY}/b.dcm"}},
        {"Items": [{"Bucket": "stack-raw-dicom", "Key": f"{KEY}/gone"}]},
        {"Items": [{"Bucket": KEY, "Key": f"quarantine/{KEY}"}]},
    ]
    answers = [starter.handle(event, CONTEXT, here) for event in events]
    printed = capsys.readouterr()
    assert "ExecutionsStarted" in printed.out
    assert written.getvalue().count("\n") > 5
    for text in (written.getvalue(), printed.out, printed.err, json.dumps(answers), str(stack.names())):
        assert _is_clean(text)
    assert {row["id"]["S"] for row in stack.rows()} >= set(stack.names())
    assert all(KEY in row["raw_key"]["S"] for row in stack.rows())


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ValidationException", "X"])
@pytest.mark.parametrize("client", ["dynamodb", "states", "s3"])
def test_no_refusal_of_aws_brings_a_key_into_an_error_or_a_log(
    stack: Stack, written: io.StringIO, client: str, code: str
) -> None:
    reference = stack.put(f"{KEY}/scan")
    refused = stack.with_clients(**{client: _Leaking(code)}).starter()
    with pytest.raises(ScanwardError) as told:
        starter.handle({"reference": reference.as_json()}, CONTEXT, refused)
    assert _is_clean(str(told.value))
    answer = starter.handle(batch(s3_event(reference)), CONTEXT, refused)
    assert len(answer["batchItemFailures"]) == 1
    assert _is_clean(written.getvalue())


def test_no_log_metric_or_notice_of_the_recorder_holds_a_key(
    stack: Stack, written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.machine_now(fails("Runtime", f"'{KEY}' could not be read"))
    name = stack.starter().take(stack.put(f"{KEY}/a.dcm"), Meter()).name
    notices: list[object] = []
    here = recorder.Recorder(stack.executions(), SimpleNamespace(tell=notices.append))
    detail = stack.detail(name)
    assert KEY in detail["input"]
    recorder.handle({"detail": detail}, here)
    found = stack.executions().describe(name)
    assert (found.error, found.cause) == ("Runtime", "")
    printed = capsys.readouterr().out
    assert "ExecutionsFailed" in printed
    for text in (written.getvalue(), printed, repr(notices)):
        assert _is_clean(text)
    with pytest.raises(ScanwardError) as told:
        recorder.handle(
            {"detail": {"name": KEY, "status": "FAILED", "executionArn": KEY, "error": KEY}}, here
        )
    assert _is_clean(str(told.value))


def test_a_dead_letter_tells_its_key_to_those_who_may_read_the_queue_and_nothing_else(stack: Stack) -> None:
    body = json.dumps(s3_event(stack.put(f"{KEY}/a.dcm")) | {"secret": KEY})
    stack.clients.sqs.send_message(QueueUrl=stack.dead_letter_url, MessageBody=body)
    (letter,) = stack.executions().list(dead_letter=True)
    assert letter.raw_key == f"{KEY}/a.dcm"
    assert _is_clean(f"{letter.id} {letter.error} {letter.cause} {letter.faults}")
