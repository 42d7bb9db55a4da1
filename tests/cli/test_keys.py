"""Names that hold an identifier (`store.keys`, which the command line and the cloud share)."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.store.folding import fold
from scanward.store.keys import (
    Hidden,
    Kind,
    Shield,
    preserved_name,
    pseudonymous_name,
    safe_name,
    with_suffix,
)

pytestmark = pytest.mark.unit

NEW = "ANON-0f0f0f0f0f0f"
UID = "1.2.840.99.7.31"
PERSON = (
    Hidden(Kind.UID, UID, "2.25.4242"),
    Hidden(Kind.CODE, "00471", NEW),
    Hidden(Kind.NAME, "DOE^JOHN^M^^MD", NEW),
    Hidden(Kind.DATE, "19700102", NEW),
    Hidden(Kind.CODE, "ACC-55-71", "STUDY-1"),
)


def tag(text: str) -> str:
    return hashlib.sha256(b"k" + text.encode("utf-8", "surrogateescape")).hexdigest()


def safe(name: str, *hidden: Hidden) -> str:
    return safe_name((name,), Shield(hidden or PERSON, tag))[0]


@pytest.mark.parametrize(
    "name", ["IM00001.dcm", "CT_chest_0002.dcm", "study456", "DICOM", "1.2.840.10008", "serie"]
)
def test_a_name_without_an_identifier_is_kept(name: str) -> None:
    assert safe(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "DOE^JOHN",
        "DOE_JOHN",
        "doe-john.dcm",
        "john_doe.dcm",
        "DoeJohn",
        "JohnDoe01.dcm",
        "x.doe",
        "DÖE",
        "\uff24\uff2f\uff25",
        "Do\u0308e",
        "ct john 3.dcm",
        "D.O.E.",
    ],
)
def test_a_part_of_the_patient_name_is_replaced_however_it_is_spelled(name: str) -> None:
    made = safe(name)
    assert NEW in made
    assert not [word for word in ("doe", "john") if word in fold(made.replace(NEW, "")).text]


@pytest.mark.parametrize("name", ["00471", "471", "P-00471.dcm", "p471_ct", "0471", "4-7-1", "scan00471b"])
def test_an_id_is_replaced_with_and_without_its_zeros(name: str) -> None:
    assert NEW in safe(name)
    assert "471" not in safe(name).replace(NEW, "").partition("-")[0]


@pytest.mark.parametrize(
    "name",
    ["19700102", "1970-01-02", "02.01.1970", "01021970", "1970_1_2", "700102", "02-Jan-1970", "x19700102y"],
)
def test_a_birth_date_is_replaced_in_common_forms(name: str) -> None:
    assert NEW in safe(name)


@pytest.mark.parametrize("name", [UID, f"{UID}.dcm", UID.replace(".", "_"), f"CT.{UID}.img"])
def test_an_original_uid_is_replaced_by_the_new_one(name: str) -> None:
    assert "2.25.4242" in safe(name)
    assert UID not in safe(name)


def test_the_exact_id_becomes_the_bare_pseudonym_and_other_spellings_stay_apart() -> None:
    assert safe("00471") == NEW
    assert safe("ACC-55-71") == "STUDY-1"
    assert len({safe(name) for name in ("DOE_JOHN", "doe-john", "DoeJohn", "00471", "471")}) == 5


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("M", True),
        ("ct_M_1", True),
        ("MR", False),
        ("CTM", False),
        ("IM1", False),
        ("7", True),
        ("17", False),
    ],
)
def test_one_or_two_characters_match_whole_tokens_only(name: str, *, hit: bool) -> None:
    short = (Hidden(Kind.NAME, "M^^", NEW), Hidden(Kind.CODE, "7", NEW))
    assert (NEW in safe(name, *short)) is hit


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Müller^Jörg", "mueller"),
        ("Müller^Jörg", "MULLER_JORG"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎.dcm"),
        ("Yamada^Tarou=山田^太郎", "ct_山田"),
        ("Wang^XiaoDong=王^小东", "王小东"),
        ("\u041f\u0451\u0442\u0440^A", "\u043f\u0435\u0442\u0440"),
        ("Strauß^Zoë", "strauss"),
        ("Li^Wei", "liwei_01"),
        ("Van Der Berg^Anna", "vanderberg"),
        ("O'Neil^Sean", "oneil"),
    ],
)
def test_names_of_other_scripts_and_spellings_are_found(value: str, name: str) -> None:
    assert safe(name, Hidden(Kind.NAME, value, NEW)) != name
    assert NEW in safe(name, Hidden(Kind.NAME, value, NEW))


def test_bytes_of_an_unknown_character_set_never_pass() -> None:
    assert safe("M\udcfcller.dcm").startswith("NAME-")
    assert safe("M\udcfcller.dcm").endswith(".dcm")


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "a\\b", "x\0y", "CON", "nul.dcm", "LPT1", "a\nb", "x\u202ey", ".scanward"]
)
def test_traversal_and_reserved_names_are_impossible(name: str) -> None:
    made = safe(name)
    assert made not in {"", ".", "..", ".scanward"}
    assert not set(made) & set('/\\\0\n\u202e<>:"|?*')
    assert made.partition(".")[0].casefold() not in {"con", "nul", "lpt1"}
    kept = preserved_name((name,))[0]
    assert kept not in {"", ".", "..", ".scanward"}
    assert not set(kept) & {"/", "\\", "\0"}


def test_pseudonymous_names_are_the_new_uids_alone() -> None:
    assert pseudonymous_name("2.25.1", "2.25.2", "2.25.3") == ("2.25.1", "2.25.2", "2.25.3.dcm")


def test_a_suffix_goes_before_the_extension() -> None:
    assert with_suffix("a.dcm", "77") == "a-77.dcm"
    assert with_suffix("1.2.3", "77") == "1.2-77.3"
    assert with_suffix(".dcm", "77") == ".dcm-77"


texts = st.text(st.characters(codec="utf-8"), max_size=30)


@given(before=texts, after=texts, identifier=st.text("abcdefghijkmz0123456789", min_size=3, max_size=16))
def test_no_id_survives_in_any_name(before: str, after: str, identifier: str) -> None:
    shield = Shield((Hidden(Kind.CODE, identifier, "PSEUDONYM"),), lambda _: "QQQQQQQQQQQQ")
    for spelled in (
        identifier,
        identifier.upper(),
        "_".join(identifier),
        unicodedata.normalize("NFKD", identifier),
    ):
        made = safe_name((f"{before}{spelled}{after}",), shield)[0]
        left = (
            made.replace("PSEUDONYM-QQQQQQ", "\0").replace("PSEUDONYM", "\0").replace("~QQQQQQQQQQQQ", "\0")
        )
        assert all(identifier not in fold(piece).text for piece in left.split("\0"))


@given(name=texts)
def test_every_name_is_portable_bounded_and_stable(name: str) -> None:
    made = safe(name)
    assert 0 < len(made.encode()) <= 200
    assert made not in {".", ".."}
    assert not set(made) & set("/\\\0")
    assert safe(name) == made


@given(first=texts, second=texts)
def test_two_names_stay_two(first: str, second: str) -> None:
    if first != second:
        assert safe(first) != safe(second)


@pytest.mark.parametrize(
    "name",
    ["778899", "778899.dcm", "scan_778899", "ID778899", "%4DRN778899", "MRN%37%37%38899", "%254DRN778899"],
)
def test_the_number_of_an_id_and_its_spelling_in_a_url_are_found(name: str) -> None:
    made = safe(name, Hidden(Kind.CODE, "MRN778899", NEW))
    assert NEW in made
    assert "8899" not in made
    assert "%" not in made


@pytest.mark.parametrize("name", ["M%C3%BCller.dcm", "M%FCller.dcm", "m%75eller"])
def test_a_name_behind_percent_signs_is_found(name: str) -> None:
    assert NEW in safe(name, Hidden(Kind.NAME, "Müller^Jörg", NEW))


@pytest.mark.parametrize("name", ["IM00012.dcm", "17788991", "50%", "100%25.dcm", "12"])
def test_a_short_number_of_an_id_or_a_longer_one_around_it_is_kept(name: str) -> None:
    hidden = (Hidden(Kind.CODE, "MRN778899", NEW), Hidden(Kind.CODE, "P00012", "OTHER"))
    assert safe(name, *hidden) == name
