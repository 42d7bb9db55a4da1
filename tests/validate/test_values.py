"""Value forms, with pydicom's own validators as the second opinion."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.config import RAISE
from pydicom.valuerep import validate_value

from scanward.validate.values import BINARY_SIZES, character_sets_known, forms, split

pytestmark = pytest.mark.unit

DIGITS = st.text("0123456789", max_size=10)
NEAR_MISSES = {
    "AE": st.text(" ABz_-\\\n", max_size=18),
    "AS": st.from_regex(r"[0-9]{2,4}[DWMYX]?", fullmatch=True),
    "CS": st.text("ABz_ 09-", max_size=18),
    "DA": st.from_regex(r"[0-9]{3,5}[01][0-9][0-3][0-9]", fullmatch=True),
    "DS": st.from_regex(r" ?[+-]?[0-9]{0,4}(\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})? ?", fullmatch=True),
    "DT": st.from_regex(r"[0-9]{4}([01][0-9]([0-3][0-9]([012][0-9]([0-6][0-9])?)?)?)?", fullmatch=True),
    "IS": st.from_regex(r" ?[+-]?[0-9]{0,13} ?", fullmatch=True),
    "LO": st.text("ab c", max_size=70),
    "PN": st.text("ab^=", max_size=70),
    "SH": st.text("ab c", max_size=20),
    "TM": st.from_regex(r"[012][0-9]([0-6][0-9]([0-6][0-9](\.[0-9]{0,7})?)?)?", fullmatch=True),
    "UI": st.from_regex(r"[0-9.]{1,70}", fullmatch=True),
    "UR": st.text("ab:/ <", max_size=10),
}


def found(vr: str, value: bytes, character_set: bytes = b"") -> set[str]:
    return {rule for rule, _ in forms(vr, value, character_set)} - {"value-padding"}


def _nothing(_: str) -> bool:
    return False


def pydicom_accepts(vr: str, text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            validate_value(vr, text, RAISE)
        except ValueError:
            return False
    return True


@pytest.mark.parametrize("vr", sorted(NEAR_MISSES))
@given(choice=st.data())
def test_what_passes_here_passes_pydicom(vr: str, choice: st.DataObject) -> None:
    text = choice.draw(NEAR_MISSES[vr])
    parts = [part.decode() for part in split(vr, text.encode())]

    if not found(vr, text.encode()):
        # pydicom takes a title's padding for a part of it, and wants no blank behind a TM or DT.
        stripped = [part.strip(" ") if vr in {"AE", "CS", "TM", "DT", "DA", "AS"} else part for part in parts]
        assert all(pydicom_accepts(vr, part) for part in stripped)


# What only the meaning shows and pydicom's patterns let through: days that no month has, integers of 33 bits,
# a title of blanks, groups of six components, a UID under no root of ISO 9834.
STRICTER: dict[str, Callable[[str], bool]] = {
    "AE": lambda text: not text.strip(" ") or "\\" in text,
    "DA": lambda _: True,
    "DT": lambda _: True,
    "IS": lambda text: len(text.strip()) > 9,
    "PN": lambda text: any(group.count("^") > 4 for group in text.split("=")),
    "UI": lambda text: "." not in text or text.split(".")[0] not in {"0", "1", "2"},
    "UR": lambda text: not text.strip(" "),
}


@pytest.mark.parametrize("vr", sorted(NEAR_MISSES))
@given(choice=st.data())
def test_what_fails_here_fails_pydicom_but_for_what_only_its_meaning_shows(
    vr: str, choice: st.DataObject
) -> None:
    text = choice.draw(NEAR_MISSES[vr])

    if found(vr, text.encode()) and not STRICTER.get(vr, _nothing)(text):
        parts = [part.decode() for part in split(vr, text.encode())] or [text]
        assert not all(pydicom_accepts(vr, part) for part in parts)


@pytest.mark.parametrize(
    ("vr", "value", "rules"),
    [
        ("AE", b"STORE_SCP       ", set()),
        ("AE", b"A" * 17, {"value-length"}),
        ("AE", b"A\x1b", {"value-form", "value-repertoire"}),
        ("AS", b"042Y", set()),
        ("AS", b"42Y ", {"value-form"}),
        ("CS", b" MR \\OTHER_1 ", set()),
        ("CS", b"A-B", {"value-form"}),
        ("DA", b"20240229", set()),
        ("DA", b"20230229", {"value-form"}),
        ("DA", b"1997.04.24", {"value-form"}),
        ("DS", b" -1.5E-03\\.5\\7.", set()),
        ("DS", b"1,5", {"value-form"}),
        ("DS", b"NaN ", {"value-form"}),
        ("DS", b"1.23456789012345678 ", {"value-length"}),
        ("DT", b"20240229120000.123456+0100", set()),
        ("DT", b"2023022912", {"value-form"}),
        ("DT", b"202402291200+9900", {"value-form"}),
        ("IS", b"-2147483648", set()),
        ("IS", b"2147483648", {"value-form"}),
        ("IS", b"1.5 ", {"value-form"}),
        ("IS", b"1234567890123 ", {"value-length"}),
        ("LT", b"a\r\n\tb\\c\x0c", set()),
        ("LT", b"a\x00b ", {"value-repertoire"}),
        ("LO", b"one\\two", set()),
        ("PN", b"A^B^C^D^E=F=G ", set()),
        ("PN", b"A=B=C=D ", {"value-form"}),
        ("PN", b"A^B^C^D^E^F ", {"value-form"}),
        ("PN", b"A" * 65 + b"=B", {"value-length"}),
        ("SH", b"x" * 17, {"value-length"}),
        ("ST", b"x" * 1025, {"value-length"}),
        ("TM", b"235960.5", set()),
        ("TM", b"14:04:38", {"value-form"}),
        ("UC", b"x" * 5000, set()),
        ("UI", b"1.2.3\0", set()),
        ("UI", b"1.02.3", {"value-form"}),
        ("UI", b"1..3", {"value-form"}),
        ("UI", b"0\0", {"value-form"}),
        ("UI", b"9.8.7", {"value-form"}),
        ("UI", b"../../etc", {"value-form"}),
        ("UI", b"1." * 33 + b"1", {"value-length"}),
        ("UR", b"https://example.org/a?b=c ", set()),
        ("UR", b"has space", {"value-form"}),
        ("UT", b"x" * 20_000, set()),
    ],
)
def test_a_value_has_the_form_of_ps3_5(vr: str, value: bytes, rules: set[str]) -> None:
    assert found(vr, value) == rules


@given(st.sampled_from(sorted(BINARY_SIZES)), st.integers(0, 40))
def test_binary_values_have_whole_units(vr: str, length: int) -> None:
    assert bool(found(vr, bytes(length))) is bool(length % BINARY_SIZES[vr])


@pytest.mark.parametrize(
    ("value", "character_set", "rules"),
    [
        ("ü".encode(), b"ISO_IR 192", set()),
        (b"\xfc", b"ISO_IR 192", {"value-repertoire"}),
        (b"\xfc", b"ISO_IR 100", set()),
        (b"\xfc", b"", {"charset-missing"}),
        (b"\xfc", b"ISO_IR 6", {"charset-missing"}),
        ("ü".encode() * 64, b"ISO_IR 192", set()),
        ("ü".encode() * 65, b"ISO_IR 192", {"value-length"}),
        (b"\xfc" * 65, b"ISO_IR 100", {"value-length"}),
        (b"\xb0\xa1" * 40, b"\\ISO 2022 IR 149", set()),
        (b"\x1b$B" + b"\x21\x22" * 40 + b"\x1b(B", b"\\ISO 2022 IR 87", set()),
    ],
)
def test_text_is_counted_and_read_in_its_character_set(
    value: bytes, character_set: bytes, rules: set[str]
) -> None:
    assert found("LO", value, character_set) == rules


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (b"ISO_IR 100", True),
        (b"\\ISO 2022 IR 87", True),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87 ", True),
        (b"", True),
        (b"UTF-8 ", False),
        (b"ISO_IR 192\\LATIN ", False),
    ],
)
def test_character_sets_are_the_defined_ones(value: bytes, *, known: bool) -> None:
    assert character_sets_known(value) is known


@given(
    st.sampled_from([*sorted(NEAR_MISSES), "LT", "ST", "UC", "UT", "OB", "UN", "SQ", *BINARY_SIZES]),
    st.binary(),
)
@example("IS", b"-" * 12)
@example("DT", b"+")
def test_no_bytes_of_any_kind_make_it_stumble(vr: str, value: bytes) -> None:
    for character_set in (b"", b"ISO_IR 192", b"\\ISO 2022 IR 87", value):
        assert all(isinstance(words, str) for _, words in forms(vr, value, character_set))
