from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import config

from scanward.deidentify import charset, writer
from scanward.deidentify.identifiers import identifiers
from scanward.deidentify.meta import file_meta
from scanward.deidentify.rule import Do, How, Rule
from scanward.deidentify.values import new_value
from tests.deidentify.objects import KEYS

pytestmark = pytest.mark.unit

JAPANESE = ("", "ISO 2022 IR 87")


@pytest.mark.parametrize(
    ("text", "charsets"),
    [
        ("Müller", ("ISO_IR 100",)),
        ("Иванов", ("ISO_IR 144",)),
        ("山田^太郎", ("ISO_IR 192",)),
        ("山田", JAPANESE),
        ("王", ("GB18030",)),
        ("김희중", ("", "ISO 2022 IR 149")),
        ("plain", ()),
    ],
)
def test_text_comes_back_as_it_went_in(text: str, charsets: tuple[str, ...]) -> None:
    raw = charset.encode(text, "PN", charsets)
    assert raw is not None
    assert charset.decode(raw, "PN", charsets) == text


@pytest.mark.parametrize(
    ("raw", "vr", "charsets"),
    [
        (b"M\xfcller", "LO", ()),
        (b"M\xfcller", "LO", ("ISO_IR 6",)),
        (b"M\xfcller", "LO", ("ISO_IR 192",)),
        (b"M\xfcller", "CS", ("ISO_IR 100",)),
        (b"M\xfcller", "LO", ("KLINGON",)),
        (b"\x1b$)C\xff\xff", "LO", ("", "ISO 2022 IR 149")),
        (b"\x1bZ1", "LO", JAPANESE),
    ],
)
def test_what_is_no_text_of_its_character_set_is_none(raw: bytes, vr: str, charsets: tuple[str, ...]) -> None:
    assert charset.decode(raw, vr, charsets) is None


def test_what_a_character_set_cannot_express_is_not_encoded() -> None:
    assert charset.encode("山田", "LO", ("ISO_IR 100",)) is None
    assert charset.encode("ü", "LO", ("KLINGON",)) is None
    assert charset.encode("ü", "CS", ("ISO_IR 192",)) is None


def test_a_stricter_setting_of_the_library_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.settings, "_reading_validation_mode", config.RAISE)
    monkeypatch.setattr(config.settings, "_writing_validation_mode", config.RAISE)
    assert charset.decode(b"M\xfcller", "LO", ("ISO_IR 192",)) is None
    assert charset.encode("山田", "LO", ("ISO_IR 100",)) is None


def test_a_yen_sign_is_read_as_such() -> None:
    assert charset.decode(b"\xd4\xcf\xc0\xde", "PN", ("ISO_IR 13",)) == "ﾔﾏﾀﾞ"
    assert charset.decode(b"YAMADA", "PN", ("ISO 2022 IR 13",)) == "YAMADA"


def test_an_item_without_a_character_set_has_its_parents() -> None:
    assert charset.charsets_of(None, ("ISO_IR 100",)) == ("ISO_IR 100",)
    assert charset.charsets_of(b"\\ISO 2022 IR 87 ", ()) == JAPANESE


@pytest.mark.parametrize(
    ("raw", "vr", "values"),
    [(b"A\\B ", "LO", ("A", "B")), (b"A\\B", "LT", ("A\\B",)), (b"", "LO", ()), (b"1.2\0", "UI", ("1.2",))],
)
def test_values_are_split_where_their_vr_allows(raw: bytes, vr: str, values: tuple[str, ...]) -> None:
    assert charset.values_of(raw, vr, ()) == values
    assert charset.values_at_any_price(raw, vr, ()) == values


def test_undecodable_values_are_still_read_to_be_replaced() -> None:
    assert charset.values_of(b"\xfc", "LO", ()) is None
    assert charset.values_at_any_price(b"\xfc", "LO", ()) == ("ü",)


@given(st.binary(max_size=9), st.sampled_from(["LO", "UI", "OB", "DA"]))
def test_padding_makes_an_even_length(raw: bytes, vr: str) -> None:
    padded = charset.pad(raw, vr)
    assert len(padded) % 2 == 0
    assert padded.startswith(raw)


def test_kept_text_that_cannot_be_read_does_not_stay() -> None:
    subject = KEYS.subject("M-1", "", "1.2", identifiers(names=("Rossi",)))

    def kept(raw: bytes, *, required: bool) -> bytes:
        return new_value(Rule(Do.KEEP, How.SCAN, "K", required), "LO", raw, (), subject, KEYS)

    assert kept(b"R\xf6ssi", required=False) == b""
    assert kept(b"R\xf6ssi", required=True) == b"REMOVED "
    assert kept(b"ACME", required=True) == b"ACME"
    assert kept(b"by Rossi", required=False) == b"by"
    assert kept(b"1.2.840.10008.5.1.4.1.1.2", required=False) == b"1.2.840.10008.5.1.4.1.1.2 "


def test_bytes_are_replaced_by_zeros() -> None:
    subject = KEYS.subject("M-1", "", "1.2")
    assert new_value(Rule(Do.REPLACE, How.DUMMY, "D"), "OB", b"secret", (), subject, KEYS) == b"\0\0"


def test_a_text_too_long_for_its_length_field_becomes_un() -> None:
    long = writer.Writer(explicit=True, little_endian=True).element(0x00081030, "LO", b"x" * 70000)
    assert long[4:6] == b"UN"


def test_file_meta_counts_its_own_length() -> None:
    meta = file_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1")
    assert meta[:132] == bytes(128) + b"DICM"
    assert int.from_bytes(meta[140:144], "little") == len(meta) - 144
