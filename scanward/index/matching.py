"""Whether attributes match (PS3.4 C.2.2.2), on the DICOM JSON Model of an object."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from scanward.ports.search import Condition, Matching

# Voiced and half-voiced sound marks tell syllables apart, as no accent does.
_OF_KANA = "\u3099\u309a"

Model = Mapping[str, Any]
"""A DICOM JSON object, as `json.loads` reads it."""


def matches(model: Model, conditions: Iterable[Condition]) -> bool:
    """Return whether an object's attributes match all conditions.

    Those of one sequence must match in one of its items (PS3.4 C.2.2.2.6); an absent one has an empty item.
    """
    inside: dict[int, list[Condition]] = {}
    for one in conditions:
        tag, *below = one.path
        if below:
            inside.setdefault(tag, []).append(replace(one, path=tuple(below)))
        elif not _matches(_values(model, tag), one):
            return False
    return all(
        any(matches(item, some) for item in model.get(f"{tag:08X}", {}).get("Value") or [{}])
        for tag, some in inside.items()
    )


def matches_texts(values: Sequence[str], condition: Condition) -> bool:
    """Return whether one of some values matches; names with their component groups joined by `=`."""
    return _matches(list(values), condition)


def folded(text: str) -> str:
    """Return a name as it is compared: without case, marks and width (PS3.4 C.2.2.2.1)."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one) or one in _OF_KANA)


def _values(model: Model, tag: int) -> list[str]:
    return [_text(value) for value in model.get(f"{tag:08X}", {}).get("Value", ())]


def _text(value: object) -> str:
    if isinstance(value, dict):
        groups = [value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(groups).rstrip("=")
    return "" if value is None else str(value)


def _matches(values: list[str], condition: Condition) -> bool:
    if condition.matching is Matching.EMPTY:
        return not any(values)
    if condition.matching is Matching.EACH:
        each = [replace(condition, matching=Matching.SINGLE, values=(one,)) for one in condition.values]
        return all(_matches(values, one) for one in each)
    if condition.vr == "PN":
        return any(_name_matches(value, condition) for value in values if value)
    return any(_one_matches(value, condition) for value in values if value)


def _one_matches(value: str, condition: Condition) -> bool:
    wanted, vr = condition.values, condition.vr
    if condition.matching is Matching.RANGE:
        first, last = (_moment(one, vr) for one in wanted)
        mine = _moment(value, vr)
        return first <= mine and (not last or mine <= last or mine.startswith(last))
    if condition.matching is Matching.WILDCARD:
        return _pattern(wanted[0]).fullmatch(value) is not None
    if vr in {"IS", "DS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"}:
        return _number(value) is not None and _number(value) in {_number(one) for one in wanted}
    if vr in {"DA", "TM", "DT"}:
        return any(_moment(value, vr).startswith(_moment(one, vr)) for one in wanted)
    return value in wanted


def _name_matches(value: str, condition: Condition) -> bool:
    """Compare a name as a whole and by each component group."""
    mine = folded(value)
    forms = [mine, *mine.split("=")]
    if condition.matching is Matching.FUZZY:
        return any(_sounds_like(form, folded(condition.values[0])) for form in forms)
    return any(
        _pattern(folded(one)).fullmatch(form.rstrip("^")) or _pattern(folded(one)).fullmatch(form)
        for one in condition.values
        for form in forms
        if form
    )


def _sounds_like(name: str, wanted: str) -> bool:
    """Return whether each word asked for begins a word of the name, in any order."""
    words = re.findall(r"\w+", name)
    asked = re.findall(r"[\w*?]+", wanted)
    return bool(asked) and all(
        any(_pattern(f"{one.rstrip('*')}*").fullmatch(word) for word in words) for one in asked
    )


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in text)
    return re.compile("".join(parts), re.DOTALL)


def _moment(value: str, vr: str) -> str:
    """Return a date or time in digits only, so that text order is time order."""
    plain = value.strip()
    if vr == "DA":
        return plain.replace(".", "")
    return plain.replace(":", "") if vr == "TM" else plain


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
