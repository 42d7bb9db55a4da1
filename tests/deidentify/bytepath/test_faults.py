"""The faults that prototypes of such an engine had, each planted once more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from tests.deidentify.bytepath.both import SECRET, Both, content
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_DATE = 0x00080020
_SIGNATURES, _PADDING = 0xFFFAFFFA, 0xFFFCFFFC
_ICON = 0x00880200
_CT_SLICE = b.INSTANCE


def _object(
    changes: Mapping[int, bytes | None], *, instance: str = _CT_SLICE, syntax: str = b.EXPLICIT
) -> bytes:
    made = {b.INSTANCE_TAG: b.explicit(b.INSTANCE_TAG, "UI", b.uid(instance)), **changes}
    return b.part10(b.ct(made), head=b.meta(syntax, instance=instance))


def _patient(number: str | None) -> bytes | None:
    return None if number is None else b.explicit(b.ID_TAG, "LO", b.even(number.encode()))


def _dated(number: str | None, *, instance: str = _CT_SLICE) -> bytes:
    return _object(
        {_DATE: b.explicit(_DATE, "DA", b"20200610"), b.ID_TAG: _patient(number)}, instance=instance
    )


@pytest.fixture
def both() -> Both:
    return Both()


def test_what_follows_the_pixels_is_processed_and_not_copied_along(both: Both) -> None:
    secret = b.explicit(_SIGNATURES, "SQ", b.item(b.explicit(0x04000100, "UI", b.uid("1.2.3.4.5"))))
    raw = _object({_PADDING: secret + b.explicit(_PADDING, "OB", b"DOE^JANE")})
    assert not both.assert_alike(raw)
    quick = both.quickly(raw)
    assert b"DOE" not in quick.output
    assert b"1.2.3.4.5" not in quick.output
    assert quick.output.endswith(bytes(32))


def test_a_date_offset_is_not_handed_to_the_next_object_without_a_patient_id() -> None:
    both = Both("research")
    dates = {both.read(_dated(number, instance=f"1.2.3.{index}")).StudyDate for index, number in
             enumerate(("A1234", None, "B1234", ""))}  # fmt: skip
    # Without an ID, or with an empty one, the study stands for the patient.
    assert len(dates) == 3
    for number in ("A1234", None, "B1234", ""):
        assert not both.assert_alike(_dated(number))


def test_a_patient_id_behind_the_dates_still_decides_how_they_move() -> None:
    both = Both("research")
    first, again = both.read(_dated("A1234")), Both("research").read(_dated("A1234"))
    assert first.StudyDate == again.StudyDate != "20200610"
    assert both.read(_dated("B1234")).StudyDate != first.StudyDate


@pytest.mark.parametrize("vr", ["UN", "OB"])
def test_a_known_tag_as_un_is_neither_dropped_nor_kept_unseen(both: Both, vr: str) -> None:
    raw = _object({b.NAME_TAG: b.explicit(b.NAME_TAG, vr, b"Doe^Jane")})
    both.assert_alike(raw)
    engine = Engine(load("hipaa-safe-harbor"), Keys(SECRET))
    output = content(engine.clean(memoryview(raw)), memoryview(raw))
    assert b"Doe" not in output
    assert output == both.surely(raw).output
    assert b"\x10\x00\x10\x00" in output


def test_the_file_meta_names_the_same_new_instance_as_the_data_set(both: Both) -> None:
    for number in range(3):
        cleaned = both.read(_object({}, instance=f"1.2.3.4.{10**number}"))
        assert cleaned.file_meta.MediaStorageSOPInstanceUID == cleaned.SOPInstanceUID
        assert cleaned.SOPInstanceUID.startswith("2.25.")


def test_pixels_inside_an_icon_sequence_are_not_taken_for_the_image(both: Both) -> None:
    icon = b.explicit(b.PIXELS_TAG, "OW", b"DOEJANE!")
    raw = _object({_ICON: b.explicit(_ICON, "SQ", b.item(icon))})
    error = both.assert_alike(raw)
    engine = Engine(load("hipaa-safe-harbor"), Keys(SECRET))
    output = content(engine.clean(memoryview(raw)), memoryview(raw))
    assert b"DOEJANE!" not in output
    assert output.endswith(bytes(32))
    assert error in {"", "Irregular"}


def test_the_character_set_of_one_object_does_not_read_the_next() -> None:
    both = Both("research")
    for charset, text in ((b"ISO_IR 100", "Ünal"), (b"ISO_IR 192", "Ünal"), (b"ISO_IR 144", "Юрий")):
        encoding = {b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8", b"ISO_IR 144": "iso8859-5"}[charset]
        comment = b.explicit(0x00204000, "LT", b.even(f"{text} chest".encode(encoding)))
        name = b.explicit(b.NAME_TAG, "PN", b.even(text.encode(encoding)))
        raw = _object(
            {b.CHARSET_TAG: b.explicit(b.CHARSET_TAG, "CS", charset), b.NAME_TAG: name, 0x00204000: comment}
        )
        assert not both.assert_alike(raw)
        assert text.encode(encoding) not in both.quickly(raw).output


def test_private_blocks_are_told_apart_by_their_creators() -> None:
    both = Both("research")
    value = b.explicit(0x00191003, "DS", b"12")
    kept = []
    for creator in (b"NOBODY KNOWS", b"GEMS_ACQU_01", b"NOBODY EITHER"):
        block = b.explicit(0x00190010, "LO", b.even(creator)) + value
        raw = _object({0x00190010: block})
        assert not both.assert_alike(raw)
        kept.append(value in both.quickly(raw).output)
    assert kept == [False, True, False]


def test_odd_lengths_and_group_lengths_come_out_mended(both: Both) -> None:
    odd = _object({0x00081030: b.explicit(0x00081030, "LO", b"CHEST")})
    assert both.assert_alike(odd) == "Irregular"
    grouped = _object({0x00080000: b.explicit(0x00080000, "UL", b"\x10\0\0\0")})
    assert not both.assert_alike(grouped)
    assert b"\x08\x00\x00\x00UL" not in both.quickly(grouped).output


def test_an_identifier_in_a_kept_text_is_found_for_each_patient_anew() -> None:
    both = Both("research")
    for name in (b"Doe^Jane", b"Roe^Rich"):
        raw = _object({
            b.NAME_TAG: b.explicit(b.NAME_TAG, "PN", name),
            0x00081090: b.explicit(0x00081090, "LO", b"Scanner of Jane "),
        })  # fmt: skip
        assert not both.assert_alike(raw)
        assert (b"Jane" in both.quickly(raw).output) is (name == b"Roe^Rich")


def test_one_engine_gives_the_same_output_whatever_it_has_seen_before() -> None:
    seen = Both("research")
    objects = [
        _dated(number, instance=f"1.2.{index}") for index, number in enumerate(("A123", "B123", None) * 3)
    ]
    first = [seen.quickly(raw).output for raw in objects]
    for raw, output in zip(reversed(objects), reversed(first), strict=True):
        assert Both("research").quickly(raw).output == output
        assert seen.quickly(raw).output == output


def test_memories_stay_within_their_bound() -> None:
    both = Both("research")
    for number in range(2000):
        comment = b.explicit(0x00204000, "LT", b.even(f"{number} ".encode() * 2000))
        both.quickly(_object({0x00204000: comment}, instance=f"1.2.3.{number}"))
    held = sum(kind.changer.held for kind in both.bytepath._kinds.values())  # noqa: SLF001 - no door shows it
    assert 0 < held <= 8 << 20
