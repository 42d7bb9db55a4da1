from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from scanward.entrypoints.cli.batch.dispatch import KILLED, Dispatcher
from scanward.entrypoints.cli.batch.plan import Entry, Outcome, Plan, Tally
from scanward.entrypoints.cli.batch.pools import ProcessPool
from scanward.entrypoints.cli.configuration import read_settings
from scanward.errors import Unavailable
from tests.cli.running import command, environment, outputs, scanward, write_folder

pytestmark = pytest.mark.integration


def kill_on_poison(plan: Plan, entries: Sequence[Entry]) -> Tally:
    """Write each entry's name to a file of its own, and die of those that say so."""
    tally = Tally(files=len(entries))
    for entry in entries:
        if "poison" in entry.relative:
            os.kill(os.getpid(), signal.SIGKILL)
        (Path(plan.target) / entry.relative).write_text("done")
        tally.outcomes[Outcome.DEIDENTIFIED] += 1
    return tally


def test_a_file_that_kills_its_worker_is_rejected_and_no_other_is_lost(tmp_path: Path) -> None:
    plan = Plan(str(tmp_path), str(tmp_path), read_settings(), "", "safe", rows=True)
    names = [f"{number:03}" for number in range(30)]
    names[7], names[22] = "poison-a", "poison-b"
    pool = ProcessPool(2)
    total = Tally()
    try:
        dispatcher = Dispatcher(pool, plan, kill_on_poison, lambda _: "key")
        tallies = list(dispatcher.run(Entry(name, 1, 1) for name in names))
    finally:
        pool.close()
    for tally in tallies:
        total.add(tally)
    assert total.files == 30
    assert total.outcomes == {Outcome.DEIDENTIFIED: 28, Outcome.REJECTED: 2}
    notes = [note for tally in tallies for note in tally.notes]
    assert {note.relative for note in notes} == {"poison-a", "poison-b"}
    assert {note.reason for note in notes} == {KILLED}
    assert len(list(tmp_path.iterdir())) == 28


def die(plan: Plan, entries: Sequence[Entry]) -> Tally:
    """Die at once, whatever there is to do: as where a machine has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Tally(files=len(entries), seconds=len(plan.source))


def test_workers_that_die_of_nothing_stop_the_run_and_blame_no_file(tmp_path: Path) -> None:
    plan = Plan(str(tmp_path), str(tmp_path), read_settings(), "", "safe")
    pool = ProcessPool(1)
    try:
        dispatcher = Dispatcher(pool, plan, die, lambda _: "key")
        with pytest.raises(Unavailable):
            list(dispatcher.run(iter([Entry("a", 1, 1)])))
    finally:
        pool.close()


def test_a_process_killed_in_the_middle_costs_no_file(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 600)
    whole = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "whole", "--jobs", 1)
    assert whole.returncode == 0
    arguments = command("deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 2)
    with subprocess.Popen(arguments, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as run:
        killed = _kill_a_worker(run.pid, tmp_path / "out")
        said = run.communicate(timeout=200)[0]
    assert killed
    assert run.returncode == 0, said
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


def _kill_a_worker(main: int, out: Path) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(list(out.rglob("*.dcm"))) > 20:
            for worker in _workers_of(main):
                os.kill(worker, signal.SIGKILL)
                return True
        time.sleep(0.01)
    return False


def _workers_of(main: int) -> list[int]:
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_cluster_whose_worker_is_killed_in_the_middle_ends_like_one_process(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    write_folder(tmp_path / "in", 600)
    whole = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "whole", "--jobs", 1)
    assert whole.returncode == 0
    key = {"SCANWARD_KEY_FILE": str(tmp_path / ".config" / "scanward" / "site.key")}
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, env={**key}
    ) as cluster:
        options = ("--scheduler", cluster.scheduler_address)
        arguments = command("deidentify", tmp_path / "in", tmp_path / "out", *options)
        environ = environment(tmp_path, **key)
        with subprocess.Popen(arguments, env=environ, stdout=subprocess.PIPE, text=True) as run:
            deadline = time.monotonic() + 60
            while len(list((tmp_path / "out").rglob("*.dcm"))) < 20 and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
            said = run.communicate(timeout=200)[0]
    assert run.returncode == 0, said
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


def test_a_scheduler_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 1)
    options = ("--scheduler", "tcp://127.0.0.1:9")
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", *options)
    assert run.returncode == 3
    assert "scheduler" in run.stderr
    assert "Traceback" not in run.stderr
