"""What a search answers: attributes, fields, pages, media types, statuses (PS3.18 8.3.4, 10.6.3)."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.doors.conformance.checks import (
    JSON,
    XML,
    Check,
    Checks,
    Item,
    Subject,
    equal,
    items,
    media_type,
    parts,
    status,
    value,
)

_Values = dict[str, list[Any]]

# What a result of b11's study, series and instance tells (PS3.18 Tables 10.6.3-3 to 10.6.3-5).
_NAME = {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東", "Phonetic": "わん^しょうとう"}
_TOLD: dict[str, _Values] = {
    "studies": {
        "00080020": ["20200131"], "00080030": ["120000.5"], "00080050": ["A{run}b"], "00080056": ["ONLINE"],
        "00080061": ["MR"], "00080090": [{"Alphabetic": "Grey^Meredith"}], "00080201": ["+0100"],
        "00100010": [_NAME], "00100020": ["CF-{run}-b"], "00100030": ["19800229"], "00100040": ["M"],
        "00200010": ["{run}"], "00201206": [1], "00201208": [1],
    },
    "series": {
        "00080060": ["MR"], "0008103E": ["T1"], "00080201": ["+0100"], "00200011": [1], "00201209": [1],
        "00400244": ["20200201"], "00400245": ["110000"],
    },
    "instances": {
        "00080016": ["1.2.840.10008.5.1.4.1.1.4"], "00080056": ["ONLINE"], "00080201": ["+0100"],
        "00200013": [1], "00280010": [16], "00280011": [16], "00280100": [16],
    },
}  # fmt: skip
_TABLE = {"studies": "10.6.3-3", "series": "10.6.3-4", "instances": "10.6.3-5"}
_LABEL = {"studies": "b", "series": "b1", "instances": "b11"}
_LEVELS = tuple(_TOLD)


def _one(subject: Subject, level: str, query: str = "") -> Item:
    label = _LABEL[level]
    for item in subject.found(level, query):
        if subject.corpus.label_of(item, len(label)) == label:
            return item
    raise AssertionError(f"{label} is not found")


def _tells(level: str, tag: str, wanted: list[Any], subject: Subject) -> None:
    run = subject.corpus.run
    filled = [one.format(run=run) if isinstance(one, str) else one for one in wanted]
    equal(value(_one(subject, level), tag), filled)


def _tells_requests(subject: Subject) -> None:
    told = [
        value(one, "00400009") + value(one, "00401001") for one in value(_one(subject, "series"), "00400275")
    ]
    equal(told, [["SPS1", "RP1"], ["SPS2", "RP2"]])


def _tells_frames(subject: Subject) -> None:
    found = {subject.corpus.label_of(one, 3): one for one in subject.found("instances", "Modality=XC")}
    equal(value(found["c11"], "00280008"), [3])


def _tells_address(level: str, subject: Subject) -> None:
    (address,) = value(_one(subject, level), "00081190")
    answer = subject.get(f"{address}/metadata", JSON)
    status(answer, 200)
    equal([value(one, "00080018") for one in items(answer)], [[subject.corpus.objects["b11"].SOPInstanceUID]])


def _tells_study(tag: str, subject: Subject) -> None:
    equal(value(_one(subject, "series"), tag), value(_one(subject, "studies"), tag))


def _includes(level: str, query: str, wanted: _Values, subject: Subject) -> None:
    item = _one(subject, level, query)
    for tag, values in wanted.items():
        equal(value(item, tag), values)


_DESCRIPTION: _Values = {"00081030": ["Head"]}
_SERIES_TEXT: _Values = {"0008103E": ["T1"]}
_FIELDS: tuple[tuple[str, str, str, _Values], ...] = (
    ("studies", "includefield=StudyDescription", "by keyword", _DESCRIPTION),
    ("studies", "includefield=00081030", "by tag", _DESCRIPTION),
    ("studies", "includefield=00081030%2C00080005", "in a list with a comma encoded", _DESCRIPTION),
    ("studies", "includefield=PatientSex&includefield=00081030", "repeated", _DESCRIPTION),
    ("studies", "includefield=all", "all", _DESCRIPTION),
    ("series", "includefield=SeriesDescription,Manufacturer", "in a list",
     _SERIES_TEXT | {"00080070": ["Scanward"]}),
    ("series", "includefield=all", "all", _SERIES_TEXT | {"00080070": ["Scanward"]}),
    ("instances", "includefield=ImageType,PixelSpacing", "in a list",
     {"00080008": ["ORIGINAL", "PRIMARY", None, "M"], "00280030": [0.5, 1.25]}),
    ("instances", "includefield=all", "all", {"00189073": [12.5]}),
    ("instances", "includefield=00400275.00400009", "of a sequence by path", {}),
    ("studies", "StudyDescription=Head", "as it is a key", _DESCRIPTION),
    ("studies", "StudyDescription=", "as it is a key of universal matching", _DESCRIPTION),
)  # fmt: skip

CHECKS = Checks()
for _level, _tags in _TOLD.items():
    for _tag, _values in _tags.items():
        CHECKS.append(
            Check(
                f"PS3.18 Table {_TABLE[_level]}",
                f"Search of {_level} tells {_tag}",
                partial(_tells, _level, _tag, _values),
            )
        )
    CHECKS.append(
        Check(
            f"PS3.18 Table {_TABLE[_level]}",
            f"Search of {_level} tells a RetrieveURL that retrieves",
            partial(_tells_address, _level),
        )
    )
for _tag in ("0020000D", "00100010", "00100020", "00080020", "00080050"):
    CHECKS.append(
        Check(
            "PS3.18 10.6.3.3.2",
            f"Search of all series tells {_tag} of the study",
            partial(_tells_study, _tag),
        )
    )
for _level, _query, _how, _wanted in _FIELDS:
    CHECKS.append(
        Check(
            "PS3.18 8.3.4.3",
            f"Search of {_level} tells a field asked for {_how}",
            partial(_includes, _level, _query, _wanted),
        )
    )
CHECKS.append(Check("PS3.18 Table 10.6.3-4", "Search of series tells requests", _tells_requests))
CHECKS.append(Check("PS3.18 Table 10.6.3-5", "Search of instances tells NumberOfFrames", _tells_frames))


def _run_of(subject: Subject) -> str:
    return f"StudyID={subject.corpus.run}"


@CHECKS.of("PS3.18 8.3.4.4", "limit and offset give every match once, in one order")
def _pages(subject: Subject) -> None:
    whole = subject.labels("instances")
    paged = [one for at in range(6) for one in subject.labels("instances", f"limit=1&offset={at}")]
    equal(paged, whole)
    equal(len(set(paged)), 6)


@CHECKS.of("PS3.18 8.3.4.4.1", "a cut answer tells by Warning 299 that more is there")
def _cut(subject: Subject) -> None:
    cut = subject.get(f"instances?limit=2&{_run_of(subject)}", JSON)
    equal(len(items(cut)), 2)
    assert cut.headers.get("warning", "").startswith("299 "), "no Warning 299"


@CHECKS.of("PS3.18 8.3.4.4.1", "a last page has no such warning")
def _last(subject: Subject) -> None:
    last = subject.get(f"instances?limit=3&offset=3&{_run_of(subject)}", JSON)
    equal(len(items(last)), 3)
    assert "warning" not in last.headers, "the last page warns of more"


@CHECKS.of("PS3.18 8.3.4.4.1", "an offset behind the last match is answered 204")
def _behind(subject: Subject) -> None:
    status(subject.get(f"instances?offset=100&{_run_of(subject)}", JSON), 204)


@CHECKS.of("PS3.18 8.3.4.4", "a limit beyond what is there gives all")
def _beyond(subject: Subject) -> None:
    equal(len(subject.labels("studies", "limit=500")), 3)


_NOTHING = tuple((level, "PatientID=nobody-of-this-name") for level in _LEVELS)


def _is_204(level: str, query: str, subject: Subject) -> None:
    answer = subject.get(f"{level}?{query}", JSON)
    status(answer, 204)
    equal(answer.content, b"")


for _level, _query in _NOTHING:
    CHECKS.append(
        Check(
            "PS3.18 Table 10.6.3-1",
            f"Search of {_level} without matches is 204 and empty",
            partial(_is_204, _level, _query),
        )
    )


def _is_400(query: str, subject: Subject) -> None:
    status(subject.get(query, JSON), 400)


_UNREADABLE = (
    ("a limit that is no number", "studies?limit=x"),
    ("a limit below nought", "studies?limit=-1"),
    ("an offset that is no number", "studies?offset=x"),
    ("an offset below nought", "instances?offset=-1"),
    ("a date that is none", "studies?StudyDate=soon"),
    ("a range that is none", "studies?StudyDate=20200101-later"),
    ("a time that is none", "studies?StudyTime=noon"),
    ("a UID that is none", "studies?StudyInstanceUID=abc"),
    ("an attribute that is none", "studies?NoSuchAttribute=1"),
    ("a tag that is none", "studies?0010=1"),
    ("a flag that is none", "studies?fuzzymatching=maybe"),
    ("an includefield that is none", "studies?includefield=NoSuchAttribute"),
    ("a path into what is no sequence", "studies?PatientID.PatientName=x"),
)
for _sentence, _query in _UNREADABLE:
    CHECKS.append(Check("PS3.18 Table 10.6.3-1", f"Search with {_sentence} is 400", partial(_is_400, _query)))


def _as_json(accept: str | None, subject: Subject) -> None:
    answer = subject.get(f"studies?{_run_of(subject)}", accept)
    status(answer, 200)
    equal(len(items(answer)), 3)


for _accept, _how in (
    (JSON, "where it is asked for"),
    ("*/*", "where anything will do"),
    ("application/*", "where its kind will do"),
    ("text/html, application/dicom+json;q=0.3", "where only that of two is offered"),
    ('multipart/related; type="application/dicom+xml";q=0.2, application/dicom+json;q=0.9', "by its quality"),
    ('multipart/related; type="application/dicom+xml";q=0, application/dicom+json', "where XML is refused"),
):
    CHECKS.append(
        Check("PS3.18 8.7.5", f"Search is answered in DICOM JSON {_how}", partial(_as_json, _accept))
    )


def _as_xml(path: str, accept: str | None, subject: Subject) -> None:
    answer = subject.get(f"{path}{'&' if '?' in path else '?'}{_run_of(subject)}", accept)
    equal(len(parts(answer, XML)), 3)


for _path, _accept, _how in (
    ("studies", 'multipart/related; type="application/dicom+xml"', "where it is asked for"),
    ("studies", "multipart/related; type=application/dicom+xml", "asked for without quotes"),
    ("studies", 'Multipart/Related; Type="application/dicom+xml"', "asked for in other case"),
    ("studies", f'{JSON};q=0.1, multipart/related; type="application/dicom+xml"', "by its quality"),
    ("studies?accept=multipart/related;%20type=%22application/dicom%2Bxml%22", JSON,
     "by the query, which goes before the header"),
):  # fmt: skip
    CHECKS.append(
        Check("PS3.18 8.7.5", f"Search is answered in XML {_how}", partial(_as_xml, _path, _accept))
    )


def _is_406(path: str, accept: str, subject: Subject) -> None:
    status(subject.get(path, accept), 406)


for _accept in ("text/plain", "image/jpeg", "application/dicom", f"{JSON};q=0"):
    CHECKS.append(
        Check(
            "PS3.18 Table 8.5-1",
            f"Search that takes {_accept} only is 406",
            partial(_is_406, "studies", _accept),
        )
    )


@CHECKS.of("PS3.18 Table 8.5-1", "a method that a resource has not is 405")
def _method(subject: Subject) -> None:
    status(subject.client.put("studies", content=b""), 405)


@CHECKS.of("PS3.18 10.6.3.2", "results that follow one another are of one order")
def _order(subject: Subject) -> None:
    first = subject.labels("studies")
    equal(len(first), 3)
    equal(subject.labels("studies"), first)


@CHECKS.of("PS3.18 8.8.1", "JSON is told in UTF-8, and its media type says so or nothing")
def _utf8(subject: Subject) -> None:
    answer = subject.get(f"studies?{_run_of(subject)}", JSON)
    equal(media_type(answer), JSON)
    assert "王^小東".encode() in answer.content or rb"\u738b" in answer.content, "the name is not told"
    assert answer.charset_encoding in {None, "utf-8", "UTF-8"}, "another charset is named"
