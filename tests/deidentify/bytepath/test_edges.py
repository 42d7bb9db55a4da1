from __future__ import annotations

from pathlib import Path

import pytest

from scanward.deidentify.engine import ENGINE_VERSION, Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import Profile, load
from scanward.dicom.pieces import Span
from scanward.dicom.structure import Bounds
from scanward.errors import InvalidDicom, Quarantined, Unavailable
from tests.deidentify.bytepath.both import SECRET, Both, content
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_LOOKUP_TABLE = 0x00281201
_REFERENCED_IMAGE = 0x00081140
_OVERLAY_BITS = 0x60000102


def _reference(number: int) -> bytes:
    return b.explicit(0x00081155, "UI", b.uid(f"1.2.3.{number}"))


@pytest.fixture
def both() -> Both:
    return Both()


@pytest.mark.parametrize("size", [20_000, 100_000, 2_000_000])
def test_a_long_kept_element_before_the_pixels_is_taken_over_whole(both: Both, size: int) -> None:
    table = bytes(range(250)) * (size // 250)
    raw = b.part10(b.ct({_LOOKUP_TABLE: b.explicit(_LOOKUP_TABLE, "OW", table)}))
    assert not both.assert_alike(raw)
    cleaned = both.quickly(raw).cleaned
    assert cleaned is not None
    assert table in content(cleaned, memoryview(raw))
    spans = [piece for piece in cleaned.pieces if isinstance(piece, Span)]
    assert len(spans) == (2 if size == 2_000_000 else 1)


def test_an_object_with_more_items_than_pydicom_shall_hold_goes_the_byte_path_behind_the_whole_gate() -> None:
    items = b.open_sequence(*(b.item(_reference(number)) for number in range(100)), tag=_REFERENCED_IMAGE)
    raw = b.part10(b.ct({_REFERENCED_IMAGE: items}))
    few = Engine(load("basic"), Keys(SECRET), Bounds(items=200, library_items=50))
    many = Engine(load("basic"), Keys(SECRET))
    view = memoryview(raw)
    assert (
        content(few.clean(view), view) == content(many.clean(view), view) == Both("basic").surely(raw).output
    )
    refusing = Engine(load("basic"), Keys(SECRET), Bounds(items=99))
    with pytest.raises(InvalidDicom):
        refusing.clean(view)


def test_what_is_irregular_inside_an_object_of_many_items_goes_the_pydicom_path_all_the_same() -> None:
    own = b.explicit(b.CHARSET_TAG, "CS", b"ISO_IR 100")
    items = b.sequence(*(b.item(own + _reference(number)) for number in range(60)), tag=_REFERENCED_IMAGE)
    raw = b.part10(b.ct({_REFERENCED_IMAGE: items}))
    engine = Engine(load("basic"), Keys(SECRET), Bounds(library_items=50))
    assert content(engine.clean(memoryview(raw)), memoryview(raw)) == Both("basic").surely(raw).output


def test_an_object_beyond_the_bound_of_size_is_refused() -> None:
    engine = Engine(load("basic"), Keys(SECRET), Bounds(object_bytes=200))
    with pytest.raises(InvalidDicom):
        engine.clean(memoryview(b.part10(b.ct())))


@pytest.mark.parametrize("size", [8, 2 << 20])
def test_padding_behind_the_pixels_goes_whatever_its_length(both: Both, size: int) -> None:
    padding = b.explicit(0xFFFCFFFC, "OB", bytes(size))
    raw = b.part10(b.ct({0xFFFCFFFC: padding}))
    both.assert_alike(raw)
    engine = Engine(load("basic"), Keys(SECRET))
    assert padding not in content(engine.clean(memoryview(raw)), memoryview(raw))


def test_an_overlay_in_the_pixels_is_quarantined_by_both_ways(both: Both) -> None:
    raw = b.part10(b.ct({_OVERLAY_BITS: b.explicit(_OVERLAY_BITS, "US", b.word(12))}))
    assert both.assert_alike(raw) == "Quarantined"
    with pytest.raises(Quarantined):
        Engine(load("basic"), Keys(SECRET)).clean(memoryview(raw))


def test_a_file_that_is_cut_short_while_it_is_read_may_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "object.dcm"
    path.write_bytes(b.part10(b.ct()))
    engine = Engine(load("basic"), Keys(SECRET))
    with path.open("rb") as file, pytest.raises(Unavailable):
        engine.clean_file(file.fileno(), 1 << 20)


def _profiles() -> list[Profile]:
    research = load("research")
    return [
        research.model_copy(update={"retain_uids": True}),
        research.model_copy(update={"overrides": {"StudyInstanceUID": "X", "SeriesInstanceUID": "Z"}}),
        research.preserving(["ReferencedImageSequence", "PatientName", "StudyDate"], force=True),
    ]


@pytest.mark.parametrize("profile", _profiles(), ids=["uids kept", "uids removed", "some preserved"])
def test_unusual_profiles_come_out_alike_both_ways(profile: Profile) -> None:
    both = Both(profile)
    nested = b.sequence(b.item(_reference(1)), tag=_REFERENCED_IMAGE)
    for number in range(4):
        instance = f"1.2.3.4.{number}"
        changes: dict[int, bytes | None] = {
            b.INSTANCE_TAG: b.explicit(b.INSTANCE_TAG, "UI", b.uid(instance)),
            0x00080020: b.explicit(0x00080020, "DA", b"20200131"),
            _REFERENCED_IMAGE: nested,
        }
        assert not both.assert_alike(b.part10(b.ct(changes), head=b.meta(instance=instance)))


def test_sequences_deep_in_each_other_come_out_alike_both_ways() -> None:
    both, nested = Both("research"), _reference(1)
    for depth in range(12):
        nested = b.open_sequence(b.item(nested + b.ITEM_END, b.UNDEFINED), tag=_REFERENCED_IMAGE)
        error = both.assert_alike(b.part10(b.ct({_REFERENCED_IMAGE: nested})))
        assert error == ("" if depth < 9 else "Irregular")


def test_a_private_block_inside_an_item_has_its_own_creators() -> None:
    both = Both("research")
    value = b.explicit(0x00191003, "DS", b"12")
    for creator in (b"GEMS_ACQU_01", b"NOBODY"):
        block = b.item(_reference(1) + b.explicit(0x00190010, "LO", b.even(creator)) + value)
        raw = b.part10(b.ct({_REFERENCED_IMAGE: b.sequence(block, tag=_REFERENCED_IMAGE)}))
        assert not both.assert_alike(raw)
        assert (value in both.quickly(raw).output) is (creator == b"GEMS_ACQU_01")


def test_more_patients_and_kinds_of_objects_than_are_remembered_come_out_alike() -> None:
    both = Both("research")
    for number in range(700):
        patient = b.explicit(b.ID_TAG, "LO", b.even(f"PATIENT{number}".encode()))
        sop_class = f"1.2.840.10008.5.1.4.1.1.2.{number % 70}"
        changes: dict[int, bytes | None] = {
            b.ID_TAG: patient,
            b.CLASS_TAG: b.explicit(b.CLASS_TAG, "UI", b.uid(sop_class if number < 140 else b.CT)),
        }
        head = b.meta(
            sop_class=sop_class if number < 140 else b.CT, extra=b.explicit(0x00020013, "SH", b"%4d" % number)
        )
        raw = b.part10(b.ct(changes), head=head)
        if number % 20 == 0:
            both.assert_alike(raw)
        else:
            both.quickly(raw)


def test_an_engine_says_what_its_outputs_depend_on() -> None:
    engine = Engine(load("basic"), Keys(SECRET))
    assert engine.fingerprint == Keys(SECRET).fingerprint
    others = [
        Engine(load("research"), Keys(SECRET)),
        Engine(load("basic"), Keys(SECRET, "another-project")),
        Engine(load("basic"), Keys(bytes(32))),
        Engine(load("basic"), Keys(SECRET, digits=16)),
    ]
    assert len({one.release for one in (engine, *others)}) == 5
    assert engine.policy_hash != others[0].policy_hash
    assert engine.release == Engine(load("basic"), Keys(SECRET)).release
    assert ENGINE_VERSION
