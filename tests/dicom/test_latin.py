# ruff: noqa: RUF001 - Cyrillic letters are what is tested
from __future__ import annotations

import pytest

from scanward.dicom.latin import latin_spellings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Щербацевич", "shcherbatsevich"),
        ("Евлампия", "evlampiia"),
        ("Евлампия", "evlampiya"),
        ("Чайковский", "chaikovskii"),
        ("Чайковский", "chaykovskiy"),
        ("Хрущёв", "khrushchev"),
        ("Юрьев", "yurev"),
        ("Люкceмбypг", "liukcembypg"),
    ],
)
def test_a_cyrillic_name_has_its_usual_latin_spellings(name: str, spelled: str) -> None:
    assert spelled in set(latin_spellings(name))


def test_a_latin_name_needs_none() -> None:
    assert list(latin_spellings("Müller^Zoë")) == []
