"""The documented decorator: what it answers, what it raises, and what neither ever holds."""

from __future__ import annotations

import inspect
import io
import json
import traceback
from typing import Any

import pytest

from scanward import logs
from scanward.entrypoints.aws_lambda.wrapper import lambda_handler_wrapper
from scanward.errors import BadInput, Fault, InvalidDicom, NotFound, ScanwardError
from tests.lambda_line.conftest import CONTEXT

pytestmark = pytest.mark.unit

SECRET = "Mustermann^Erika"
HTTP = {"requestContext": {"http": {"method": "POST"}}}


@lambda_handler_wrapper
class Handler:
    """As api.md prints a use of it."""

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as printed
        """Do as the event says."""
        kind = event.get("raises")
        if kind == "library":
            _library()
        if kind == "ours":
            _ours()
        if kind == "missing":
            raise NotFound("There is no object.")
        return {"statusCode": 200, "body": {"done": True}}


def _library() -> None:
    try:
        raise KeyError(SECRET)  # noqa: TRY301 - what a library does
    except KeyError as inner:
        raise ValueError(f"cannot read {SECRET}") from inner


def _ours() -> None:
    faults = tuple(Fault(f"rule-{index}", "is missing", path="(0010,0020)") for index in range(50))
    try:
        raise ValueError(SECRET)  # noqa: TRY301 - as above
    except ValueError:
        # Whoever forgets `from None` must not leak either.
        raise InvalidDicom("It is no DICOM.", faults=faults)  # noqa: B904 - on purpose


def call(handler: Any, event: object, context: object = None) -> dict[str, Any]:  # noqa: ANN401 - the wrapper makes it callable
    """Call a handler as Lambda does."""
    answer: dict[str, Any] = handler(event, context)
    return answer


@pytest.fixture
def log() -> Any:  # noqa: ANN401 - a stream
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    logs.configure("ERROR", io.StringIO())


def test_a_decorated_class_stays_a_class_with_its_own_name_and_words() -> None:
    assert inspect.isclass(Handler)
    assert Handler.__name__ == "Handler"
    assert Handler.handle.__doc__ == "Do as the event says."
    assert list(inspect.signature(Handler.handle).parameters) == ["self", "event", "context"]


def test_its_instances_are_lambda_handlers() -> None:
    assert call(Handler(), {}, CONTEXT) == {"statusCode": 200, "body": {"done": True}}
    assert Handler().handle({}, CONTEXT) == {"statusCode": 200, "body": {"done": True}}


def test_our_errors_are_answered_in_the_documented_form() -> None:
    answer = Handler().handle({"raises": "missing"}, CONTEXT)
    assert answer == {
        "statusCode": 404,
        "error": "Not found",
        "message": "There is no object.",
        "details": {},
    }


def test_a_librarys_error_is_answered_without_its_text(log: io.StringIO) -> None:
    answer = Handler().handle({"raises": "library"}, CONTEXT)
    assert (answer["statusCode"], answer["error"]) == (500, "InternalError")
    assert answer["message"].startswith("ValueError")
    line = json.loads(log.getvalue())
    assert (line["level"], line["details"]["exception"]) == ("ERROR", "ValueError")
    assert line["request_id"] == CONTEXT.aws_request_id
    assert SECRET not in json.dumps(answer) + log.getvalue()


@pytest.mark.parametrize(("kind", "error"), [("library", ScanwardError), ("ours", InvalidDicom)])
def test_for_the_state_machine_errors_are_raised_by_class_and_hang_on_nothing(
    log: io.StringIO, kind: str, error: type[ScanwardError]
) -> None:
    with pytest.raises(error) as raised:
        call(Handler(), {"raises": kind, "reference": {}, "execution": "4d2f"}, CONTEXT)
    assert type(raised.value) is error
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    told = "".join(traceback.format_exception(raised.value)) + log.getvalue()
    assert SECRET not in told
    assert json.loads(log.getvalue())["execution_id"] == "4d2f"


def test_what_is_raised_is_a_line_of_words_and_a_line_of_faults_that_fit_a_state() -> None:
    with pytest.raises(InvalidDicom) as raised:
        call(Handler(), {"raises": "ours", "reference": {}}, CONTEXT)
    words, faults = str(raised.value).split("\n")
    told = json.loads(faults)["faults"]
    assert words == "It is no DICOM."
    assert [fault["rule"] for fault in told[:2]] == ["rule-0", "rule-1"]
    assert told[-1]["message"] == "and 30 more"
    assert len(str(raised.value)) < 16_000


def test_long_words_and_faults_are_cut() -> None:
    @lambda_handler_wrapper
    class Long:
        def handle(self, event: dict[str, Any], context: object) -> dict[str, Any]:
            del event, context
            raise BadInput("x" * 5_000 + "\ny", faults=(Fault("r" * 9, "m" * 5_000, path="p" * 5_000),))

    with pytest.raises(BadInput) as raised:
        call(Long(), {"reference": {}}, None)
    assert len(str(raised.value)) < 2_000
    assert str(raised.value).count("\n") == 1


def test_behind_an_http_api_the_answer_is_text_in_the_body() -> None:
    done, refused = call(Handler(), HTTP, CONTEXT), call(Handler(), {**HTTP, "raises": "missing"}, CONTEXT)
    assert (done["statusCode"], json.loads(done["body"])) == (200, {"done": True})
    assert refused["statusCode"] == 404
    assert refused["headers"]["content-type"] == "application/json"
    assert json.loads(refused["body"])["error"] == "Not found"


def test_an_answer_that_is_no_json_is_an_error_behind_an_http_api_too() -> None:
    @lambda_handler_wrapper
    class Odd:
        def handle(self, event: dict[str, Any], context: object) -> dict[str, Any]:
            del event, context
            return {"statusCode": 200, "body": {SECRET: object()}}

    answer = call(Odd(), HTTP)
    assert answer["statusCode"] == 500
    assert SECRET not in answer["body"]


@pytest.mark.parametrize("event", [None, [], "text", 7])
def test_an_event_that_is_no_object_does_not_break_the_wrapper(event: object) -> None:
    answer = Handler().handle(event, None)  # type: ignore[arg-type]  # Lambda hands on whatever JSON it gets
    assert answer["statusCode"] == 500
