"""`scanward check`: every object's checksum, objects without a row, rows without an object."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, cast

from rich.progress import Progress
from rich.table import Table

from scanward.entrypoints.cli.console import err, out, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.errors import NotFound
from scanward.ports import Ports
from scanward.ports.inventory import Row
from scanward.ports.object_store import Sweepable, Zone
from scanward.settings import Settings
from scanward.wiring import open_ports

_CHUNK: Final = 1 << 20
_ADVICE: Final = {
    "missing": "restore it from a backup of the store",
    "damaged": "restore it from a backup of the store; the disk may be failing",
    "unknown": "`scanward reindex` takes originals in; others are leftovers",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one object. what: missing (no object), damaged (other bytes), unknown (no row)."""

    zone: str
    key: str
    what: str


def check_command(settings: Settings, *, quick: bool, json: bool) -> int:
    """Look at every object; return 0 if all is as the catalog says. With `quick` no content is read."""
    ports = open_ports(settings, sweep=False)
    counts: Counter[str] = Counter()
    findings: list[Finding] = []
    with Progress(console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task("Objects looked at", total=None)
        for zone in Zone:
            for found in compare(zone, ports, cast("Sweepable", ports.objects), quick=quick):
                counts["objects"] += 1
                progress.update(task, completed=counts["objects"])
                if found is not None:
                    counts[found.what] += 1
                    findings.append(found)
    _tell(findings, counts, json=json)
    return PARTLY if findings else 0


def compare(zone: Zone, ports: Ports, store: Sweepable, *, quick: bool) -> Iterator[Finding | None]:
    """Yield one answer an object or row of a zone, by key; None where all is well."""
    rows, keys = ports.inventory.rows(zone), iter(store.keys(zone))
    row, key = next(rows, None), next(keys, None)
    while row is not None or key is not None:
        if row is None or (key is not None and key < row.key):
            yield Finding(zone.value, key or "", "unknown")
            key = next(keys, None)
        elif key is None or row.key < key:
            yield Finding(zone.value, row.key, "missing")
            row = next(rows, None)
        else:
            what = "" if quick else _judge(zone, ports, row)
            yield Finding(zone.value, row.key, what) if what else None
            row, key = next(rows, None), next(keys, None)


def _judge(zone: Zone, ports: Ports, row: Row) -> str:
    """Return what is wrong with an object that is there, "" for nothing."""
    try:
        with ports.objects.open(zone, row.key) as opened:
            view = opened.view
            if len(view) != row.size:
                return "damaged"
            digest = hashlib.sha256()
            for start in range(0, len(view), _CHUNK):
                digest.update(view[start : start + _CHUNK])
    except NotFound:
        return "missing"  # it went while we looked
    return "" if digest.hexdigest() == row.checksum else "damaged"


def _tell(findings: list[Finding], counts: Counter[str], *, json: bool) -> None:
    if json:
        print_json({"counts": counts, "findings": [asdict(one) for one in findings]})
        return
    if findings:
        table = Table(box=None, pad_edge=False)
        for column in ("Zone", "Object", "Is", "What to do"):
            table.add_column(column, overflow="fold")
        for one in findings:
            table.add_row(one.zone, one.key, one.what, _ADVICE[one.what])
        out().print(table)
    wrong = ", ".join(f"{counts[what]} {what}" for what in _ADVICE if counts[what])
    out().print(f"{counts['objects']} objects looked at: {wrong or 'all are as the catalog says'}.")
