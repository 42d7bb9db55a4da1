from __future__ import annotations

import contextlib
import os
import pty
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import command, environment, outputs, scanward, write_folder

pytestmark = pytest.mark.integration


def on_a_terminal(tmp_path: Path, *arguments: object) -> str:
    """Run the program with a terminal as its standard error and return what it drew there."""
    ours, theirs = pty.openpty()
    drawn = bytearray()
    environ = environment(tmp_path, TERM="xterm-256color")
    with subprocess.Popen(command(*arguments), env=environ, stdout=subprocess.DEVNULL, stderr=theirs) as run:
        os.close(theirs)
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                drawn += chunk
        assert run.wait(timeout=120) == 0
    os.close(ours)
    return drawn.decode(errors="replace")


def test_a_bar_moves_on_a_terminal_and_plain_words_go_elsewhere(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 300)
    drawn = on_a_terminal(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    assert "De-identifying" in drawn
    assert "/300" in drawn
    assert "MB/s" in drawn or "kB/s" in drawn
    plain = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "plain", "--jobs", 1)
    assert "\x1b" not in plain.stderr + plain.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = shutil.which("mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], check=False, stderr=subprocess.DEVNULL
    )
    if not made or made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_run_with_a_sentence_and_leaves_no_half_file(
    tmp_path: Path, small_disk: Path
) -> None:
    write_folder(tmp_path / "in", 150)
    whole = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "whole", "--jobs", 1)
    assert whole.returncode == 0
    expected = outputs(tmp_path / "whole")
    for jobs in (1, 2):
        run = scanward(tmp_path, "deidentify", tmp_path / "in", small_disk / "out", "--jobs", jobs)
        assert run.returncode == 3
        assert "full" in run.stderr
        assert "Traceback" not in run.stderr
        assert all(expected[name] == body for name, body in outputs(small_disk / "out").items())
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert scanward(tmp_path, "deidentify", tmp_path / "in", small_disk / "out", "--jobs", 2).returncode == 0
    assert outputs(small_disk / "out") == expected


def test_an_output_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path, small_disk: Path) -> None:
    write_folder(tmp_path / "in", 3)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    run = scanward(tmp_path, "deidentify", tmp_path / "in", small_disk / "out")
    assert run.returncode == 3
    assert "cannot be written" in run.stderr
