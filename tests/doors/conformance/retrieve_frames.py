"""Frames, bulk data and pixel data (PS3.18 8.7.3.4, 10.4.1.1.5, 10.4.1.1.6)."""

from __future__ import annotations

from functools import partial

from tests.doors.conformance.checks import (
    JSON,
    OCTETS,
    Check,
    Checks,
    Subject,
    equal,
    media_type,
    parts,
    status,
)
from tests.doors.conformance.corpus import EXPLICIT, LOOKUP, RLE, frame_of

CHECKS = Checks()
RELATED = f'multipart/related; type="{OCTETS}"'
STAR = f"multipart/related; type={OCTETS}; transfer-syntax=*"


def _frames(label: str, numbers: str, accept: str | None, subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of(label)}/frames/{numbers}", accept)
    found = parts(answer, OCTETS)
    equal([content for _, content in found], [frame_of(int(one)) for one in numbers.split(",")])
    for headers, _ in found:
        equal(headers.get("content-type", "").partition(";")[0].strip(), OCTETS)


for _numbers, _accept, _how in (
    ("1", RELATED, "the first"),
    ("3", RELATED, "the last"),
    ("1,2,3", RELATED, "all in a list"),
    ("3,1", RELATED, "in the order of the list"),
    ("2", STAR, "of any transfer syntax, as viewers ask"),
    ("2", f'{RELATED}; transfer-syntax="{EXPLICIT}"', "of a transfer syntax by name"),
    ("2", "*/*", "where anything will do"),
    ("1%2C2".replace("%2C", ","), f"{STAR}, image/jpeg;q=0.1", "by quality"),
):
    CHECKS.append(
        Check("PS3.18 10.4.1.1.6", f"Frames come {_how}", partial(_frames, "c11", _numbers, _accept))
    )


@CHECKS.of("PS3.18 10.4.1.1.6", "A list of frames with its commas encoded is a list")
def _encoded(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('c11')}/frames/1%2C3", RELATED)
    equal([content for _, content in parts(answer, OCTETS)], [frame_of(1), frame_of(3)])


@CHECKS.of("PS3.18 10.4.1.1.6", "The one frame of an image without NumberOfFrames is its pixels")
def _only(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('a11')}/frames/1", RELATED)
    equal([content for _, content in parts(answer, OCTETS)], [subject.corpus.objects["a11"].PixelData])


@CHECKS.of("PS3.18 8.7.3.5.2", "Compressed frames come as they are stored where any transfer syntax will do")
def _as_stored(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('c21')}/frames/1,3", f"{STAR}, image/dicom-rle;q=0.1")
    told = answer.headers.get("content-type", "")
    found = parts(answer, "image/dicom-rle" if "dicom-rle" in told else OCTETS)
    equal(len(found), 2)
    for headers, content in found:
        assert RLE in headers.get("content-type", ""), "the part does not name its transfer syntax"
        # The header of an RLE segment begins with the number of segments (PS3.5 G.5).
        equal(content[:4], (1).to_bytes(4, "little"))


def _decoded(accept: str, subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('c21')}/frames/2", accept)
    equal([content for _, content in parts(answer, OCTETS)], [frame_of(2)])


for _accept, _how in (
    (f"{RELATED}; transfer-syntax={EXPLICIT}", "where it is asked for"),
    (RELATED, "where no transfer syntax is named, for it is the default"),
):
    CHECKS.append(
        Check("PS3.18 8.7.3.3", f"Compressed frames come decoded {_how}", partial(_decoded, _accept))
    )


@CHECKS.of("PS3.18 Table 8.7.3-5", "RLE frames come as image/dicom-rle")
def _rle(subject: Subject) -> None:
    accept = 'multipart/related; type="image/dicom-rle"'
    found = parts(subject.get(f"{subject.corpus.path_of('c21')}/frames/1", accept), "image/dicom-rle")
    equal(found[0][1][:4], (1).to_bytes(4, "little"))


@CHECKS.of("PS3.18 8.7.3.1", "A frame comes as a single part where it is asked for")
def _single(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('c11')}/frames/2", OCTETS)
    status(answer, 200)
    equal(media_type(answer), OCTETS)
    equal(answer.content, frame_of(2))


def _uri(subject: Subject, label: str, tag: str) -> str:
    told = subject.metadata(label).get(tag, {})
    assert "BulkDataURI" in told, f"{tag} has no BulkDataURI"
    return str(told["BulkDataURI"])


@CHECKS.of("PS3.18 10.4.1.1.5", "Pixel data come by the address that the metadata tell")
def _pixels(subject: Subject) -> None:
    address = _uri(subject, "a11", "7FE00010")
    equal([content for _, content in parts(subject.get(address, RELATED), OCTETS)],
          [subject.corpus.objects["a11"].PixelData])  # fmt: skip


@CHECKS.of("PS3.18 10.4.1.1.5", "A private value comes by the address that the metadata tell")
def _private(subject: Subject) -> None:
    address = _uri(subject, "b11", "00091003")
    equal([content for _, content in parts(subject.get(address, RELATED), OCTETS)], [LOOKUP])


@CHECKS.of("PS3.18 8.7.3.1", "Bulk data come as a single part where they are asked for")
def _single_bulk(subject: Subject) -> None:
    answer = subject.get(_uri(subject, "b11", "00091003"), OCTETS)
    status(answer, 200)
    equal(media_type(answer), OCTETS)
    equal(answer.content, LOOKUP)


@CHECKS.of("PS3.18 Table 10.4.3-1", "Bulk data as text is 406")
def _as_text(subject: Subject) -> None:
    status(subject.get(_uri(subject, "a11", "7FE00010"), "text/plain"), 406)


@CHECKS.of("PS3.18 Table 10.4.1-6", "An instance's pixel data come by their own path")
def _pixel_data(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('a11')}/pixeldata", RELATED)
    equal([content for _, content in parts(answer, OCTETS)], [subject.corpus.objects["a11"].PixelData])


@CHECKS.of("PS3.18 10.4.4", "Metadata at each level tell every instance once")
def _metadata(subject: Subject) -> None:
    for label, names in (("a", ["a11", "a12", "a21"]), ("a1", ["a11", "a12"]), ("a11", ["a11"])):
        answer = subject.get(f"{subject.corpus.path_of(label)}/metadata", JSON)
        status(answer, 200)
        told = sorted(one["00080018"]["Value"][0] for one in answer.json())
        equal(told, sorted(subject.corpus.objects[name].SOPInstanceUID for name in names))
