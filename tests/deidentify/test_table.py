from __future__ import annotations

from collections import Counter

import pytest
from pydicom.datadict import tag_for_keyword

from scanward.deidentify import table
from scanward.deidentify.table import Row

pytestmark = pytest.mark.unit


def test_every_row_of_the_edition_is_loaded() -> None:
    loaded = table.load()
    assert loaded.edition == "2026d"
    assert len(loaded.rows) + len(loaded.repeating) + 1 == 657


def test_every_action_of_the_table_is_one_that_the_policy_resolves() -> None:
    actions = Counter(row.basic for row in table.load().rows.values())
    assert set(actions) == {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}


def test_keywords_agree_with_the_dictionary_where_it_has_them() -> None:
    wrong = [
        row.keyword
        for tag, row in table.load().rows.items()
        if tag_for_keyword(row.keyword) not in {None, tag}
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("tag", "keyword"),
    [
        (0x00100010, "PatientName"),
        (0x50000010, "CurveData"),
        (0x501E3000, "CurveData"),
        (0x60003000, "OverlayData"),
        (0x60224000, "OverlayComments"),
    ],
)
def test_repeating_groups_find_their_row(tag: int, keyword: str) -> None:
    row = table.load().find(tag)
    assert row is not None
    assert row.keyword == keyword


@pytest.mark.parametrize("tag", [0x60000010, 0x00080070, 0x7FE00010])
def test_what_the_table_does_not_name_has_no_row(tag: int) -> None:
    assert table.load().find(tag) is None


def test_a_new_edition_is_only_other_rows() -> None:
    parsed = table.parse(
        "2030a", [Row("00100010", "PatientName", "D", {}), Row("PRIVATE", "P", "X", {"a": "C"})]
    )
    assert parsed.rows[0x00100010].basic == "D"
    assert parsed.private.options == {"a": "C"}
