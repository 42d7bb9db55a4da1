"""Deletion in SQL: rows first, then the blobs that no row names any more, then what the logs still hold.

Each transaction changes one file of SQLite, in an order that leaves no output without its original: deid
first, then raw, once nothing of the objects is in deid any more. What is to leave the store is noted with
the rows that go (`removals`), so that a crash anywhere leaves work for `finish` and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection, RowMapping, Select, delete, select

from scanward import logs
from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_changes import note
from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import OF_ZONE, refresh
from scanward.adapters.local.sql_needing import Word, drop_pairs, pair_words, words_of
from scanward.adapters.local.sql_removing import Place, note_removals, parts, remove_some
from scanward.errors import NotFound, Unavailable
from scanward.ports.changes import Action
from scanward.ports.crosswalk import Pair
from scanward.ports.object_store import ObjectStore, Zone

_log = logs.logger(__name__)
_COLUMNS = (
    "key",
    "sequence",
    "superseded_by",
    "study_uid",
    "series_uid",
    "instance_uid",
    "patient_id",
    "issuer",
)
_TRIES, _PAUSE = 20, 0.1
# Writing a file anew takes memory of its size, and 128 MiB take a second or two.
_LARGEST_REWRITTEN = 128 << 20
_LOCKED = (tables.instances, tables.deid_instances, tables.crosswalk)


class SqlDeletion:
    """Deletion on SQLite or PostgreSQL."""

    def __init__(self, database: Database, crosswalk: SqlCrosswalk, objects: ObjectStore) -> None:
        """Use a database whose tables are there, and the store that its keys are of."""
        self._database = database
        self._crosswalk = crosswalk
        self._objects = objects

    def delete(self, study_uid: str, series_uid: str = "", instance_uid: str = "") -> int:
        """Remove a study, series or instance with all that was made of it; return how many instances went.

        Raises NotFound; Unavailable where something is left to `finish`.
        """
        keys = self._find(study_uid, series_uid, instance_uid)
        count = self._delete_rows(keys) if keys else 0
        self.finish()
        if not count:
            raise NotFound("There is nothing of that name in zone raw.")
        self._scrub()
        return count

    def discard(self, blobs: Sequence[Place], pairs: Sequence[Pair]) -> None:
        """Remove what the line made of an object that was deleted meanwhile, unless something needs it."""
        with self._database.writing(*_LOCKED) as connection:
            note_removals(connection, blobs)
            drop_pairs(connection, self._crosswalk, *pair_words(pairs))
        self.finish()
        self._scrub()

    def finish(self) -> int:
        """Remove from the store what is noted; return how many blobs were dealt with."""
        count = 0
        while some := remove_some(self._database, self._objects):
            count += some
        return count

    def _find(self, study_uid: str, series_uid: str, instance_uid: str) -> list[str]:
        """Return the keys of what is named, and of older versions of it, wherever those say they belong."""
        columns = tables.instances.c
        given = {"study_uid": study_uid, "series_uid": series_uid, "instance_uid": instance_uid}
        named = select(columns.key, columns.instance_uid, columns.superseded_by)
        named = named.where(*(columns[name] == uid for name, uid in given.items() if uid))
        with self._database.reading() as connection:
            rows = connection.execute(named).all()
            found = {key for key, _, _ in rows}
            current = {uid for _, uid, newer in rows if uid and not newer}
            for uids in parts(sorted(current)):
                versions = select(columns.key).where(columns.instance_uid.in_(uids))
                found.update(connection.execute(versions).scalars())
        return sorted(found)

    def _delete_rows(self, keys: Sequence[str]) -> int:
        self._note(keys)
        pseudonyms: set[Word] = set()
        count = None
        while count is None:
            pseudonyms |= self._delete_deid(keys)
            count = self._delete_raw(keys, pseudonyms)
        return count

    def _note(self, keys: Sequence[str]) -> None:
        """Note first what will lose its row in deid, where a note cannot be part of the same commit."""
        with self._database.writing() as connection:
            outputs = _rows(connection, Zone.DEID, _sequences(connection, keys))
            note_removals(connection, [(Zone.DEID, row["key"]) for row in outputs])

    def _delete_deid(self, keys: Sequence[str]) -> set[Word]:
        """Remove what was made of objects from deid; return the pseudonyms that stood there."""
        with self._database.writing(tables.deid_instances) as connection:
            outputs = _rows(connection, Zone.DEID, _sequences(connection, keys))
            _drop(connection, Zone.DEID, outputs)
        return words_of(outputs, Zone.DEID)

    def _delete_raw(self, keys: Sequence[str], pseudonyms: set[Word]) -> int | None:
        """Remove objects from raw; return how many instances, or None where a worker delivered one again."""
        with self._database.writing(*_LOCKED) as connection:
            sequences = _sequences(connection, keys)
            if _rows(connection, Zone.DEID, sequences):
                return None
            rows = _rows(connection, Zone.RAW, sequences)
            note_removals(connection, _places(connection, rows))
            for some in parts([row["key"] for row in rows]):
                connection.execute(delete(tables.executions).where(tables.executions.c.raw_key.in_(some)))
                connection.execute(delete(tables.quarantine).where(tables.quarantine.c.key.in_(some)))
            _drop(connection, Zone.RAW, rows)
            drop_pairs(connection, self._crosswalk, words_of(rows, Zone.RAW), pseudonyms)
        return len({(row["study_uid"], row["series_uid"], row["instance_uid"]) for row in rows})

    def _scrub(self) -> None:
        """Let nothing of the deleted rows stay in the files; a reader may be in the way for a moment."""
        rewritten = emptied = False
        with suppress(Unavailable):
            rewritten = self._database.rewrite(_LARGEST_REWRITTEN)
            for _ in range(_TRIES):
                emptied = self._database.truncate_logs()
                if emptied:
                    break
                time.sleep(_PAUSE)
        if not (rewritten and emptied):
            # What the freed space of a large or busy file still holds goes when it is used again.
            _log.warning("files not scrubbed", operation="delete", rewritten=rewritten, emptied=emptied)


def _sequences(connection: Connection, keys: Sequence[str]) -> list[int]:
    columns = tables.instances.c
    return [
        sequence
        for some in parts(keys)
        for sequence in connection.execute(select(columns.sequence).where(columns.key.in_(some))).scalars()
    ]


def _rows(connection: Connection, zone: Zone, sequences: Sequence[int]) -> list[RowMapping]:
    """Return a zone's rows of some arrivals: an output has its original's place in the order of arrival."""
    columns = OF_ZONE[zone].instances.c
    wanted: Select[tuple[object, ...]] = select(*(columns[name] for name in _COLUMNS))
    return [
        row
        for some in parts(sequences)
        for row in connection.execute(
            wanted.where(columns.sequence.in_(some)).order_by(columns.sequence)
        ).mappings()
    ]


def _places(connection: Connection, rows: Sequence[RowMapping]) -> list[Place]:
    """Return all blobs that originals account for: their own, their copies and their outputs."""
    keys = [row["key"] for row in rows]
    columns = tables.executions.c
    made = [
        key
        for some in parts(keys)
        for key in connection.execute(
            select(columns.deid_key).where(columns.raw_key.in_(some), columns.deid_key != "")
        ).scalars()
    ]
    zones = [(Zone.RAW, keys), (Zone.QUARANTINE, keys), (Zone.DEID, made)]
    return [(zone, key) for zone, some in zones for key in some]


def _drop(connection: Connection, zone: Zone, rows: Sequence[RowMapping]) -> None:
    """Remove rows with their models, make their levels anew, and tell of those that were current."""
    of = OF_ZONE[zone]
    for some in parts([row["key"] for row in rows]):
        connection.execute(delete(of.models).where(of.models.c.key.in_(some)))
        connection.execute(delete(of.instances).where(of.instances.c.key.in_(some)))
    refresh(connection, zone, {(row["study_uid"], row["series_uid"]) for row in rows})
    shown = [row for row in rows if not row["superseded_by"]]
    places = [(row["study_uid"], row["series_uid"], row["instance_uid"]) for row in shown]
    note(connection, zone, [(Action.DELETED, place) for place in places])
