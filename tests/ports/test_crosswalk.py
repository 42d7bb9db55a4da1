from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_tables import audit, crosswalk
from scanward.errors import Misconfigured, NotFound
from scanward.ports.crosswalk import Pair

pytestmark = pytest.mark.integration

JANE = Pair("patient", "MRN-4711", "ANON-0123456789ab")


@pytest.fixture
def walk(database: Database, site_secrets: FileSecrets) -> SqlCrosswalk:
    return SqlCrosswalk(database, site_secrets)


def test_a_pseudonym_leads_back_to_its_original(walk: SqlCrosswalk) -> None:
    assert walk.record([JANE, Pair("study", "1.2.3", "2.25.1")]) == []
    assert walk.record([JANE, Pair("series", "Ü^\udcff", "2.25.2")]) == []
    assert walk.original("patient", JANE.pseudonym, "anna") == "MRN-4711"
    assert walk.original("study", "2.25.1", "anna") == "1.2.3"


def test_a_pseudonym_for_two_originals_is_told(walk: SqlCrosswalk) -> None:
    walk.record([JANE])
    other = Pair("patient", "MRN-1", JANE.pseudonym)
    fine = Pair("patient", "MRN-2", "ANON-2")
    assert walk.record([fine, other]) == [other]
    assert walk.original("patient", JANE.pseudonym, "anna") == "MRN-4711"
    assert walk.original("patient", "ANON-2", "anna") == "MRN-2"


def test_a_collision_within_one_batch_is_told(walk: SqlCrosswalk) -> None:
    other = Pair("patient", "MRN-1", JANE.pseudonym)
    assert walk.record([JANE, other]) == [other]


def test_the_same_words_of_two_kinds_do_not_collide(walk: SqlCrosswalk) -> None:
    assert walk.record([Pair("study", "1.2", "2.25.1"), Pair("series", "1.3", "2.25.1")]) == []


def test_every_look_up_is_audited_also_the_vain_one(walk: SqlCrosswalk, database: Database) -> None:
    walk.record([JANE])
    walk.original("patient", JANE.pseudonym, "anna")
    with pytest.raises(NotFound):
        walk.original("patient", "ANON-nobody", "bert")
    with database.reading() as connection:
        rows = connection.execute(select(audit.c.asker, audit.c.kind, audit.c.found)).all()
    assert [tuple(row) for row in rows] == [("anna", "patient", True), ("bert", "patient", False)]


def test_neither_original_nor_pseudonym_stands_in_the_database(
    walk: SqlCrosswalk, database: Database
) -> None:
    walk.record([JANE])
    with database.reading() as connection:
        text = repr([tuple(row) for row in connection.execute(select(crosswalk))])
    assert JANE.original not in text
    assert JANE.pseudonym not in text


def test_another_key_finds_nothing_and_damage_is_not_read(
    walk: SqlCrosswalk, database: Database, tmp_path: Path
) -> None:
    walk.record([JANE])
    other = SqlCrosswalk(database, FileSecrets(tmp_path / "other.key"))
    with pytest.raises(NotFound):
        other.original("patient", JANE.pseudonym, "anna")
    with database.writing() as connection:
        connection.execute(crosswalk.update().values(sealed=b"x" * 40))
    with pytest.raises(Misconfigured):
        walk.original("patient", JANE.pseudonym, "anna")
