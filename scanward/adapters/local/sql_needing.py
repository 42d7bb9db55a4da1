"""Which pairs of the crosswalk nothing needs any more, once the rows of some objects are gone.

A pair is needed while its original stands in a row of raw; or, found by its pseudonym, while that stands in a
row of deid. The crosswalk is found by keyed hashes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, select

from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_levels import OF_ZONE
from scanward.adapters.local.sql_removing import parts
from scanward.adapters.local.sql_tables import crosswalk
from scanward.ports.crosswalk import Pair
from scanward.ports.object_store import Zone

_COLUMNS = {"study": "study_uid", "series": "series_uid", "instance": "instance_uid", "patient": "patient_id"}
_BY_ISSUER = "^^^"


@dataclass(frozen=True, slots=True)
class Word:
    """One side of a pair: what kind it is of and what it says. A patient's ID may have an issuer."""

    kind: str
    value: str
    issuer: str = ""

    @property
    def written(self) -> str:
        """Return it as the crosswalk has it."""
        return f"{self.value}{_BY_ISSUER}{self.issuer}" if self.issuer else self.value


def words_of(rows: Iterable[RowMapping], zone: Zone) -> set[Word]:
    """Return what the pairs of some instances say on the side of their zone."""
    found: set[Word] = set()
    for row in rows:
        for kind, column in _COLUMNS.items():
            issuer = row["issuer"].strip() if kind == "patient" and zone is Zone.RAW else ""
            found.add(Word(kind, row[column].strip(), issuer))
    return {word for word in found if word.value}


def pair_words(pairs: Sequence[Pair]) -> tuple[set[Word], set[Word]]:
    """Return originals and pseudonyms of pairs."""
    originals = set()
    for pair in pairs:
        value, _, issuer = (
            pair.original.partition(_BY_ISSUER) if pair.kind == "patient" else (pair.original, "", "")
        )
        originals.add(Word(pair.kind, value, issuer))
    return originals, {Word(pair.kind, pair.pseudonym) for pair in pairs}


def drop_pairs(
    connection: Connection, walk: SqlCrosswalk, originals: set[Word], pseudonyms: set[Word]
) -> None:
    """Remove the pairs of originals and pseudonyms that no row has any more."""
    needed = _needed(connection, Zone.RAW, originals)
    columns = crosswalk.c
    gone = [walk.original_mark(word.kind, word.written) for word in sorted(originals - needed, key=_order)]
    for some in parts(gone):
        connection.execute(delete(crosswalk).where(columns.original_mark.in_(some)))
    kept = [walk.original_mark(word.kind, word.written) for word in needed]
    unused = pseudonyms - _needed(connection, Zone.DEID, pseudonyms)
    for some in parts([walk.pseudonym_mark(word.kind, word.value) for word in sorted(unused, key=_order)]):
        found = select(columns.pseudonym_mark, columns.original_mark).where(columns.pseudonym_mark.in_(some))
        marks = [mark for mark, original in connection.execute(found) if original not in kept]
        connection.execute(delete(crosswalk).where(columns.pseudonym_mark.in_(marks)))


def _order(word: Word) -> tuple[str, str, str]:
    return word.kind, word.value, word.issuer


def _needed(connection: Connection, zone: Zone, words: set[Word]) -> set[Word]:
    """Return the words that stand in a row of a zone; a series is looked for among those that are shown."""
    found: set[Word] = set()
    for kind, name in _COLUMNS.items():
        table = OF_ZONE[zone].series if kind == "series" else OF_ZONE[zone].instances
        column = table.c[name]
        of_patient = kind == "patient" and zone is Zone.RAW
        wanted = select(column, table.c.issuer) if of_patient else select(column)
        for some in parts(sorted({word.value for word in words if word.kind == kind})):
            for value, *issuer in connection.execute(wanted.where(column.in_(some)).distinct()):
                found.add(Word(kind, value.strip(), issuer[0].strip() if issuer else ""))
    return found & words
