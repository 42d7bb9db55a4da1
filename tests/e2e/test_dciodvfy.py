from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pydicom
import pytest

from tests.e2e.running import scanward

pytestmark = pytest.mark.integration

SHIPPED = Path(pydicom.__file__).parent / "data"
UID = re.compile(r"\d+(\.\d+)+|\d+")
VALUE = re.compile(r"= <.*>(?= -|$)")
# Values of an output are others than its input's, in the same place: both ways of saying so are one fault.
PROFILES = ("hipaa-safe-harbor", "basic", "research", "limited-data-set")


@pytest.fixture(scope="module", autouse=True)
def _has_dciodvfy() -> None:
    if shutil.which("dciodvfy") is None:
        # Continuous integration installs it; a machine without root may lack it.
        assert "CI" not in os.environ, "dciodvfy is missing: make setup"
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")


def errors(path: Path) -> Counter[str]:
    """Return dciodvfy's errors of a file without the values in them; a crash of its own counts as one."""
    run = subprocess.run(["dciodvfy", path], check=False, capture_output=True, timeout=60)
    said = (run.stdout + run.stderr).decode("latin-1").splitlines()
    wrong = [line for line in said if line.startswith("Error") or "Assertion" in line]
    return Counter(UID.sub("#", VALUE.sub("= <>", line)) for line in wrong)


@cache
def errors_before(path: Path) -> Counter[str]:
    return errors(path)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_output_has_an_error_that_its_input_has_not(profile: str, tmp_path: Path) -> None:
    new: dict[str, list[str]] = {}
    compared = 0
    for folder in ("test_files", "charset_files"):
        target = tmp_path / folder
        scanward(
            *("deidentify", SHIPPED / folder, target, "--profile", profile, "--names", "preserve"),
            home=tmp_path / "home",
        )
        for output in sorted(path for path in target.rglob("*") if path.is_file()):
            name = output.relative_to(target)
            if not (SHIPPED / folder / name).is_file():
                continue
            compared += 1
            added = errors(output) - errors_before(SHIPPED / folder / name)
            if added:
                new[f"{folder}/{name}"] = sorted(added.elements())
    assert new == {}
    assert compared >= 50
