"""What one object, or many, may make the engine remember and hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deidentify_memory import resident
from scanward.deidentify import datasetpath
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom.pieces import Span
from scanward.dicom.structure import Bounds, check
from scanward.errors import InvalidDicom, Quarantined
from tests.deidentify.bytepath.both import SECRET, Both, content
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_VENDOR = 0x7FD10000
_MANY = 40_000


def _engine(profile: str = "hipaa-safe-harbor") -> Engine:
    return Engine(load(profile), Keys(SECRET))


def _vendor(*texts: bytes) -> dict[int, bytes | None]:
    made = {_VENDOR + 0x1000 + index: text for index, text in enumerate(texts)}
    return {tag: b.explicit(tag, "LO", text) for tag, text in made.items()}


def test_an_object_of_more_headers_than_are_remembered_comes_out_like_any_other() -> None:
    raw = b.part10(b.ct(_vendor(*[b"xy"] * _MANY)))
    view = memoryview(raw)
    plain = b.part10(b.ct())
    engine = _engine()
    expected = content(_engine().clean(memoryview(plain)), memoryview(plain))
    assert content(engine.clean(view), view) == expected
    assert content(engine.clean(view), view) == expected


def test_headers_of_many_objects_may_fill_the_memory_at_any_place() -> None:
    engine = _engine()
    plain = b.part10(b.ct())
    expected = content(_engine().clean(memoryview(plain)), memoryview(plain))
    for number in range(400):
        texts = (b"x" * (2 * ((number * 7 + index * 3) % 500)) for index in range(150))
        view = memoryview(b.part10(b.ct(_vendor(*texts))))
        assert content(engine.clean(view), view) == expected


def test_a_writable_view_is_taken_like_any_other() -> None:
    table = b.explicit(0x00281201, "OW", bytes(1_200_000))
    references = b.open_sequence(b.item(b.explicit(0x00081155, "UI", b.uid("1.2.3"))))
    raw = b.part10(b.ct({0x00281201: table, b.REFERENCED_TAG: references}))
    view, writable = memoryview(raw), memoryview(bytearray(raw))
    assert content(_engine().clean(writable), writable) == content(_engine().clean(view), view)


@pytest.mark.parametrize("vr", ["PN", "US", "AT", "FD", "LO"])
def test_a_character_set_that_is_no_code_string_is_refused_by_both_ways(vr: str) -> None:
    raw = b.part10(b.ct({b.CHARSET_TAG: b.explicit(b.CHARSET_TAG, vr, b"ISO_IR 1")}))
    with pytest.raises(InvalidDicom):
        _engine().clean(memoryview(raw))
    assert Both().quickly(raw).error == "Irregular"


def test_a_character_set_of_an_item_must_be_a_code_string_too() -> None:
    own = b.explicit(b.CHARSET_TAG, "SH", b"ISO_IR 100")
    raw = b.part10(b.ct({b.REFERENCED_TAG: b.sequence(b.item(own))}))
    with pytest.raises(InvalidDicom):
        _engine("research").clean(memoryview(raw))
    both = Both("research")
    with pytest.raises(InvalidDicom):
        datasetpath.clean(memoryview(raw), check(memoryview(raw)), both.policy, both.keys)


_LABEL = 0x00620020  # Tracking ID, UT


def _ut(tag: int, size: int) -> dict[int, bytes | None]:
    return {tag: b.explicit(tag, "UT", b"word " * (size // 5 + size // 5 % 2))}


@pytest.mark.parametrize("profile", ["hipaa-safe-harbor", "research"])
@pytest.mark.parametrize("tag", [_LABEL, 0x00402400, 0x00091010])
def test_a_text_too_long_to_be_read_is_held_back_or_gone_both_ways(tag: int, profile: str) -> None:
    raw = b.part10(b.ct(_ut(tag, 1_200_000)))
    both = Both(profile)
    assert both.assert_alike(raw) in {"", "Quarantined"}
    quick = both.quickly(raw)
    assert b"word" not in quick.output
    if tag == _LABEL:
        assert quick.faults == ("text-too-long",)


def test_a_text_of_the_most_that_is_read_is_read() -> None:
    raw = b.part10(b.ct({_LABEL: b.explicit(_LABEL, "UT", b"word" * (1 << 18))}))
    assert not Both().assert_alike(raw)


def test_large_opaque_values_go_or_stay_without_being_held() -> None:
    made = {0x00091010: b.explicit(0x00091010, "OB", bytes(50 << 20))}
    made[0x00281201] = b.explicit(0x00281201, "OW", bytes(50 << 20))
    raw = b.part10(b.ct(made))
    idle = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    cleaned = _engine().clean(memoryview(raw))
    assert resident("VmHWM") - idle < 40 << 20
    assert sum(piece.length for piece in cleaned.pieces if isinstance(piece, Span)) >= 50 << 20


def test_a_large_header_that_needs_pydicom_is_refused_by_name() -> None:
    odd = {b.SERIES_TAG: b.explicit(b.SERIES_TAG, "UI", b.uid("1.2.03"))}
    odd[0x00281201] = b.explicit(0x00281201, "OW", bytes(2 << 20))
    engine = Engine(load("basic"), Keys(SECRET), Bounds(library_header_bytes=1 << 20))
    with pytest.raises(Quarantined) as caught:
        engine.clean(memoryview(b.part10(b.ct(odd))))
    assert [fault.rule for fault in caught.value.faults] == ["header-too-long"]


def test_a_long_deflated_data_set_is_refused_by_the_engine_alone() -> None:
    table = b.explicit(0x00281201, "OW", bytes(range(256)) * 40)
    raw = b.part10(b.deflate(b.ct({0x00281201: table})), b.DEFLATED)
    check(memoryview(raw))
    with pytest.raises(InvalidDicom) as caught:
        Engine(load("basic"), Keys(SECRET), Bounds(library_bytes=10_000)).clean(memoryview(raw))
    assert [fault.rule for fault in caught.value.faults] == ["inflate-bound"]
