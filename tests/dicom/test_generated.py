from __future__ import annotations

import warnings
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from scanward.dicom import tokenizer
from scanward.dicom.instance import describe
from scanward.dicom.parser import DICOMParser
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom
from tests.dicom.differences import by_pydicom, by_tokenizer
from tests.dicom.generated import datasets, write
from tests.dicom.real import content
from tests.hostile import build as b

pytestmark = pytest.mark.unit

SYNTAXES = st.sampled_from([b.EXPLICIT, b.IMPLICIT, b.BIG, b.DEFLATED])
_slow = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@_slow
@given(datasets(), SYNTAXES)
def test_tokenizer_and_pydicom_read_whatever_pydicom_writes_alike(dataset: Dataset, syntax: str) -> None:
    view = write(dataset, syntax)
    assert by_tokenizer(view) == by_pydicom(view)


@_slow
@given(datasets(), st.sampled_from([b.EXPLICIT, b.IMPLICIT, b.BIG]), st.data())
def test_a_generated_object_cut_inside_an_element_is_refused(
    dataset: Dataset, syntax: str, data: st.DataObject
) -> None:
    view = write(dataset, syntax)
    structure = check(view)
    element = data.draw(st.sampled_from(list(tokenizer.top_level(view, structure))))
    cut = data.draw(st.integers(element.start + 1, element.end - 1))
    assume(any(view[element.start : cut]))  # zero bytes behind the last element are taken, with a warning
    with pytest.raises(InvalidDicom):
        check(view[:cut])


@_slow
@given(
    st.sampled_from(["CT_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm", "test-SR.dcm", "JPEG2000.dcm"]),
    st.lists(st.tuples(st.integers(0, 6_000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
)
def test_changed_bytes_of_real_files_are_passed_or_refused_and_what_passes_can_be_read(
    name: str, changes: list[tuple[int, bytes]]
) -> None:
    changed = bytearray(content(name)[:])
    for at, new in changes:
        changed[at : at + len(new)] = new
    with suppress(InvalidDicom), warnings.catch_warnings():
        warnings.simplefilter("error")
        view = memoryview(bytes(changed))
        structure = check(view)
        describe(view, structure)
        for attribute in tokenizer.walk(view, structure):
            assert len(attribute.value) <= len(view)
        DICOMParser().parse_bytes(bytes(changed))
