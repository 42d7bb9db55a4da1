"""What names somebody only inside a sequence is looked for in the kept texts too, by both engines alike."""

from __future__ import annotations

from collections.abc import Callable

import pydicom.uid
import pytest
from pydicom.dataset import Dataset

from tests.deidentify.bytepath.both import PROFILES, Both
from tests.deidentify.objects import ct, item, part10, sequence

pytestmark = pytest.mark.unit


def _person(name: str, number: str) -> Dataset:
    code = item(CodeValue=number, CodingSchemeDesignator="99HOSP", CodeMeaning=name)
    return item(PersonIdentificationCodeSequence=sequence(code), InstitutionName="Spital Süd")


def _other_ids(dataset: Dataset) -> None:
    dataset.OtherPatientIDsSequence = sequence(item(PatientID="XK-20417", TypeOfPatientID="TEXT"))


def _order(dataset: Dataset) -> None:
    dataset.RequestAttributesSequence = sequence(
        item(RequestedProcedureID="RP998877", AccessionNumber="AN-55120", ScheduledProcedureStepID="SPS31337")
    )  # fmt: skip


def _before(dataset: Dataset) -> None:
    old = item(PatientName="Bellini^Vittoria", PatientID="OLD-66031", PatientBirthDate="19290607")
    change = item(ModifiedAttributesSequence=sequence(old), ReasonForTheAttributeModification="COERCE")
    dataset.OriginalAttributesSequence = sequence(change)


def _physician(dataset: Dataset) -> None:
    dataset.ReferringPhysicianIdentificationSequence = sequence(_person("Wilson James", "PHYS-8812"))


def _operator(dataset: Dataset) -> None:
    dataset.OperatorIdentificationSequence = sequence(_person("Çelik Ayşe", "OP-90817"))


CASES: list[tuple[Callable[[Dataset], None], tuple[str, ...]]] = [
    (_other_ids, ("XK-20417", "xk20417")),
    (_order, ("RP998877", "AN-55120", "SPS31337")),
    (_before, ("Bellini", "VITTORIA", "OLD-66031", "1929-06-07")),
    (_physician, ("Wilson", "PHYS-8812", "Spital Süd")),
    (_operator, ("Çelik", "OP-90817")),
]
SYNTAXES = (pydicom.uid.ExplicitVRLittleEndian, pydicom.uid.ImplicitVRLittleEndian)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
@pytest.mark.parametrize("length", ["undefined", "defined"])
@pytest.mark.parametrize(("fill", "planted"), CASES, ids=lambda one: getattr(one, "__name__", "texts"))
def test_what_stands_only_in_a_sequence_is_in_no_kept_text(
    fill: Callable[[Dataset], None],
    planted: tuple[str, ...],
    length: str,
    syntax: str,
    profile: str,
) -> None:
    dataset = ct(fill)
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = length == "undefined"
    dataset.ProtocolName = f"thorax {planted[0]}"
    dataset.ConvolutionKernel = planted[-1]
    dataset.ImageComments = " ".join(planted)
    both = Both(profile)
    raw = part10(dataset, syntax)
    assert both.assert_alike(raw) == ""
    output = both.quickly(raw).output.decode("utf-8", errors="replace").casefold()
    for one in planted:
        assert one.casefold() not in output


def test_the_same_words_stay_where_no_sequence_names_them() -> None:
    dataset = ct(lambda one: setattr(one, "ConvolutionKernel", "XK-20417"))
    assert Both().read(part10(dataset)).ConvolutionKernel == "XK-20417"
