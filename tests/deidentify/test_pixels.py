from __future__ import annotations

import pytest

from scanward.deidentify import pixels
from tests.deidentify.objects import CT, MR

pytestmark = pytest.mark.unit

LITTLE = "1.2.840.10008.1.2.1"
ROOT = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize(
    ("found", "rule"),
    [
        ({"SOPClassUID": CT, "Modality": "CT"}, "cross-section"),
        ({"SOPClassUID": CT, "BurnedInAnnotation": "NO"}, "cross-section"),
        ({"SOPClassUID": CT, "BurnedInAnnotation": "YES "}, "burned-in-stated"),
        ({"SOPClassUID": CT, "ImageType": "DERIVED\\SECONDARY\\SCREEN SAVE"}, "screen-capture-type"),
        ({"SOPClassUID": CT, "ImageType": "DERIVED\\SECONDARY\\MPR"}, "cross-section"),
        ({"SOPClassUID": CT, "ConversionType": "WSD"}, "converted"),
        ({"SOPClassUID": CT, "SamplesPerPixel": "3"}, "colour-screen"),
        ({"SOPClassUID": CT, "Modality": "OT"}, "capturing-modality"),
        ({"SOPClassUID": MR, pixels.EMBEDDED_OVERLAY: ""}, "overlay-in-pixels"),
        ({"SOPClassUID": MR, "EncapsulatedDocument": ""}, "encapsulated-document-inside"),
        ({"SOPClassUID": MR, "ContentSequence": ""}, "content-items"),
        ({"SOPClassUID": MR, "WaveformSequence": ""}, "waveform-inside"),
        ({"SOPClassUID": ROOT + "128"}, "cross-section"),
        ({"SOPClassUID": ROOT + "20"}, "nuclear-medicine"),
        ({"SOPClassUID": ROOT + "481.3"}, "radiotherapy"),
        ({"SOPClassUID": ROOT + "66.4"}, "derived"),
        ({"SOPClassUID": ROOT + "66"}, "raw"),
        ({"SOPClassUID": ROOT + "104.1"}, "encapsulated-document"),
        ({"SOPClassUID": ROOT + "88.33"}, "structured-report"),
        ({"SOPClassUID": ROOT + "9.4.1"}, "waveform"),
        ({"SOPClassUID": ROOT + "6.1", "BurnedInAnnotation": "NO"}, "ultrasound"),
        ({"SOPClassUID": ROOT + "7.4"}, "secondary-capture"),
        ({"SOPClassUID": ROOT + "77.1.4"}, "visible-light"),
        ({"SOPClassUID": ROOT + "78.1"}, "ophthalmic-measurement"),
        ({"SOPClassUID": ROOT + "1.1", "BurnedInAnnotation": "NO"}, "projection-cleared"),
        ({"SOPClassUID": ROOT + "1"}, "projection-unstated"),
        ({"SOPClassUID": ROOT + "11.1"}, "presentation-state"),
        ({"SOPClassUID": ROOT + "11.1", "GraphicAnnotationSequence": ""}, "graphic-annotation"),
        ({"SOPClassUID": "1.3.12.2.1107.5.9.1"}, "class-unknown"),
        ({}, "class-unknown"),
    ],
)
def test_the_first_rule_that_holds_decides(found: dict[str, str], rule: str) -> None:
    assert pixels.decide(found, LITTLE).id == rule


def test_video_is_known_by_its_transfer_syntax() -> None:
    assert pixels.decide({"SOPClassUID": CT}, "1.2.840.10008.1.2.4.102").id == "video"


def test_a_quarantine_names_its_rule_and_says_why() -> None:
    fault = pixels.risk({"SOPClassUID": ROOT + "6.1"}, LITTLE)
    assert fault is not None
    assert (fault.rule, fault.clause) == ("ultrasound", "PS3.15 E.3.1")
    assert pixels.risk({"SOPClassUID": CT}, LITTLE) is None


def test_every_rule_has_an_id_of_its_own_and_a_sentence() -> None:
    rules = pixels.risks()
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.says.endswith(".") for rule in rules)
    assert rules[-1].quarantines


def test_an_overlay_in_the_pixels_is_known_by_its_bit() -> None:
    assert pixels.is_embedded_overlay(0x60020102, 12)
    assert not pixels.is_embedded_overlay(0x60020102, 0)
    assert not pixels.is_embedded_overlay(0x60020100, 12)
