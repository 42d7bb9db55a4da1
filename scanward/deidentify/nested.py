"""Identifiers that stand only inside sequences: other IDs, orders, people, what attributes were before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_sequence

from scanward.deidentify import subjects
from scanward.deidentify.charset import Charsets, charsets_of, values_at_any_price
from scanward.deidentify.policy import vr_of
from scanward.deidentify.writer import Writer
from scanward.dicom import tokenizer

SEQUENCES = frozenset({
    0x00080096,  # ReferringPhysicianIdentificationSequence
    0x0008009D,  # ConsultingPhysicianIdentificationSequence
    0x00081049,  # PhysiciansOfRecordIdentificationSequence
    0x00081052,  # PerformingPhysicianIdentificationSequence
    0x00081062,  # PhysiciansReadingStudyIdentificationSequence
    0x00081072,  # OperatorIdentificationSequence
    0x00101002,  # OtherPatientIDsSequence
    0x00321031,  # RequestingPhysicianIdentificationSequence
    0x0040000B,  # ScheduledPerformingPhysicianIdentificationSequence
    0x00400275,  # RequestAttributesSequence
    0x0040A073,  # VerifyingObserverSequence
    0x0040A078,  # AuthorObserverSequence
    0x04000561,  # OriginalAttributesSequence
})  # fmt: skip

_CHARSET = 0x00080005
_CODE_VALUE, _CODE_MEANING = 0x00080100, 0x00080104
_PERSON_CODE = 0x00401101
_NAMED = frozenset({0x0040A075, 0x0040A123})  # VerifyingObserverName, PersonName
_OTHER_IDS, _OTHER_NAMES = 0x00101000, 0x00101001
_IDENTITY = frozenset({subjects.PATIENT_ID, subjects.STUDY_UID, subjects.SERIES_UID})

Values = Mapping[int, tuple[str, ...]]
Found = tuple[int, tuple[str, ...]]


def with_nested(values: Values, found: Iterable[Found]) -> dict[int, tuple[str, ...]]:
    """Return top-level values by tag with those of sequences behind them.

    Whose object it is, the top level alone says: an identity in a sequence is one more number or name.
    """
    joined = dict(values)
    for tag, more in found:
        joined[tag] = (*joined.get(tag, ()), *more)
    return joined


def in_bytes(raw: bytes, charsets: Charsets, *, explicit: bool) -> Iterator[Found]:
    """Yield what names somebody in a little endian sequence: a whole element that passed the gate."""
    view = memoryview(raw)
    waiting = list(tokenizer.elements(view, 0, len(view), explicit))
    while waiting:
        sequence = waiting.pop()
        for item in tokenizer.items(view, sequence, explicit):
            for one in tokenizer.elements(view, item.value, item.stop, explicit):
                if tokenizer.is_sequence(view, one):
                    waiting.append(one)
                else:
                    yield from _of(one.tag, bytes(view[one.value : one.stop]), charsets, sequence.tag)


def in_dataset(dataset: Dataset, charsets: Charsets, writer: Writer) -> Iterator[Found]:
    """Yield the same of a data set that pydicom has read, in any coding; it stays as it was read."""
    for tag in sorted(SEQUENCES.intersection(dataset.keys())):
        yield from _in_items(dataset, tag, charsets, writer)


def items_of(dataset: Dataset, tag: int, writer: Writer, *, implicit: bool) -> Sequence[Dataset]:
    """Return a sequence's items without a change to the data set."""
    element = dataset.get_item(tag, keep_deferred=True)
    if not isinstance(element, RawDataElement):
        return list(element.value or ()) if element is not None else ()
    raw = element.value or b""
    return list(read_sequence(BytesIO(raw), implicit, writer.little_endian, len(raw), "iso8859"))


def _in_items(dataset: Dataset, sequence: int, charsets: Charsets, writer: Writer) -> Iterator[Found]:
    """Recursive, so only behind the gate (64 levels)."""
    element = dataset.get_item(sequence, keep_deferred=True)
    implicit = not writer.explicit or (element is not None and element.VR == "UN")
    for item in items_of(dataset, sequence, writer, implicit=implicit):
        own = charsets_of(_bytes(item, _CHARSET), charsets) if _CHARSET in item else charsets
        for tag in item.keys():  # noqa: SIM118 - a Dataset iterates over decoded elements
            raw = _bytes(item, tag)
            if raw is None or vr_of(tag, "") == "SQ":
                yield from _in_items(item, tag, own, writer)
            else:
                yield from _of(tag, raw, own, sequence)


def _bytes(item: Dataset, tag: int) -> bytes | None:
    element = item.get_item(tag, keep_deferred=True)
    return element.value or b"" if isinstance(element, RawDataElement) else None


def _of(tag: int, raw: bytes, charsets: Charsets, sequence: int) -> Iterator[Found]:
    to = _place_of(tag, sequence)
    if to and (values := values_at_any_price(raw, vr_of(tag, ""), charsets)):
        yield to, values


def _place_of(tag: int, sequence: int) -> int:
    """Return the top-level attribute that a nested value is treated like, 0 for one that names nobody."""
    if sequence == _PERSON_CODE:
        return {_CODE_VALUE: subjects.WEAK_ID, _CODE_MEANING: _OTHER_NAMES}.get(tag, 0)
    if tag in _IDENTITY:
        return _OTHER_IDS
    if tag in _NAMED:
        return _OTHER_NAMES
    return tag if tag in subjects.TAGS and tag != subjects.ISSUER else 0
