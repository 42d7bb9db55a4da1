"""Definitions of state machines: read from a file, their `${Name}` placeholders found and replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from scanward.errors import BadInput, NotFound

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# Fields for which the States Language wants a number. JSON has no other place for a placeholder than a text.
_NUMERIC: Final = frozenset({
    "BackoffRate", "HeartbeatSeconds", "IntervalSeconds", "MaxAttempts", "MaxConcurrency", "MaxDelaySeconds",
    "MaxInputBytesPerBatch", "MaxItems", "MaxItemsPerBatch", "Seconds", "TimeoutSeconds",
    "ToleratedFailureCount", "ToleratedFailurePercentage",
})  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    """Return the definition in a JSON file. Raises NotFound, or BadInput with the place of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise NotFound("The state machine's file is not there or cannot be read.") from None
    except UnicodeDecodeError:
        raise BadInput("The state machine's file is not text in UTF-8.") from None
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"The state machine's file is not JSON: line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(definition, dict):
        raise BadInput("A state machine's definition is a JSON object with `StartAt` and `States`.")
    missing = [name for name in ("StartAt", "States") if name not in definition]
    if missing:
        raise BadInput(f"The state machine's definition has no {' and no '.join(missing)}.")
    return definition


def substituted(definition: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition with each `${Name}` of `variables` replaced, once, in every text at every depth.

    Text stays text, but for the fields that the States Language wants a number for (`TimeoutSeconds` …):
    there a text that is nothing but a placeholder becomes the number. Anything else that looks alike, such
    as JSONata, and placeholders without a variable stay. What is given is not changed. Raises BadInput.
    """
    wrong = sorted(str(name) for name, value in variables.items() if not isinstance(value, str | int | float))
    if wrong:
        raise BadInput(f"A variable's value is a text; these are not: {', '.join(wrong)}.")
    return {
        _in_text(name, variables): _in_value(name, value, variables) for name, value in definition.items()
    }


def placeholders(definition: Mapping[str, Any]) -> list[str]:
    """Return the names of the placeholders that a definition still has, each once, in order."""
    return sorted({name for text in _texts(definition) for name in _PLACEHOLDER.findall(text)})


def _in_value(field: str, value: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        replaced = _in_text(value, variables)
        return _number(field, replaced) if field in _NUMERIC and _is_placeholder(value) else replaced
    if isinstance(value, Mapping):
        return substituted(value, variables)
    if isinstance(value, list):
        return [_in_value("", one, variables) for one in value]
    return value


def _in_text(text: str, variables: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(variables.get(found[1], found[0])), text)


def _is_placeholder(text: str) -> bool:
    return _PLACEHOLDER.fullmatch(text) is not None


def _number(field: str, text: str) -> int | float | str:
    if _is_placeholder(text):
        return text
    if _NUMBER.fullmatch(text) is None:
        raise BadInput(f"`{field}` of a state machine is a number, and its variable's value is not one.")
    return float(text) if "." in text else int(text)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
