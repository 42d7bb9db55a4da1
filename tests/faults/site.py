"""One site under test: its settings, ways to send to it, and the invariant that no fault may break."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable
from pathlib import Path

from scanward import pipeline, wiring
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.dicom import structure
from scanward.ports import Ports
from scanward.ports.catalog import Kept, Receipt
from scanward.ports.executions import Execution, Status
from scanward.ports.object_store import Zone
from scanward.settings import Settings


def settings(folder: Path, **more: object) -> Settings:
    fields: dict[str, object] = {
        "data": folder / "data",
        "key_file": folder / "keys" / "site.key",
        "free_space_bytes": 0,
        "log_level": "ERROR",
    }
    return Settings(**(fields | more))  # type: ignore[arg-type]  # fields are named by the test


def send(ports: Ports, contents: Iterable[bytes], names: Iterable[str] = ()) -> list[Receipt]:
    """Bring files as a door does: staged one by one, accepted together, discarded if it cannot be."""
    arrivals = []
    given = iter(names)
    try:
        for content in contents:
            arrivals.append(pipeline.Arrival(ports.objects.stage(), next(given, "object.dcm")))
            arrivals[-1].staged.write(content)
        return pipeline.accept(arrivals, ports)
    finally:
        for arrival in arrivals:
            arrival.staged.discard()


def work_alone(site: Settings, ports: Ports) -> None:
    """Do all that waits in this process, as a worker would."""
    line = wiring.open_line(site, ports)
    while claims := ports.queue.claim(f"{socket.gethostname()}-test", 20, 60):
        works = [pipeline.advance(claim, line) for claim in claims]
        ports.queue.finish(pipeline.settle(works, ports))


def everything(ports: Ports) -> list[Execution]:
    found: list[Execution] = []
    while page := ports.executions.list(limit=500, after=found[-1].id if found else ""):
        found += page
    return found


def kept(ports: Ports, zone: Zone) -> list[Kept]:
    return [
        one
        for study in ports.catalog.studies(zone, limit=10_000)
        for one in ports.catalog.instances(zone, study.study_uid)
    ]


def assert_whole(ports: Ports, contents: dict[str, bytes], acknowledged: Iterable[str]) -> None:
    """Every acknowledged object is once in both zones and the catalog, whole; nothing else lies about."""
    store, catalog = ports.objects, ports.catalog
    assert isinstance(store, FileStore)
    assert isinstance(catalog, SqlCatalog)
    raw, deid, executions = kept(ports, Zone.RAW), kept(ports, Zone.DEID), everything(ports)
    keys = [one.key for one in raw]
    assert len(keys) == len(set(keys))
    expected = {hashlib.sha256(contents[name]).hexdigest(): contents[name] for name in acknowledged}
    assert expected.keys() <= set(keys)
    for key in keys:
        with store.open(Zone.RAW, key) as opened:
            assert hashlib.sha256(opened.view).hexdigest() == key
    assert sorted(execution.raw_key for execution in executions) == sorted(keys)
    assert {execution.status for execution in executions} <= {Status.SUCCEEDED}
    assert sorted(execution.deid_key for execution in executions) == sorted(one.key for one in deid)
    for one in deid:
        with store.open(Zone.DEID, one.key) as opened:
            assert hashlib.sha256(opened.view).hexdigest() == one.checksum
            assert structure.check(opened.view).instance_uid == one.instance.instance_uid
    assert len({one.instance.instance_uid for one in deid}) == len(deid)
    assert sorted(store.keys(Zone.RAW)) == sorted(keys)
    assert sorted(store.keys(Zone.DEID)) == sorted(one.key for one in deid)
    assert not list((store.root / "staging").iterdir())
