"""The layer holds all that the functions import: nothing of the emulator's own environment helps them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.emulator.layer import build
from tests.emulator.machine import ROOT

pytestmark = pytest.mark.integration

_LIMIT = 250 << 20  # Lambda's, of a function and its layers, unpacked
_ALL = """
import importlib, pkgutil, sys
sys.path[:] = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
for name in ("entrypoints.aws_lambda", "adapters.aws", "deidentify", "validate", "store", "dicom"):
    package = importlib.import_module(f"scanward.{name}")
    for found in pkgutil.walk_packages(package.__path__, f"scanward.{name}."):
        importlib.import_module(found.name)
importlib.import_module("scanward.entrypoints.naming")
print(len([name for name in sys.modules if name.startswith("scanward.")]))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer")
    with zipfile.ZipFile(build(folder / "layer.zip")) as archive:
        archive.extractall(folder)
    return folder / "python"


def test_whatever_a_function_may_import_is_there(unpacked: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ALL, unpacked],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 50


def test_it_is_within_the_limit_and_holds_no_door_of_one_machine(unpacked: Path) -> None:
    files = [path for path in unpacked.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < _LIMIT
    assert not (unpacked / "scanward/entrypoints/cli").exists()
    assert not list(unpacked.glob("typer*"))
