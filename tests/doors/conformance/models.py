"""Metadata in DICOM JSON and in XML (PS3.18 annex F, PS3.19 A.1)."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from functools import partial
from typing import Any

from tests.doors.conformance.checks import (
    JSON,
    OCTETS,
    XML,
    Check,
    Checks,
    Subject,
    equal,
    items,
    parts,
    status,
)
from tests.doors.conformance.corpus import CREATOR

CHECKS = Checks()
_NAME = {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東", "Phonetic": "わん^しょうとう"}
_MODEL: tuple[tuple[str, str, str, Any], ...] = (
    ("F.2.3", "text is a string", "00080070", {"vr": "LO", "Value": ["Scanward"]}),
    ("F.2.3", "AT is eight hex digits", "00280009", {"vr": "AT", "Value": ["00181063"]}),
    ("F.2.3", "DS is a number", "00280030", {"vr": "DS", "Value": [0.5, 1.25]}),
    ("F.2.3", "IS is a number", "00200013", {"vr": "IS", "Value": [1]}),
    ("F.2.3", "US is a number", "00280010", {"vr": "US", "Value": [16]}),
    ("F.2.3", "UL is a number", "00186050", {"vr": "UL", "Value": [4294967295]}),
    ("F.2.3", "SS is a number", "00189219", {"vr": "SS", "Value": [-5]}),
    ("F.2.3", "FD is a number", "00189073", {"vr": "FD", "Value": [12.5]}),
    ("F.2.3", "FL is a number", "00189461", {"vr": "FL", "Value": [1.5, -2.25]}),
    ("F.2.3", "a date is a string", "00080020", {"vr": "DA", "Value": ["20200131"]}),
    ("F.2.3", "a UID is a string", "00080016", {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.4"]}),
    ("F.2.2", "a name is an object of its groups", "00100010", {"vr": "PN", "Value": [_NAME]}),
    ("F.2.2", "a backslash in a long text parts nothing", "001021B0", {"vr": "LT", "Value": ["one\\two"]}),
    ("F.2.2", "private attributes are told as others", "00091001", {"vr": "LO", "Value": ["private"]}),
    ("F.2.2", "a private creator is told", "00090010", {"vr": "LO", "Value": [CREATOR]}),
    ("F.2.5", "an empty attribute has no value", "00380050", {"vr": "LO"}),
    ("F.2.5", "an empty sequence has no value", "00081032", {"vr": "SQ"}),
    ("F.2.5", "an empty value of several is null", "00080008",
     {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY", None, "M"]}),
    ("F.2.4", "an empty item is an empty object", "00081110", {"vr": "SQ", "Value": [{}]}),
    ("F.2.4", "items are objects of attributes", "00400275", {"vr": "SQ", "Value": [
        {"00400009": {"vr": "SH", "Value": ["SPS1"]}, "00401001": {"vr": "SH", "Value": ["RP1"]}},
        {"00400009": {"vr": "SH", "Value": ["SPS2"]}, "00401001": {"vr": "SH", "Value": ["RP2"]}}]}),
)  # fmt: skip


def _tells(tag: str, wanted: Any, subject: Subject) -> None:  # noqa: ANN401 - any JSON
    equal(subject.metadata("b11").get(tag), wanted)


CHECKS.extend(
    Check(f"PS3.18 {clause}", f"In DICOM JSON {sentence}", partial(_tells, tag, wanted))
    for clause, sentence, tag, wanted in _MODEL
)


@CHECKS.of("PS3.18 F.2.7", "In DICOM JSON short binary values are inline in base64, or by address")
def _inline(subject: Subject) -> None:
    told = subject.metadata("b11")["00091002"]
    equal(told["vr"], "OB")
    if "InlineBinary" in told:
        equal(base64.b64decode(told["InlineBinary"]), b"\x00\x01\x02\x03")
    else:
        equal(subject.get(told["BulkDataURI"], OCTETS).content, b"\x00\x01\x02\x03")


@CHECKS.of("PS3.18 F.2.6", "In DICOM JSON pixel data are told by an address, with their VR")
def _pixels(subject: Subject) -> None:
    told = subject.metadata("a11").get("7FE00010", {})
    equal(sorted(told), ["BulkDataURI", "vr"])
    assert told["vr"] in {"OW", "OB"}, "the VR of pixel data is OB or OW"


@CHECKS.of("PS3.18 F.2.2", "In DICOM JSON attributes stand in the order of their tags, in capitals")
def _ordered(subject: Subject) -> None:
    told = list(subject.metadata("b11"))
    equal(told, sorted(told))
    assert len(told) > 40, "attributes are missing"
    assert all(len(tag) == 8 and tag == tag.upper() for tag in told), "a name is no tag"


@CHECKS.of("PS3.18 F.2.2", "In DICOM JSON no group length and nothing of group 2 is told")
def _no_meta(subject: Subject) -> None:
    told = subject.metadata("b11")
    equal([tag for tag in told if tag.startswith("0002") or tag.endswith("0000")], [])


@CHECKS.of("PS3.18 F.2.1.1", "In DICOM JSON all is UTF-8, and a charset that is told is UTF-8's")
def _utf8(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('b11')}/metadata", JSON)
    (one,) = json.loads(answer.content.decode())
    equal(one.get("00080005", {}).get("Value", ["ISO_IR 192"]), ["ISO_IR 192"])


@CHECKS.of("PS3.18 F.2.1", "In DICOM JSON metadata are an array of objects")
def _array(subject: Subject) -> None:
    answer = subject.get(f"{subject.corpus.path_of('a')}/metadata", JSON)
    status(answer, 200)
    equal([type(one) for one in items(answer)], [dict] * 3)


_NATIVE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"


def _document(subject: Subject) -> ET.Element:
    answer = subject.get(f"{subject.corpus.path_of('b11')}/metadata", f'multipart/related; type="{XML}"')
    ((headers, content),) = parts(answer, XML)
    equal(headers.get("content-type", "").partition(";")[0].strip(), XML)
    return ET.fromstring(content)  # noqa: S314 - of an archive that its tester trusts


def _attribute(subject: Subject, tag: str, creator: str = "") -> ET.Element:
    for one in _document(subject):
        if one.get("tag") == tag and one.get("privateCreator", "") == creator:
            return one
    raise AssertionError(f"{tag} is not told")


@CHECKS.of("PS3.19 A.1.6", "XML is NativeDicomModel in its namespace, of attributes in order")
def _root(subject: Subject) -> None:
    document = _document(subject)
    equal(document.tag, f"{_NATIVE}NativeDicomModel")
    equal({one.tag for one in document}, {f"{_NATIVE}DicomAttribute"})
    assert len(document) > 40, "attributes are missing"


@CHECKS.of("PS3.19 A.1.5.2", "In XML an attribute tells tag, VR and keyword")
def _head(subject: Subject) -> None:
    one = _attribute(subject, "00100020")
    equal((one.get("vr"), one.get("keyword")), ("LO", "PatientID"))


@CHECKS.of("PS3.19 A.1.5.4", "In XML values are numbered from 1, and empty ones left their number")
def _values(subject: Subject) -> None:
    told = {one.get("number"): one.text or "" for one in _attribute(subject, "00080008") if one.text}
    equal(told, {"1": "ORIGINAL", "2": "PRIMARY", "4": "M"})


@CHECKS.of("PS3.19 A.1.5.5", "In XML a name has groups and components")
def _person(subject: Subject) -> None:
    (name,) = _attribute(subject, "00100010")
    equal((name.tag, name.get("number")), (f"{_NATIVE}PersonName", "1"))
    told = {group.tag.removeprefix(_NATIVE): [part.text for part in group] for group in name}
    equal(told, {"Alphabetic": ["Wang", "XiaoDong"], "Ideographic": ["王", "小東"],
                 "Phonetic": ["わん", "しょうとう"]})  # fmt: skip


@CHECKS.of("PS3.19 A.1.5.3", "In XML items are numbered from 1, and empty ones told")
def _items(subject: Subject) -> None:
    requests = list(_attribute(subject, "00400275"))
    equal(
        [(one.tag, one.get("number")) for one in requests], [(f"{_NATIVE}Item", "1"), (f"{_NATIVE}Item", "2")]
    )
    equal([step.text for step in requests[1].iter(f"{_NATIVE}Value")], ["SPS2", "RP2"])
    equal([len(one) for one in _attribute(subject, "00081110")], [0])


@CHECKS.of("PS3.19 A.1.5.2", "In XML a private attribute names its creator")
def _private(subject: Subject) -> None:
    one = _attribute(subject, "00090001", CREATOR)
    equal([value.text for value in one], ["private"])


@CHECKS.of("PS3.19 A.1.5.8", "In XML bulk data are told by an address that gives them")
def _bulk(subject: Subject) -> None:
    (bulk,) = _attribute(subject, "7FE00010")
    equal(bulk.tag, f"{_NATIVE}BulkData")
    answer = subject.get(bulk.get("uri") or "", OCTETS)
    equal(answer.content, subject.corpus.objects["b11"].PixelData)
