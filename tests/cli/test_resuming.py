from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import (
    command,
    environment,
    outputs,
    rows_of,
    scanward,
    summary_of,
    write_ct,
    write_folder,
)

pytestmark = pytest.mark.integration
SILENT: dict[str, Any] = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def run_json(tmp_path: Path, *options: object) -> dict[str, int]:
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--json", "--jobs", 1, *options)
    assert run.returncode in {0, 1}, run.stderr
    counts: dict[str, int] = summary_of(run)["outcomes"]
    return {outcome: count for outcome, count in counts.items() if count}


def test_a_second_run_does_nothing_again(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 9)
    assert run_json(tmp_path) == {"deidentified": 9}
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.dcm")}
    assert run_json(tmp_path) == {"already done": 9}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.dcm")} == before


def test_changed_and_new_inputs_and_lost_outputs_are_done_again(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 9)
    run_json(tmp_path)
    write_ct(tmp_path / "in" / "set0" / "IM00000.dcm", 700)
    write_ct(tmp_path / "in" / "new.dcm", 701)
    (tmp_path / "out" / "set1" / "IM00001.dcm").unlink()
    (tmp_path / "out" / "set2" / "IM00002.dcm").write_bytes(b"cut")
    assert run_json(tmp_path, "--force") == {"deidentified": 4, "already done": 6}
    assert run_json(tmp_path) == {"already done": 10}
    fresh = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "fresh", "--jobs", 1)
    assert fresh.returncode == 0
    assert outputs(tmp_path / "out") == outputs(tmp_path / "fresh")


def test_another_profile_does_all_again_in_place_of_the_old(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 9)
    run_json(tmp_path)
    old = outputs(tmp_path / "out")
    assert run_json(tmp_path, "--profile", "research") == {"deidentified": 9}
    new = outputs(tmp_path / "out")
    assert new.keys() == old.keys()
    assert all(new[name] != old[name] for name in new)
    assert run_json(tmp_path, "--profile", "research") == {"already done": 9}


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_in_the_middle_again_and_again_it_ends_like_one_whole_run(jobs: int, tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 600)
    run_whole = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "whole", "--jobs", jobs)
    assert run_whole.returncode == 0, run_whole.stderr
    started = time.monotonic()
    scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "timed", "--jobs", jobs)
    seconds = time.monotonic() - started
    arguments = command("deidentify", tmp_path / "in", tmp_path / "out", "--jobs", jobs)
    arguments += ["--report", str(tmp_path / "r.jsonl")]
    for part in (0.3, 0.5, 0.7, 0.8, 0.9):
        with subprocess.Popen(
            arguments, env=environment(tmp_path), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as run:
            time.sleep(seconds * part)
            run.send_signal(signal.SIGKILL)
        for name, body in outputs(tmp_path / "out").items():
            assert body == (tmp_path / "whole" / name).read_bytes(), "a half output under a final name"
    last = scanward(tmp_path, *arguments[3:])
    assert last.returncode == 0, last.stderr
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert list((tmp_path / "out" / ".scanward" / "tmp").iterdir()) == []
    reported = [row["output"] for row in rows_of((tmp_path / "r.jsonl").read_text())]
    assert sorted(reported) == sorted(outputs(tmp_path / "whole"))


def test_ctrl_c_ends_cleanly_and_the_next_run_goes_on(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 600)
    arguments = command("deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 2)
    with subprocess.Popen(
        arguments,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + 60
        while len(outputs(tmp_path / "out")) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    assert run.returncode in {0, 130}  # it may have been faster than the signal
    assert "Traceback" not in said
    assert scanward(tmp_path, *arguments[3:]).returncode == 0
    assert len(outputs(tmp_path / "out")) == 600


def test_two_runs_at_once_on_one_output_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 600)
    arguments = command("deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 2)
    with subprocess.Popen(
        arguments, env=environment(tmp_path), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as first:
        deadline = time.monotonic() + 60
        while not (tmp_path / "out" / ".scanward" / "lock-1of1").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        second = scanward(tmp_path, *arguments[3:])
        running = first.poll() is None
        first.wait(timeout=120)
    assert not running or second.returncode == 2
    assert not running or "Another run" in second.stderr


def test_the_state_holds_no_identifier_and_no_path_of_the_input(tmp_path: Path) -> None:
    write_ct(tmp_path / "in" / "Zwiebelfisch_Adalbert" / "MRN-0047113.dcm")
    run_json(tmp_path)
    state = b"".join(
        path.read_bytes() for path in (tmp_path / "out" / ".scanward").rglob("*") if path.is_file()
    )
    assert state
    for word in (b"zwiebelfisch", b"adalbert", b"0047113"):
        assert word not in state.lower()


def test_shards_in_one_output_give_what_one_run_gives(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 60)
    (tmp_path / "in" / "notes.txt").write_text("not DICOM")
    whole = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "whole", "--jobs", 1)
    assert whole.returncode == 0
    files = 0
    for index in (3, 1, 2):
        run = scanward(
            tmp_path,
            "deidentify",
            tmp_path / "in",
            tmp_path / "out",
            "--jobs",
            1,
            "--shard",
            f"{index}/3",
            "--json",
        )
        assert run.returncode == 0, run.stderr
        assert 8 <= summary_of(run)["files"] <= 35
        files += summary_of(run)["files"]
    assert files == 61
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert run_json(tmp_path) == {"already done": 60, "skipped": 1}


def test_an_output_of_an_earlier_policy_does_not_outlive_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 6)
    body = (tmp_path / "in" / "set0" / "IM00000.dcm").read_bytes()
    run_json(tmp_path, "--names", "pseudonymous")
    (tmp_path / "in" / "set0" / "IM00000.dcm").write_bytes(body[:-40])
    assert run_json(tmp_path) == {"deidentified": 5, "rejected": 1}
    (tmp_path / "in" / "set0" / "IM00000.dcm").unlink()
    assert set(outputs(tmp_path / "out")) == set(outputs(tmp_path / "in"))
