"""Data sets that hypothesis makes up: nested, private, unknown, empty, of defined and undefined lengths."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO

from hypothesis import strategies as st
from pydicom import Dataset, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from tests.hostile import build as b

_LETTERS = st.text("ABC xyz^=\\123", max_size=20)
_VALUES: dict[str, st.SearchStrategy[object]] = {
    "LO": _LETTERS,
    "PN": _LETTERS,
    "UT": st.text("abc\n", max_size=300),
    "UC": _LETTERS,
    "UR": st.just("https://example.org/a"),
    "DA": st.sampled_from(["", "20240229"]),
    "DS": st.sampled_from(["", "1.5", "1\\2\\3"]),
    "US": st.lists(st.integers(0, 65535), max_size=3),
    "SV": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
    "FD": st.lists(st.floats(allow_nan=False), max_size=2),
    "AT": st.lists(st.integers(0, 0xFFFFFFFF), max_size=2),
    "OB": st.binary(max_size=64).filter(lambda raw: len(raw) % 2 == 0),
    "OW": st.binary(max_size=64).filter(lambda raw: len(raw) % 2 == 0),
    "UN": st.binary(max_size=64).filter(lambda raw: len(raw) % 2 == 0),
}
# The standard has no group 0090: nothing there decides how pydicom reads a value.
_PLAIN = st.tuples(st.integers(0x00900000, 0x0090FFFF), st.sampled_from(sorted(_VALUES)))
_PRIVATE = st.tuples(st.integers(0x00911000, 0x009110FF), st.sampled_from(sorted(_VALUES)))


@st.composite
def _element(draw: Callable[..., object]) -> DataElement:
    place: tuple[int, str] = draw(st.one_of(_PLAIN, _PRIVATE))  # type: ignore[assignment]  # what the strategies hold
    return DataElement(place[0], place[1], draw(_VALUES[place[1]]))


def _with_sequences(children: st.SearchStrategy[Dataset]) -> st.SearchStrategy[Dataset]:
    @st.composite
    def make(draw: Callable[..., object]) -> Dataset:
        made = draw(_flat())
        assert isinstance(made, Dataset)
        for tag in draw(st.lists(st.sampled_from([0x00720080, 0x00081140, 0x00911050]), unique=True)):  # type: ignore[attr-defined]  # a drawn list
            items = draw(st.lists(children, max_size=3))
            sequence = DataElement(tag, "SQ", Sequence(items))  # type: ignore[arg-type]  # a drawn list
            sequence.is_undefined_length = bool(draw(st.booleans()))
            for item in sequence.value:
                item.is_undefined_length_sequence_item = bool(draw(st.booleans()))
            made[tag] = sequence
        return made

    return make()


@st.composite
def _flat(draw: Callable[..., object]) -> Dataset:
    made = Dataset()
    for element in draw(st.lists(_element(), max_size=6)):  # type: ignore[attr-defined]  # a drawn list
        made[element.tag] = element
    if any(element.tag.is_private for element in made) or draw(st.booleans()):
        made.add_new(0x00910010, "LO", "SCANWARD TEST")
    return made


def datasets() -> st.SearchStrategy[Dataset]:
    """Return data sets of at most a few levels."""
    return st.recursive(_flat(), _with_sequences, max_leaves=8)


def write(dataset: Dataset, syntax: str) -> memoryview:
    """Return the object as pydicom writes it, a report by its SOP class."""
    dataset.SOPClassUID = UID(b.REPORT)
    dataset.SOPInstanceUID = UID(b.INSTANCE)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(file, dataset, enforce_file_format=True)
    return memoryview(file.getvalue())
