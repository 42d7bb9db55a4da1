"""Data sets made by hypothesis, in every profile: both ways give the same bytes."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanward.dicom.structure.coding import VRS
from tests.deidentify.bytepath.both import PROFILES, Both
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_TEXT = st.text("AbDe^=019. -\\é", max_size=12)
_SAMPLES: dict[str, st.SearchStrategy[bytes]] = {
    "DA": st.sampled_from([b"", b"20200131", b"19991231", b"2020", b"20200131\\20200201 ", b"        "]),
    "TM": st.sampled_from([b"", b"101112", b"101112.5", b"    ", b"000000"]),
    "DT": st.sampled_from([b"", b"20200131101112", b"2020", b"20200131101112.5+0100"]),
    "AS": st.sampled_from([b"", b"093Y", b"040Y", b"oops"]),
    "UI": st.sampled_from([b"", b"1.2.3.4.5", b"1.2.840.10008.1.2", b"1.2.3.4.5\\1.2.3", b"1.2.3.4.5 "]),
    "IS": st.sampled_from([b"", b"12", b"1\\2\\3", b"12345678", b"Doe"]),
    "DS": st.sampled_from([b"", b"1.5", b"-1.5\\2e3", b"12345678", b"x"]),
    "US": st.sampled_from([b"", b"\1\0", b"\1\0\2\0"]),
    "SQ": st.just(b""),
}
_EVEN = st.binary(max_size=6).map(b.even)
_TAGS = sorted(tag for tag in VRS if 0x00080008 < tag < 0x7FE00000 and tag not in b.fields())


def _value(vr: str, text: str, sample: bytes) -> bytes:
    return b.even(sample if vr in _SAMPLES else text.encode("latin-1"), b"\0" if vr == "UI" else b" ")


@st.composite
def _element(draw: st.DrawFn, depth: int, *, explicit: bool) -> tuple[int, bytes]:
    tag = draw(st.sampled_from(_TAGS))
    vr = VRS[tag]
    if vr == "SQ":
        return tag, draw(_sequence(tag, depth, explicit=explicit))
    sample = draw(_SAMPLES.get(vr, _EVEN))
    value = _value(vr, draw(_TEXT), sample)
    if vr in {"OB", "OW", "UN", "FD", "FL", "UL", "SL", "SS", "AT", "OF", "OD"}:
        value = draw(_EVEN)
    return tag, b.explicit(tag, vr, value) if explicit else b.implicit(tag, value)


@st.composite
def _sequence(draw: st.DrawFn, tag: int, depth: int, *, explicit: bool) -> bytes:
    items = []
    for _ in range(draw(st.integers(0, 2 if depth else 0))):
        elements = dict(draw(st.lists(_element(depth - 1, explicit=explicit), max_size=4)))
        body = b"".join(elements[one] for one in sorted(elements))
        items.append(b.item(body + b.ITEM_END, b.UNDEFINED) if draw(st.booleans()) else b.item(body))
    content = b"".join(items)
    length = len(content)
    if draw(st.booleans()):
        content, length = content + b.SEQUENCE_END, b.UNDEFINED
    return b.explicit(tag, "SQ", content, length) if explicit else b.implicit(tag, content, length)


@st.composite
def _object(draw: st.DrawFn) -> bytes:
    explicit = draw(st.booleans())
    known = {
        tag: b.explicit(tag, vr, value) if explicit else b.implicit(tag, value)
        for tag, (vr, value) in b.fields().items()
    }
    charset = draw(st.sampled_from([b"", b"ISO_IR 100", b"ISO_IR 192"]))
    known[b.CHARSET_TAG] = (
        b.explicit(b.CHARSET_TAG, "CS", charset) if explicit else b.implicit(b.CHARSET_TAG, charset)
    )
    made = dict(draw(st.lists(_element(2, explicit=explicit), max_size=12)))
    block = draw(st.sampled_from([b"", b"GEMS_ACQU_01", b"X "]))
    if block:
        creator, value = (0x00190010, "LO", block), (0x00191003, "DS", draw(_SAMPLES["DS"]))
        for tag, vr, raw in (creator, value):
            made[tag] = b.explicit(tag, vr, b.even(raw)) if explicit else b.implicit(tag, b.even(raw))
    elements = {**made, **known}
    body = b"".join(elements[tag] for tag in sorted(elements))
    return b.part10(body, b.EXPLICIT if explicit else b.IMPLICIT)


@cache
def _both(profile: str) -> Both:
    return Both(profile)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=250, deadline=None)
@given(raw=_object())
def test_made_objects_come_out_alike_both_ways(profile: str, raw: bytes) -> None:
    _both(profile).assert_alike(raw)
