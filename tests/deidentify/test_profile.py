from __future__ import annotations

from pathlib import Path

import pytest

from scanward.deidentify import profile
from scanward.deidentify.profile import Tag
from scanward.errors import BadInput, Misconfigured

pytestmark = pytest.mark.unit

SHIPPED = ["basic", "hipaa-safe-harbor", "limited-data-set", "research"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_load_by_name(name: str) -> None:
    assert profile.load(name).name == name


def test_a_users_profile_loads_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\ndates: keep\noverrides: {StationName: K}\n")
    loaded = profile.load(path)
    assert (loaded.name, loaded.dates, loaded.overrides) == ("mine", "keep", {"StationName": "K"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "not YAML"),
        ("name: mine\ndates: sometimes\n", "dates"),
        ("name: mine\nunheard_of: 1\n", "unheard_of"),
        ("just text", "the whole"),
    ],
)
def test_a_faulty_profile_is_refused_by_the_place_of_its_fault(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "faulty.yaml"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=says):
        profile.load(path)


def test_an_override_of_no_attribute_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("name: odd\noverrides: {NoSuchThing: K}\n")
    with pytest.raises(BadInput):
        profile.load(path)


def test_an_unknown_name_lists_the_shipped_profiles() -> None:
    with pytest.raises(Misconfigured, match="basic, hipaa-safe-harbor, limited-data-set, research"):
        profile.load("no-such-profile")


@pytest.mark.parametrize(
    "tag", ["Manufacturer", "(0008,0070)", "00080070", "(0008, 0070)", (0x0008, 0x0070), 0x00080070]
)
def test_a_tag_is_read_in_every_spelling(tag: Tag) -> None:
    assert profile.tag_number(tag) == 0x00080070


@pytest.mark.parametrize("tag", ["NoSuchThing", "0008", "0008007Z", ""])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(BadInput):
        profile.tag_number(tag)


@pytest.mark.parametrize("tag", ["PatientSex", "Manufacturer", "DeviceSerialNumber", "InstitutionName"])
def test_characteristics_and_devices_may_be_preserved(tag: str) -> None:
    chosen = profile.load("hipaa-safe-harbor").preserving([tag])
    assert chosen.preserve == (profile.tag_number(tag),)


@pytest.mark.parametrize(
    "tag", ["PatientName", "PatientID", "StudyDate", "StudyInstanceUID", "PatientComments", (0x0009, 0x1001)]
)
def test_identifiers_are_preserved_only_by_force(tag: Tag) -> None:
    chosen = profile.load("hipaa-safe-harbor")
    with pytest.raises(BadInput, match="identify people"):
        chosen.preserving([tag])
    assert chosen.preserving([tag], force=True).preserve == (profile.tag_number(tag),)
