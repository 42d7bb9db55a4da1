from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.generate_docs import ROOT

pytestmark = pytest.mark.integration


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of its own for the demo, with this environment lent to it."""
    target = tmp_path / "checkout"
    target.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock", "requirements-dev.txt"):
        shutil.copy2(ROOT / name, target / name)
    for name in ("scripts", "scanward"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    (target / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (target / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    # The environment is ready: a stamp that is newer than the lock says so.
    (target / ".venv" / ".setup-done").touch()
    return target


def demo(copy: Path, *settings: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCANWARD_")}
    run = subprocess.run(
        ["make", "demo", "ONCE=1", *settings],
        cwd=copy,
        env=environment | {"COLUMNS": "200", "HOME": str(copy)},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def test_the_demo_shows_every_real_file_once_and_twice_over(copy: Path) -> None:
    said = demo(copy)
    for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm"):
        assert name in said
    summary = re.search(r"(\d+) files .* (\d+) rejected .* (\d+) quarantined .* (\d+) deidentified", said)
    assert summary is not None
    assert min(int(count) for count in summary.groups()) >= 50
    assert "DICOMDIR" in said
    # The key never lies in the data folder.
    assert (copy / ".demo" / "site.key").is_file()
    assert not list((copy / ".demo" / "data").rglob("*.key"))
    again = demo(copy)
    assert "CT_small.dcm" in again


def test_the_demo_takes_a_folder_of_ones_own(copy: Path, tmp_path: Path) -> None:
    own = tmp_path / "my images"
    own.mkdir()
    (own / "notes.txt").write_text("not an image")
    assert "notes.txt" in demo(copy, f"DIR={own}")
