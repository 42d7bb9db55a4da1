"""Ctrl-C and SIGTERM end a command soon, leave no process, and a second run goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import command, environment, outputs, scanward, write_folder

pytestmark = pytest.mark.integration
COUNT = 600


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose environment names a folder: the command and all that it started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if f"HOME={folder}\0".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def stop(folder: Path, arguments: list[object], number: int, begun: Callable[[], bool]) -> float:
    """Start a command, signal it as soon as it works, and return how long it and its processes took."""
    whole = command(*arguments)
    with subprocess.Popen(
        whole, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        deadline = time.monotonic() + 100
        while not begun():
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        began = time.monotonic()
        run.send_signal(number)
        said = run.communicate(timeout=60)[1]
        while processes_of(folder):
            assert time.monotonic() < began + 30
            time.sleep(0.02)
    assert run.returncode == 130, said
    assert "run the same command again" in said
    assert "Traceback" not in said
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stopped_batch_ends_soon_and_goes_on_later(tmp_path: Path, jobs: int, number: int) -> None:
    write_folder(tmp_path / "in", COUNT)
    out = tmp_path / "out"
    arguments = ["deidentify", tmp_path / "in", out, "--jobs", jobs]
    assert stop(tmp_path, arguments, number, lambda: any(out.rglob("*.dcm"))) < 5
    assert len(outputs(out)) < COUNT
    again = scanward(tmp_path, *arguments)
    assert again.returncode == 0, again.stderr
    assert len(outputs(out)) == COUNT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_import_ends_soon_and_goes_on_later(tmp_path: Path, number: int) -> None:
    write_folder(tmp_path / "in", COUNT)
    raw = tmp_path / "data" / "store" / "raw"
    arguments = ["ingest", tmp_path / "in", "--data", tmp_path / "data"]

    def begun() -> bool:
        return raw.exists() and any(path.is_file() for path in raw.rglob("*"))

    assert stop(tmp_path, arguments, number, begun) < 5
    again = scanward(tmp_path, *arguments)
    assert again.returncode == 0, again.stderr


SWALLOWING = """
import os, signal
from scanward.entrypoints.cli import stopping

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

stopping.listen()
stopping.check()
one = Finalized()
del one  # what the signal raises in there, Python only prints
try:
    stopping.check()
except KeyboardInterrupt:
    print("stopped")
"""


def test_a_stop_that_a_finalizer_swallows_is_heard_at_the_next_batch() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SWALLOWING], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout == "stopped\n", run.stderr
    assert "Exception ignored" in run.stderr
