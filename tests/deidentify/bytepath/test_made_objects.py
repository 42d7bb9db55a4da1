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
def _coded(draw: st.DrawFn, tag: int, depth: int, *, explicit: bool) -> bytes:
    vr = VRS[tag]
    if vr == "SQ":
        return draw(_sequence(tag, depth, explicit=explicit))
    sample = draw(_SAMPLES.get(vr, _EVEN))
    value = _value(vr, draw(_TEXT), sample)
    if vr in {"OB", "OW", "UN", "FD", "FL", "UL", "SL", "SS", "AT", "OF", "OD"}:
        value = draw(_EVEN)
    return b.explicit(tag, vr, value) if explicit else b.implicit(tag, value)


@st.composite
def _element(draw: st.DrawFn, depth: int, *, explicit: bool) -> tuple[int, bytes]:
    tag = draw(st.sampled_from(_TAGS))
    return tag, draw(_coded(tag, depth, explicit=explicit))


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
def _elements(draw: st.DrawFn, *, explicit: bool) -> dict[int, bytes]:
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
    return {**made, **known}


def _file(elements: dict[int, bytes], *, explicit: bool, instance: str = b.INSTANCE) -> bytes:
    body = b"".join(elements[tag] for tag in sorted(elements))
    return b.part10(body, head=b.meta(b.EXPLICIT if explicit else b.IMPLICIT, instance=instance))


@st.composite
def _object(draw: st.DrawFn) -> bytes:
    explicit = draw(st.booleans())
    return _file(draw(_elements(explicit=explicit)), explicit=explicit)


@st.composite
def _series(draw: st.DrawFn) -> list[bytes]:
    """Make objects that differ in the instance UID and a few elements, now and then in the patient too."""
    explicit = draw(st.booleans())
    base = draw(_elements(explicit=explicit))
    free = sorted(set(base) & set(_TAGS)) or [0x00080008]
    changing = draw(st.lists(st.sampled_from(free), max_size=4, unique=True))
    made = []
    for number in range(draw(st.integers(3, 6))):
        instance = f"1.2.3.{10 ** draw(st.integers(0, 3))}.{number}"
        uid, patient = b.uid(instance), draw(st.sampled_from([b"12345678", b"12345678", b"87654321"]))
        own = {
            b.INSTANCE_TAG: b.explicit(b.INSTANCE_TAG, "UI", uid)
            if explicit
            else b.implicit(b.INSTANCE_TAG, uid),
            b.ID_TAG: b.explicit(b.ID_TAG, "LO", patient) if explicit else b.implicit(b.ID_TAG, patient),
            **{tag: draw(_coded(tag, 2, explicit=explicit)) for tag in changing},
        }
        made.append(_file(base | own, explicit=explicit, instance=instance))
    return made


@cache
def _both(profile: str) -> Both:
    return Both(profile)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=250, deadline=None)
@given(raw=_object())
def test_made_objects_come_out_alike_both_ways(profile: str, raw: bytes) -> None:
    _both(profile).assert_alike(raw)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=100, deadline=None)
@given(series=_series())
def test_slices_of_made_series_come_out_alike_both_ways(profile: str, series: list[bytes]) -> None:
    for raw in series:
        _both(profile).assert_alike(raw)
