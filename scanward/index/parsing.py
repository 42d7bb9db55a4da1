"""Parameters of a search become a Query (PS3.18 8.3.4, 10.6.1.2); all that cannot be read is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from scanward.errors import BadInput, Fault
from scanward.index.attributes import is_known, level_of, tag_of, value_representation
from scanward.ports.search import Condition, Level, Matching, Query

LIMIT, MOST = 100, 1000
# Far deeper than any IOD nests, and not so deep that matching, which goes down item by item, breaks.
_DEEPEST = 32
_OWN = frozenset({
    "accept", "charset", "emptyvaluematching", "fuzzymatching", "includefield", "limit",
    "multiplevaluematching", "offset",
})  # fmt: skip
_WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# Where multiple value matching means that each value is there (PS3.4 C.2.2.2.8).
_SEVERAL = frozenset({"AE", "AS", "AT", "CS", "LO", "PN", "SH", "UC"})
_RANGED = frozenset({"DA", "DT", "TM"})
_UNMATCHED = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"})
_FORMS = {
    "DA": re.compile(r"\d{8}|\d{4}\.\d{2}\.\d{2}"),
    "TM": re.compile(r"\d{2}(:?\d{2}(:?\d{2}(\.\d{1,6})?)?)?"),
    "DT": re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?"),
    "UI": re.compile(r"[0-9.]{1,64}"),
    "IS": re.compile(r"[+-]?\d{1,12}"),
    "DS": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"),
}
_OFFSET = re.compile(r"(.*)([+-]\d{4})")
_MODALITY, _MODALITIES = 0x00080060, 0x00080061
_RANKS = (Level.STUDY, Level.SERIES, Level.INSTANCE)


@dataclass
class _Reading:
    """What is read so far, and all that is wrong with it."""

    level: Level
    conditions: list[Condition] = field(default_factory=list)
    include: set[int] = field(default_factory=set)
    everything: bool = False
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def wrong(self, rule: str, message: str, clause: str) -> None:
        self.faults.append(Fault(rule, message, clause=clause))


def read(
    level: Level, parameters: Sequence[tuple[str, str]], study_uid: str = "", series_uid: str = ""
) -> tuple[Query, tuple[str, ...]]:
    """Return the query and warnings for the answer's `Warning: 299`. Raises BadInput with every fault.

    parameters: percent-decoded names and values, in order; names of sequences and attributes by keyword or
    by tag, joined by dots.
    """
    reading = _Reading(level)
    own = {name.lower(): value for name, value in parameters if name.lower() in _OWN}
    fuzzy = _flag(reading, own, "fuzzymatching")
    empty = _flag(reading, own, "emptyvaluematching")
    several = _flag(reading, own, "multiplevaluematching")
    limit = _number(reading, own, "limit", LIMIT)
    offset = _number(reading, own, "offset", 0)
    for name, value in parameters:
        if name.lower() == "includefield":
            _include(reading, value)
        elif name.lower() not in _OWN:
            _condition(reading, name, value, fuzzy=fuzzy, empty=empty, several=several)
    if reading.faults:
        said = "; ".join(fault.message for fault in reading.faults)
        raise BadInput(f"The search cannot be read: {said}", faults=tuple(reading.faults))
    if limit > MOST:
        reading.warnings.append(f"At most {MOST} results are given at once; ask on with `offset`")
    query = Query(
        level,
        study_uid,
        series_uid,
        tuple(reading.conditions),
        frozenset(reading.include),
        reading.everything,
        min(limit, MOST),
        offset,
    )
    return query, tuple(reading.warnings)


def _flag(reading: _Reading, own: dict[str, str], name: str) -> bool:
    value = own.get(name, "false").lower()
    if value not in {"true", "false"}:
        reading.wrong("search-flag", f"`{name}` is true or false", "PS3.18 8.3.4")
    return value == "true"


def _number(reading: _Reading, own: dict[str, str], name: str, default: int) -> int:
    value = own.get(name, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 12:  # noqa: PLR2004 - far beyond any catalog
        reading.wrong("search-number", f"`{name}` is a whole number from 0 on", "PS3.18 8.3.4.4")
        return default
    return int(value)


def _include(reading: _Reading, value: str) -> None:
    for name in value.split(","):
        if name.lower() == "all":
            reading.everything = True
            continue
        # Of an attribute inside a sequence the whole sequence is told.
        path = _path(reading, name, "includefield")
        if path:
            reading.include.add(path[0])


def _path(reading: _Reading, name: str, where: str) -> tuple[int, ...]:
    tags = [tag_of(part.strip()) for part in name.split(".")]
    if any(tag is None for tag in tags):
        # The name is the client's and may be anything; it is not repeated.
        reading.wrong(
            "search-attribute", f"`{where}` names an attribute that PS3.6 has not", "PS3.18 8.3.4.1"
        )
        return ()
    path = tuple(tag for tag in tags if tag is not None)
    if len(path) > _DEEPEST:
        reading.wrong("search-path", f"`{where}` goes deeper than {_DEEPEST} attributes", "PS3.18 8.3.4.1")
        return ()
    if any(is_known(tag) and value_representation(tag) != "SQ" for tag in path[:-1]):
        reading.wrong(
            "search-path", f"`{where}` goes into an attribute that is no sequence", "PS3.18 8.3.4.1"
        )
        return ()
    return path


def _condition(reading: _Reading, name: str, value: str, *, fuzzy: bool, empty: bool, several: bool) -> None:
    path = _path(reading, name, "a search parameter")
    if not path:
        return
    vr = value_representation(path[-1])
    if len(path) == 1 and _RANKS.index(level_of(path[0])) > _RANKS.index(reading.level) and value:
        if path[0] != _MODALITY:
            reading.warnings.append("An attribute below the level of the search was not matched")
            reading.include.add(path[0])
            return
        path = (_MODALITIES,)
    if not value or value == "*":
        reading.include.add(path[0])
    elif value == '""' and empty:
        reading.conditions.append(Condition(path, vr, Matching.EMPTY))
    elif vr in _UNMATCHED:
        reading.wrong("search-unmatched", f"An attribute of VR {vr} cannot be matched", "PS3.4 C.2.2.2")
    else:
        _matched(reading, path, vr, value, fuzzy=fuzzy, several=several)


def _matched(
    reading: _Reading, path: tuple[int, ...], vr: str, value: str, *, fuzzy: bool, several: bool
) -> None:
    if vr == "UI":
        values = tuple(one.strip() for one in re.split(r"[\\,]", value) if one.strip())
    elif several or path in {(_MODALITIES,), (_MODALITY,)}:
        values = (
            tuple(value.split("\\")) if "\\" in value else tuple(value.split(",")) if vr == "CS" else (value,)
        )
    else:
        values = (value,)
    if len(values) > 1:
        matching = Matching.EACH if several and vr in _SEVERAL else Matching.LIST
    elif vr in _RANGED and _is_range(vr, value):
        matching, values = Matching.RANGE, _range(vr, value)
    elif vr == "PN" and fuzzy:
        matching = Matching.FUZZY
    elif vr in _WILD and ("*" in value or "?" in value):
        matching = Matching.WILDCARD
    else:
        matching = Matching.SINGLE
    if vr in _FORMS and not all(_FORMS[vr].fullmatch(one) for one in values if one):
        reading.wrong("search-value", f"A value is not of VR {vr}", "PS3.5 6.2")
        return
    reading.conditions.append(Condition(path, vr, matching, values))


def _is_range(vr: str, value: str) -> bool:
    """Return whether a hyphen parts two values; that of an offset from UTC in a DT does not."""
    return "-" in value and not (vr == "DT" and _FORMS["DT"].fullmatch(value))


def _range(vr: str, value: str) -> tuple[str, str]:
    if vr != "DT":
        first, _, last = value.partition("-")
        return first.strip(), last.strip()
    hyphens = [at for at, character in enumerate(value) if character == "-"]
    for at in hyphens:
        first, last = value[:at], value[at + 1 :]
        if all(not one or _FORMS["DT"].fullmatch(one) for one in (first, last)):
            return first, last
    return value, value
