"""The patient's identifiers in every attribute of the dictionary that can hold a text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from scanward.deidentify import supplement
from tests.deidentify.objects import cleaned, ct, item, joined, part10, sequence

pytestmark = pytest.mark.unit

PLANTED = {
    "AE": "ROSSI",
    "AS": "094Y",
    "CS": "ROSSI",
    "DA": "19310203",
    "DT": "19310203101112",
    "LO": "for Rossi 1.2.3.4.5.6.7.1",
    "LT": "of Giulia, ACC-90210",
    "PN": "Rossi^Giulia",
    "SH": "MRN-4711",
    "ST": "born 1931-02-03",
    "UC": "Rossi",
    "UI": "1.2.3.4.5.6.7.2",
    "UR": "http://pacs/MRN-4711",
    "UT": "Giulia Rossi",
}
NEEDLES = [b"ROSSI", b"GIULIA", b"MRN-4711", b"ACC-90210", b"19310203", b"1931-02-03", b"1.2.3.4.5.6.7."]
# What makes an object what it is, or says how its texts are to be read; `ct` has them.
LEFT_ALONE = {
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
    "Modality",
    "ConversionType",
}
IDENTITY = {
    "AccessionNumber",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
}


def planted_tags() -> Iterator[tuple[int, str]]:
    for tag, (vr, _, _, _, keyword) in sorted(DicomDictionary.items()):
        group = tag >> 16
        if (
            vr in PLANTED
            and 0x0008 <= group < 0x7FE0
            and tag & 0xFFFF
            and keyword not in LEFT_ALONE | IDENTITY
        ):
            if vr == "UI" and tag in supplement.load().class_uids:
                continue
            yield tag, vr


def planted(*, dates: bool) -> Dataset:
    dataset = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag, vr in planted_tags():
            if dates or vr not in {"DA", "DT"}:
                dataset.add_new(tag, vr, PLANTED[vr])
    return dataset


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("name", "dates"),
    [("hipaa-safe-harbor", True), ("research", True), ("basic", True), ("limited-data-set", False)],
)
def test_no_identifier_survives_in_any_attribute(name: str, *, dates: bool, syntax: str) -> None:
    everything = planted(dates=dates)

    def fill(dataset: Dataset) -> None:
        dataset.update(everything)
        dataset.ProcedureCodeSequence = sequence(everything, item(ProcedureCodeSequence=sequence(everything)))

    file = part10(ct(fill), syntax)
    made = joined(cleaned(file, name), file).upper()
    assert [needle for needle in NEEDLES if needle in made] == []
