"""Studies, series and instances as DICOM objects (PS3.18 8.7, 10.4)."""

from __future__ import annotations

from functools import partial

from tests.doors.conformance.checks import (
    DICOM,
    JSON,
    Check,
    Checks,
    Subject,
    equal,
    media_type,
    parts,
    status,
)
from tests.doors.conformance.corpus import EXPLICIT, RLE, read

CHECKS = Checks()
RELATED = f'multipart/related; type="{DICOM}"'
STAR = f"{RELATED}; transfer-syntax=*"
_LEVELS = {"a": "a study", "a1": "a series", "a11": "an instance"}
_OF = {"a": ["a11", "a12", "a21"], "a1": ["a11", "a12"], "a11": ["a11"]}


def _whole(label: str, accept: str | None, subject: Subject) -> None:
    found = parts(subject.get(subject.corpus.path_of(label), accept), DICOM)
    given = {one.SOPInstanceUID: one for one in (read(content) for _, content in found)}
    wanted = {subject.corpus.objects[name].SOPInstanceUID: name for name in _OF[label]}
    equal(sorted(given), sorted(wanted))
    for uid, name in wanted.items():
        # The group length is none of the data set's; all other attributes and the pixels are.
        equal(given[uid].to_json_dict(), read(subject.corpus.bytes_of(name)).to_json_dict())


def _part_types(label: str, subject: Subject) -> None:
    for headers, _ in parts(subject.get(subject.corpus.path_of(label), STAR), DICOM):
        equal(headers.get("content-type", "").partition(";")[0].strip(), DICOM)


for _label, _what in _LEVELS.items():
    for _clause, _accept, _how in (
        ("PS3.18 10.4.4", RELATED, "where it is asked for"),
        ("PS3.18 8.7.3.5.2", STAR, "of any transfer syntax"),
        ("PS3.18 8.7.3.5.2", f'{RELATED}; transfer-syntax="{EXPLICIT}"', "of a quoted transfer syntax"),
        ("PS3.18 8.7.3.5.2", f"{RELATED}; transfer-syntax={EXPLICIT}", "of a transfer syntax without quotes"),
        ("PS3.18 8.7.5", "*/*", "where anything will do"),
        ("PS3.18 8.7.5", f"text/html, {RELATED};q=0.1", "where only that of two is offered"),
        ("PS3.18 8.7.5", f"multipart/related; type={DICOM}", "asked for without quotes"),
    ):
        CHECKS.append(
            Check(
                _clause,
                f"{_what.capitalize()} comes as parts of DICOM, complete, {_how}",
                partial(_whole, _label, _accept),
            )
        )
    CHECKS.append(
        Check(
            "PS3.18 8.6.1.2",
            f"Each part of {_what} has its Content-Type",
            partial(_part_types, _label),
        )
    )


@CHECKS.of("PS3.18 8.3.3.1", "An instance comes as the accept parameter asks, whatever the header takes")
def _by_query(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('a11')}?accept=application/dicom", "text/plain")
    status(answer, 200)
    equal(media_type(answer), DICOM)


@CHECKS.of(
    "PS3.18 8.7.3.5.2", "A compressed instance comes as it is stored where any transfer syntax will do"
)
def _as_stored(subject: Subject) -> None:
    ((_, content),) = parts(subject.get(subject.corpus.path_of("c21"), STAR), DICOM)
    one = read(content)
    equal(str(one.file_meta.TransferSyntaxUID), RLE)
    equal(one.PixelData, subject.corpus.objects["c21"].PixelData)


def _decoded(accept: str, subject: Subject) -> None:
    ((_, content),) = parts(subject.get(subject.corpus.path_of("c21"), accept), DICOM)
    one = read(content)
    equal(str(one.file_meta.TransferSyntaxUID), EXPLICIT)
    equal(one.PixelData, subject.corpus.objects["c11"].PixelData)


for _accept, _how in (
    (f"{RELATED}; transfer-syntax={EXPLICIT}", "where it is asked for"),
    (RELATED, "where none is named, for it is the default"),
):
    CHECKS.append(
        Check(
            "PS3.18 8.7.3.2",
            f"A compressed instance comes in Explicit VR Little Endian {_how}",
            partial(_decoded, _accept),
        )
    )


@CHECKS.of("PS3.18 8.7.3.1", "An instance comes as a single part where it is asked for")
def _single(subject: Subject) -> None:
    answer = subject.get(subject.corpus.path_of("a11"), DICOM)
    status(answer, 200)
    equal(media_type(answer), DICOM)
    equal(read(answer.content), read(subject.corpus.bytes_of("a11")))


def _is(wanted: int, path: str, accept: str, subject: Subject) -> None:
    filled = path.format(a=subject.corpus.path_of("a"), a1=subject.corpus.path_of("a1"),
                         a11=subject.corpus.path_of("a11"), b11=subject.corpus.path_of("b11"),
                         uid=subject.corpus.objects["b11"].SOPInstanceUID)  # fmt: skip
    status(subject.get(filled, accept), wanted)


_FRAMES = "multipart/related; type=application/octet-stream; transfer-syntax=*"
_REFUSED = (
    (404, "A study that is not there", "studies/1.2.3.4", STAR),
    (404, "A series that is not there", "{a}/series/1.2.3.4", STAR),
    (404, "An instance that is not there", "{a1}/instances/1.2.3.4", STAR),
    (404, "An instance of another series", "{a1}/instances/{uid}", STAR),
    (404, "The metadata of a study that is not there", "studies/1.2.3.4/metadata", JSON),
    (404, "The metadata of a series that is not there", "{a}/series/1.2.3.4/metadata", JSON),
    (404, "The metadata of an instance that is not there", "{a1}/instances/1.2.3.4/metadata", JSON),
    (404, "A frame of an instance that is not there", "{a1}/instances/1.2.3.4/frames/1", _FRAMES),
    (404, "A frame behind the last", "{a11}/frames/2", _FRAMES),
    (400, "A frame that is no number", "{a11}/frames/one", _FRAMES),
    (400, "A list of frames with a gap", "{a11}/frames/1,,1", _FRAMES),
    (406, "A study as text", "{a}", "text/plain"),
    (406, "A series as text", "{a1}", "text/plain"),
    (406, "An instance as text", "{a11}", "text/plain"),
    (406, "Metadata as text", "{a11}/metadata", "text/plain"),
    (406, "Frames as text", "{a11}/frames/1", "text/plain"),
    (406, "A study that is refused by its quality", "{a}", f"{RELATED};q=0"),
    (406, "An instance in a transfer syntax that is none", "{a11}", f"{RELATED}; transfer-syntax=1.2.3.4"),
    (406, "Frames in a transfer syntax that is none", "{a11}/frames/1",
     "multipart/related; type=application/octet-stream; transfer-syntax=1.2.3.4"),
)  # fmt: skip
for _status, _what, _path, _accept in _REFUSED:
    CHECKS.append(
        Check("PS3.18 Table 10.4.3-1", f"{_what} is {_status}", partial(_is, _status, _path, _accept))
    )


@CHECKS.of("PS3.18 8.6.3", "An error is told in words")
def _payload(subject: Subject) -> None:
    answer = subject.get("studies/1.2.3.4", STAR)
    status(answer, 404)
    assert answer.content, "the answer is empty"
    assert "content-type" in answer.headers, "the answer's Content-Type is missing"


@CHECKS.of("RFC 9110 9.3.2", "HEAD tells of a single part what GET tells, without a body")
def _head(subject: Subject) -> None:
    head = subject.client.head(subject.corpus.path_of("a11"), headers={"Accept": DICOM})
    status(head, 200)
    equal(head.content, b"")
    equal(head.headers.get("content-length"), str(len(subject.corpus.bytes_of("a11"))))


@CHECKS.of("RFC 9110 13.1.2", "What a client has by its ETag is not sent again")
def _etag(subject: Subject) -> None:
    for path, accept in (
        (subject.corpus.path_of("a11"), DICOM),
        (f"{subject.corpus.path_of('a')}/metadata", JSON),
    ):
        tag = subject.get(path, accept).headers.get("etag", "")
        assert tag, "no ETag"
        status(subject.get(path, accept, If_None_Match=tag), 304)
        status(subject.get(path, accept, If_None_Match='"another"'), 200)


@CHECKS.of("RFC 9110 14.2", "A part of a single part comes by Range")
def _range(subject: Subject) -> None:
    whole = subject.corpus.bytes_of("a11")
    some = subject.get(subject.corpus.path_of("a11"), DICOM, Range="bytes=100-199")
    status(some, 206)
    equal(some.content, whole[100:200])
    equal(some.headers.get("content-range"), f"bytes 100-199/{len(whole)}")


@CHECKS.of("RFC 9110 15.5.17", "A range behind the end is 416")
def _beyond(subject: Subject) -> None:
    status(subject.get(subject.corpus.path_of("a11"), DICOM, Range="bytes=9999999-"), 416)
