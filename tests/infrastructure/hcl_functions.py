"""Terraform's functions, as far as the modules use them; one that is not here is reported, not guessed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Wrong(Exception):
    """What Terraform would refuse, with where it is."""


class Opaque:
    """A value that only AWS knows, which is not a text; whatever is asked of it is a marker."""

    def __init__(self, marker: str) -> None:
        self.marker = marker


def text_of(value: Any) -> str:  # noqa: ANN401 - a value is JSON of any shape
    """Return a value as a template or tostring() writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    raise Wrong(f"a {kind_of(value)} has no text")


def kind_of(value: Any) -> str:  # noqa: ANN401 - as above
    """Name a value's type as Terraform does."""
    if value is None:
        return "null"
    names = {bool: "bool", str: "string", int: "number", float: "number", list: "list", Opaque: "object"}
    return names.get(type(value), "map")


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return re.sub(old[1:-1], re.sub(r"\$\{?(\d+)\}?", r"\\\1", new), text)
    return text.replace(old, new)


def _regex(pattern: str, text: str) -> Any:  # noqa: ANN401 - groups decide
    found = re.search(pattern, text)
    if found is None:
        raise Wrong(f"{pattern} does not match")
    return found[0] if not found.groups() else list(found.groups())


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(values):
        raise Wrong(f"slice from {start} to {end} of {len(values)}")
    return values[start:end]


def _one(values: list[Any]) -> Any:  # noqa: ANN401 - as given
    if len(values) > 1:
        raise Wrong("one() of more than one")
    return values[0] if values else None


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in maps:
        if each is not None and not isinstance(each, Mapping):
            raise Wrong(f"merge() of a {kind_of(each)}")
        merged.update(each or {})
    return merged


def _lookup(values: Mapping[str, Any], key: str, *default: Any) -> Any:  # noqa: ANN401 - as given
    if key in values:
        return values[key]
    if default:
        return default[0]
    raise Wrong(f"lookup() finds no {key}")


def _json(value: str) -> Any:  # noqa: ANN401 - JSON
    if value.startswith("«"):
        return Opaque(value)
    try:
        return json.loads(value)
    except ValueError as error:
        raise Wrong(f"jsondecode(): {error}") from None


def _file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        raise Wrong(f"file(): there is no {path}") from None


def _hash(path: str) -> str:
    return base64.b64encode(hashlib.sha256(_file(path).encode()).digest()).decode()


def _join(separator: str, values: list[Any]) -> str:
    return separator.join(text_of(each) for each in values)


def _coalesce(*values: Any) -> Any:  # noqa: ANN401 - as given
    for each in values:
        if each not in (None, ""):
            return each
    raise Wrong("coalesce() has no value left")


def _unique(values: list[Any]) -> list[Any]:
    return [each for at, each in enumerate(values) if each not in values[:at]]


def _unwritten(values: Mapping[str, Any] | list[Any] | str) -> int:
    return len(values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "alltrue": all,
    "anytrue": any,
    "coalesce": _coalesce,
    "compact": lambda values: [each for each in values if each],
    "concat": lambda *lists: [each for one in lists for each in one],
    "contains": lambda values, one: one in values,
    "distinct": _unique,
    "file": _file,
    "filebase64sha256": _hash,
    "fileexists": lambda path: Path(path).is_file(),
    "flatten": lambda values: [each for one in values for each in (one if isinstance(one, list) else [one])],
    "join": _join,
    "jsondecode": _json,
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "keys": sorted,
    "length": _unwritten,
    "lookup": _lookup,
    "lower": lambda text: text.lower(),
    "merge": _merge,
    "one": _one,
    "regex": _regex,
    "replace": _replace,
    "slice": _slice,
    "sort": sorted,
    "split": lambda separator, text: text.split(separator),
    "title": lambda text: text.title(),
    "tolist": list,
    "tostring": lambda value: None if value is None else text_of(value),
    "toset": lambda values: sorted(set(values)),
    "trimprefix": lambda text, prefix: text.removeprefix(prefix),
    "trimsuffix": lambda text, suffix: text.removesuffix(suffix),
    "upper": lambda text: text.upper(),
    "values": lambda values: [values[key] for key in sorted(values)],
}
# These look at whether their argument can be had at all.
LAZY = frozenset({"can", "try"})
