"""An object that hangs is refused after its time, whatever the batch runs on; the batch goes on."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import pytest

from scanward.entrypoints.cli.batch.dispatch import KILLED, Dispatcher
from scanward.entrypoints.cli.batch.plan import Entry, Outcome, Plan, Tally
from scanward.entrypoints.cli.batch.pools import InlinePool, Pool, ProcessPool
from scanward.entrypoints.cli.batch.request import Request, planned
from scanward.entrypoints.cli.batch.sources import sources
from scanward.settings import Settings
from tests.cli import hanging
from tests.cli.running import Person, write_ct

pytestmark = pytest.mark.integration


def plan_of(folder: Path, name: str) -> Plan:
    for number in range(7):
        write_ct(folder / "in" / f"{number}.dcm", number)
    write_ct(folder / "in" / "3-bad.dcm", 9, Person(name=name))
    settings = Settings(key_file=folder / "key" / "site.key", stage_seconds=1.0)
    return planned(Request(folder / "in", folder / "out", settings, dry=True))


def run(pool: Pool, plan: Plan) -> Tally:
    total = Tally()
    try:
        entries = (entry for entry in sources(plan) if isinstance(entry, Entry))
        for tally in Dispatcher(pool, plan, hanging.work, lambda _: "key").run(entries):
            total.add(tally)
            total.notes += tally.notes
    finally:
        pool.close()
    return total


def test_in_one_process_it_is_interrupted(tmp_path: Path) -> None:
    total = run(InlinePool(), plan_of(tmp_path, hanging.HANGING))
    assert total.outcomes == {Outcome.DEIDENTIFIED: 7, Outcome.REJECTED: 1}
    assert [note[::2] for note in total.notes] == [("3-bad.dcm", "it took longer than 1 s")]


def test_in_processes_it_is_interrupted(tmp_path: Path) -> None:
    total = run(ProcessPool(2), plan_of(tmp_path, hanging.HANGING))
    assert total.outcomes == {Outcome.DEIDENTIFIED: 7, Outcome.REJECTED: 1}
    assert [note[::2] for note in total.notes] == [("3-bad.dcm", "it took longer than 1 s")]


def test_in_a_thread_of_a_cluster_it_is_interrupted(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, hanging.HANGING)
    found: list[Tally] = []
    thread = threading.Thread(target=lambda: found.append(run(InlinePool(), plan)))
    thread.start()
    thread.join(60)
    assert found[0].outcomes == {Outcome.DEIDENTIFIED: 7, Outcome.REJECTED: 1}


@pytest.mark.slow
def test_a_process_that_cannot_be_interrupted_is_ended_and_the_file_found(tmp_path: Path) -> None:
    total = run(ProcessPool(2), plan_of(tmp_path, hanging.STUCK))
    assert total.outcomes == {Outcome.DEIDENTIFIED: 7, Outcome.REJECTED: 1}
    assert [note[::2] for note in total.notes] == [("3-bad.dcm", KILLED)]


def test_a_stop_does_not_wait_for_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, hanging.STUCK)
    pool = ProcessPool(1)
    pool.executor.submit(hanging.work, plan, tuple(sources(plan)))  # type: ignore[arg-type]  # files only
    time.sleep(2)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 5
    assert not multiprocessing.active_children()
