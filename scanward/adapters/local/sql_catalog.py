"""The catalog in SQL: what came in, with its execution in the same transaction, and what went out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, insert, select, update

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.sql_changes import note, note_versions, place_named, places_of
from scanward.adapters.local.sql_counters import add_to_counters
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import OF_ZONE, Pair, add_models, refresh
from scanward.adapters.local.sql_queries import find_instances, find_known, find_studies
from scanward.adapters.local.sql_rows import faults_json, instance_columns, text_of
from scanward.errors import Fault
from scanward.ports.catalog import Delivered, Kept, Named, Receipt, Received, Refusal, Study
from scanward.ports.changes import Action
from scanward.ports.executions import Status
from scanward.ports.object_store import Zone
from scanward.settings import Duplicates

Row = dict[str, str | int | float | bool | None]


@dataclass
class _Arrivals:
    """What one `receive` finds and adds: executions by raw key, the current key by SOP Instance UID."""

    now: float
    executions: dict[str, str]
    current: dict[str, str]
    duplicates: Duplicates = "replace"
    instances: list[Row] = field(default_factory=list)
    models: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    lines: list[Row] = field(default_factory=list)
    superseded: list[Row] = field(default_factory=list)

    def take(self, received: Received, number: int) -> Receipt:
        """Add one object unless its bytes are there already, and return what its sender is told."""
        known = self.executions.get(received.key)
        uid = text_of(received.instance.instance_uid)
        older = self.current.get(uid)
        if known is not None:
            outdated = older not in {None, received.key}
            return replace(_told(received), execution_id=known, duplicate=True, outdated=outdated)
        if older is not None and self.duplicates != "replace":
            return _not_taken(received, self.duplicates)
        execution_id = _new_id(self.now, number)
        if older is not None:
            self.superseded.append({"older": older, "newer": received.key})
        if uid:  # An object without a UID, which validation will refuse, is no version of another.
            self.current[uid] = received.key
        self.executions[received.key] = execution_id
        self.instances.append(_instance_row(received, self.now))
        self.models[received.key] = received.model, received.frames
        self.lines.append(_execution_row(received, execution_id, self.now))
        return replace(_told(received), execution_id=execution_id, superseded=older is not None)


class SqlCatalog:
    """Catalog on SQLite or PostgreSQL."""

    def __init__(self, database: Database, duplicates: Duplicates = "replace") -> None:
        """Use a database whose tables are there (`sql_migrate.migrate`).

        duplicates: what becomes of other bytes under an instance UID that is kept.
        """
        self._database = database
        self._duplicates = duplicates

    def receive(self, received: Sequence[Received], refused: Sequence[Refusal] = ()) -> list[Receipt]:
        """Record objects and their executions in one durable transaction; receipts, received first."""
        now = time.time()
        with self._database.writing(tables.instances) as connection:
            arrivals = _known_to(connection, received, now, self._duplicates)
            receipts = [arrivals.take(one, number) for number, one in enumerate(received)]
            _add_arrivals(connection, arrivals)
            gone = _add_refused(connection, refused, now)
        return receipts + [
            Receipt(
                one.name,
                "" if one.key in gone else one.key,
                error=one.error,
                faults=one.faults,
                named=one.named,
            )
            for one in refused
        ]

    def conflicts(self, received: Sequence[Received]) -> dict[int, Receipt]:
        """Return receipts, by place, of what `receive` would not take; nothing is recorded."""
        if self._duplicates == "replace":
            return {}
        with self._database.reading() as connection:
            arrivals = _known_to(connection, received, time.time(), self._duplicates)
        receipts = [arrivals.take(one, number) for number, one in enumerate(received)]
        return {place: one for place, one in enumerate(receipts) if not one.key}

    def deliver(self, delivered: Sequence[Delivered]) -> list[str]:
        """Record de-identified objects durably; idempotent; what arrived last is current.

        Returns the raw keys of those whose original was deleted meanwhile: they are not recorded.
        """
        if not delivered:
            return []
        keys = [one.raw_key for one in delivered]
        wanted = select(tables.instances.c.key, tables.instances.c.sequence).where(
            tables.instances.c.key.in_(keys)
        )
        with self._database.writing(tables.deid_instances) as connection:
            # Under the lock that a deletion takes too: none can come between this look and the commit.
            order: dict[str, int] = dict(connection.execute(wanted).all())
            kept = [one for one in delivered if one.raw_key in order]
            _add_delivered(connection, kept, order)
        return [key for key in keys if key not in order]

    def studies(self, zone: Zone, limit: int = 100, offset: int = 0) -> list[Study]:
        """Return studies of a zone, the newest received first."""
        with self._database.reading() as connection:
            return find_studies(connection, zone, limit, offset)

    def instances(self, zone: Zone, study_uid: str) -> list[Kept]:
        """Return a study's current instances by series and instance number. Raises NotFound."""
        with self._database.reading() as connection:
            return find_instances(connection, zone, study_uid)

    def known_keys(self, zone: Zone, prefix: str) -> set[str]:
        """Return the keys of a zone that have a row and begin with some hex digits; for the sweep."""
        with self._database.reading() as connection:
            return find_known(connection, zone, prefix)


def _told(received: Received) -> Receipt:
    return Receipt(received.name, received.key, faults=received.warnings, named=Named.of(received.instance))


def _not_taken(received: Received, duplicates: Duplicates) -> Receipt:
    """Return what is told of other bytes under an instance UID that is kept; their key leads nowhere."""
    rejected = duplicates == "reject"
    fault = Fault(
        rule="duplicate-differs",
        message="Other bytes are kept under this SOP Instance UID, and stay (SCANWARD_DUPLICATES).",
        path="(0008,0018)",
        clause="PS3.5 9",
        severity="reject" if rejected else "warn",
    )
    error = "Duplicate" if rejected else ""
    return replace(_told(received), key="", outdated=True, error=error, faults=(fault, *received.warnings))


def _new_id(now: float, number: int) -> str:
    """Return an id that sorts by time: microseconds, place in its batch, randomness."""
    return f"{int(now * 1_000_000):014x}{number:06x}{secrets.token_hex(6)}"


def _instance_row(received: Received, now: float) -> Row:
    return {
        "key": received.key,
        "size": received.size,
        "name": text_of(received.name),
        "received": now,
        "warnings": faults_json(received.warnings),
        **instance_columns(received.instance),
    }


def _execution_row(received: Received, execution_id: str, now: float) -> Row:
    return {
        "id": execution_id,
        "raw_key": received.key,
        "name": text_of(received.name),
        "modality": text_of(received.instance.modality),
        "size": received.size,
        "status": Status.RUNNING.value,
        "started": now,
        "attempts": 0,
        "dead_letter": False,
        "due": now,
        "alone": False,
        **dict.fromkeys(
            ("error", "cause", "faults", "stages", "deid_key", "deid_study_uid", "token", "worker"), ""
        ),
    }


def _known_to(
    connection: Connection, received: Sequence[Received], now: float, duplicates: Duplicates
) -> _Arrivals:
    if not received:
        return _Arrivals(now, {}, {})
    executions, instances = tables.executions.c, tables.instances.c
    keys = select(executions.raw_key, executions.id).where(
        executions.raw_key.in_([one.key for one in received])
    )
    uids = select(instances.instance_uid, instances.key).where(
        instances.instance_uid.in_([text_of(one.instance.instance_uid) for one in received]),
        instances.instance_uid != "",
        instances.superseded_by == "",
    )
    return _Arrivals(
        now, dict(connection.execute(keys).all()), dict(connection.execute(uids).all()), duplicates
    )


def _add_arrivals(connection: Connection, arrivals: _Arrivals) -> None:
    if not arrivals.instances:
        return
    connection.execute(insert(tables.instances), arrivals.instances)
    connection.execute(insert(tables.executions), arrivals.lines)
    if arrivals.superseded:
        mark = update(tables.instances).where(tables.instances.c.key == bindparam("older"))
        connection.execute(mark.values(superseded_by=bindparam("newer")), arrivals.superseded)
    add_models(connection, Zone.RAW, arrivals.models)
    touched = _pairs_of(connection, Zone.RAW, [str(one["older"]) for one in arrivals.superseded])
    refresh(connection, Zone.RAW, touched | _pairs(arrivals.instances))
    older = {str(one["newer"]): str(one["older"]) for one in arrivals.superseded}
    note_versions(connection, Zone.RAW, Action.STORED, arrivals.instances, older)
    sizes = [float(one["size"] or 0) for one in arrivals.instances]
    add_to_counters(connection, {"bytes": sum(sizes)})


def _add_refused(connection: Connection, refused: Sequence[Refusal], now: float) -> set[str]:
    """Keep the first reason of each; the same bytes again change nothing.

    Returns the keys of what the line refused and whose original was deleted meanwhile: it is not kept.
    """
    if not refused:
        return set()
    in_line = places_of(connection, Zone.RAW, [one.key for one in refused])
    gone = {one.key for one in refused if one.of_line and one.key not in in_line}
    rows: dict[str, Row] = {}
    for one in refused:
        rows.setdefault(
            one.key,
            {
                "key": one.key,
                "size": one.size,
                "name": text_of(one.name),
                "received": now,
                "error": one.error,
                "faults": faults_json(one.faults),
            },
        )
    column = tables.quarantine.c.key
    there = set(connection.execute(select(column).where(column.in_(list(rows)))).scalars())
    fresh = {key: row for key, row in rows.items() if key not in there | gone}
    if fresh:
        connection.execute(insert(tables.quarantine), list(fresh.values()))
        named = {one.key: place_named(one.named) for one in reversed(refused)} | in_line
        note(connection, Zone.RAW, [(Action.QUARANTINED, named[key]) for key in fresh])
        # What the line puts here has an execution that is counted; what the door refused has not.
        add_to_counters(connection, {"objects_refused": float(len(fresh.keys() - in_line.keys()))})
    return gone


def _add_delivered(connection: Connection, delivered: Sequence[Delivered], order: dict[str, int]) -> None:
    """Add what is new, then let the last arrived of each instance supersede the others.

    Workers may deliver an older version after a newer one: the order of arrival decides, not of delivery.
    """
    columns = tables.deid_instances.c
    keys = [one.key for one in delivered]
    there = set(connection.execute(select(columns.key).where(columns.key.in_(keys))).scalars())
    fresh: dict[str, Row] = {}
    for one in delivered:
        if one.key not in there:
            fresh[one.key] = {
                "key": one.key,
                "sequence": order[one.raw_key],
                "size": one.size,
                "checksum": one.checksum,
                "delivered": time.time(),
                **instance_columns(one.instance),
            }
    if fresh:
        add_models(
            connection, Zone.DEID, {one.key: (one.model, one.frames) for one in delivered if one.key in fresh}
        )
        uids = {str(row["instance_uid"]) for row in fresh.values()}
        _supersede(connection, uids, list(fresh.values()))


def _supersede(connection: Connection, uids: set[str], fresh: list[Row]) -> None:
    columns = tables.deid_instances.c
    current = select(columns.instance_uid, columns.key, columns.sequence).where(
        columns.instance_uid.in_(uids), columns.superseded_by == ""
    )
    latest = {uid: (sequence, key) for uid, key, sequence in connection.execute(current)}
    current_before = {uid: key for uid, (_, key) in latest.items()}
    before = set(current_before.values())
    for row in fresh:
        uid, sequence, key = str(row["instance_uid"]), int(row["sequence"] or 0), str(row["key"])
        # The same arrival delivered anew (another profile or engine) takes the place of what it gave before.
        if uid not in latest or sequence >= latest[uid][0]:
            latest[uid] = sequence, key
    for row in fresh:
        newest = latest[str(row["instance_uid"])][1]
        row["superseded_by"] = "" if newest == row["key"] else newest
    connection.execute(insert(tables.deid_instances), fresh)
    after = {key for _, key in latest.values()}
    replaced = before - after
    if replaced:
        _mark_superseded(connection, replaced, {uid: key for uid, (_, key) in latest.items()})
    touched = _pairs_of(connection, Zone.DEID, sorted(replaced))
    refresh(connection, Zone.DEID, touched | _pairs(fresh))
    shown = [row for row in fresh if not row["superseded_by"]]
    older = {str(row["key"]): current_before.get(str(row["instance_uid"])) for row in shown}
    told = {key: replaced_key for key, replaced_key in older.items() if replaced_key}
    note_versions(connection, Zone.DEID, Action.DEIDENTIFIED, shown, told)


def _pairs(rows: Sequence[Row]) -> set[Pair]:
    return {(str(row["study_uid"]), str(row["series_uid"])) for row in rows}


def _pairs_of(connection: Connection, zone: Zone, keys: Sequence[str]) -> set[Pair]:
    """Return the series that some instances belong to."""
    columns = OF_ZONE[zone].instances.c
    if not keys:
        return set()
    found = select(columns.study_uid, columns.series_uid).where(columns.key.in_(keys))
    return {(study, series) for study, series in connection.execute(found)}


def _mark_superseded(connection: Connection, replaced: set[str], newest: dict[str, str]) -> None:
    columns = tables.deid_instances.c
    rows = connection.execute(select(columns.key, columns.instance_uid).where(columns.key.in_(replaced)))
    changes = [{"older": key, "newer": newest[uid]} for key, uid in rows]
    mark = update(tables.deid_instances).where(columns.key == bindparam("older"))
    connection.execute(mark.values(superseded_by=bindparam("newer")), changes)
