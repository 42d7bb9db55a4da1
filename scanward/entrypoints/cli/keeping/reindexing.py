"""`scanward reindex`: what the catalog tells of each object, made anew from the object itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, cast

from rich.progress import Progress

from scanward.entrypoints.cli.console import err, out, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.errors import InvalidDicom, NotFound
from scanward.ports import Ports
from scanward.ports.catalog import Received
from scanward.ports.object_store import Sweepable, Zone
from scanward.receive.part10 import read_kept
from scanward.settings import Settings
from scanward.wiring import open_bounds, open_ports

_AT_ONCE: Final = 64
_ZONES: Final = (Zone.RAW, Zone.DEID)


def reindex_command(settings: Settings, *, json: bool) -> int:
    """Read every object again; return 0 if all could be read.

    Rows are renewed; originals without a row are taken in, with an execution each, so that the line makes
    their outputs' rows again. Studies and series are made anew. Names of senders, audit and executions that
    were lost come from a backup only.
    """
    ports = open_ports(settings, sweep=False)
    counts: Counter[str] = Counter()
    with Progress(console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task("Objects read", total=None)
        for zone in _ZONES:
            for batch in _batches(ports, zone, settings, counts):
                _renew(ports, zone, batch, counts)
                progress.update(task, completed=counts["renewed"] + counts["taken in"])
            ports.inventory.rebuild(zone)
    if json:
        print_json(dict(counts))
    else:
        said = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        out().print(f"Objects: {said or 'none'}.")
        if counts["taken in"]:
            out().print("A running service or `scanward worker` takes what was taken in through the line.")
    return PARTLY if counts["unreadable"] else 0


def _renew(ports: Ports, zone: Zone, batch: Sequence[Received], counts: Counter[str]) -> None:
    renewed = ports.inventory.renew(zone, batch)
    counts["renewed"] += renewed
    if renewed < len(batch) and zone is Zone.RAW:
        receipts = ports.catalog.receive(batch)
        counts["taken in"] += sum(not one.duplicate for one in receipts)
    elif renewed < len(batch):
        counts["without a row"] += len(batch) - renewed


def _batches(ports: Ports, zone: Zone, settings: Settings, counts: Counter[str]) -> Iterator[list[Received]]:
    read = _read(ports, zone, settings, counts)
    while batch := list(islice(read, _AT_ONCE)):
        yield batch


def _read(ports: Ports, zone: Zone, settings: Settings, counts: Counter[str]) -> Iterator[Received]:
    bounds = open_bounds(settings)
    for key in cast("Sweepable", ports.objects).keys(zone):
        try:
            with ports.objects.open(zone, key) as opened:
                yield read_kept(key, opened.view, bounds)
        except (InvalidDicom, NotFound):
            counts["unreadable"] += 1
