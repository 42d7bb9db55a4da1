"""The first state's JSONata against our own reading of the same event, in the language's Python port."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from scanward.receive.s3_event import references
from tests.lambda_line.states import workflow

pytestmark = pytest.mark.integration

EMULATOR = Path(__file__).parents[2] / ".tools" / "emulator" / "bin" / "python"
PROGRAM = """
import json, sys, jsonata
for line in sys.stdin:
    text, given = json.loads(line)
    found = jsonata.Jsonata.jsonata(text).evaluate(None, {"states": {"input": given}})
    print(json.dumps(found))
"""
KEYS = [
    "patient123/study456/image001.dcm",
    "a b+c%20/d&e=f.dcm",
    "Zoë/名前/%.dcm",
    "back\\slash 'quote' \"double\".dcm",
    "$states.input {% 1 %} ${x}.dcm",
]


def _evaluated(questions: list[tuple[str, Any]]) -> list[Any]:
    lines = "\n".join(json.dumps(question) for question in questions)
    run = subprocess.run(
        [EMULATOR, "-c", PROGRAM], input=lines, capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def _expression(text: str) -> str:
    assert text.startswith("{%")
    return text[2:-2].strip()


def _choices() -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = workflow()["States"]["Receive"]["Choices"]
    return choices


def _event(key: str, **described: object) -> dict[str, Any]:
    return {
        "Records": [
            {"s3": {"bucket": {"name": "raw"}, "object": {"key": quote_plus(key, safe="/"), **described}}}
        ]
    }


def test_a_record_becomes_the_reference_that_our_own_reading_makes_of_it() -> None:
    full = {"versionId": "v.1", "eTag": "0cc175", "size": 0, "sequencer": "0055AED6DCD90281E5"}
    events = [_event(key, **given) for key in KEYS for given in ({}, full)]
    made = _evaluated([(_expression(_choices()[1]["Assign"]["reference"]), event) for event in events])
    assert made == [references(event)[0].as_json() for event in events]
    assert {one["key"] for one in made} == set(KEYS)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"reference": {"bucket": "raw", "key": "x"}}, 0),
        ({"reference": {"bucket": "raw", "key": "x"}, "Records": []}, 0),
        (_event("x"), 1),
        ({"Records": _event("x")["Records"] * 2}, 2),
        ({}, None),
        ([], None),
        ("text", None),
        ({"Records": []}, None),
        ({"Records": "text"}, None),
        ({"Records": [{"s3": {"bucket": {}, "object": {}}}]}, None),
        ({"reference": "raw/x"}, None),
        ({"reference": {"bucket": "raw"}}, None),
        ({"Event": "s3:TestEvent"}, None),
    ],
)
def test_every_input_is_taken_or_refused_and_none_is_dropped(given: Any, taken: int | None) -> None:  # noqa: ANN401 - JSON
    answers = _evaluated([(_expression(choice["Condition"]), given) for choice in _choices()])
    assert all(answer in (True, False) for answer in answers)
    assert next((index for index, answer in enumerate(answers) if answer), None) == taken
