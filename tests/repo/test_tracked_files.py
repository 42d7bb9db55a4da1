from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from scripts.generate_docs import ROOT

pytestmark = pytest.mark.unit

# A lock names the place of every file that it locks; nothing else may know one, nor a path of a machine.
FORBIDDEN = re.compile(rb"files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian|/root/|/work/|/home/\w")
UNFINISHED = re.compile(rb"\b(TODO|FIXME|XXX)\b|NotImplementedError")
BINARY = {".png", ".dcm", ".gz", ".bin"}


@cache
def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True, timeout=60)
    if listed.returncode:
        pytest.skip("not a clone")
    return tuple(ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)


def holding(pattern: re.Pattern[bytes], paths: list[Path]) -> list[str]:
    return [
        str(path.relative_to(ROOT)) for path in paths if path.is_file() and pattern.search(path.read_bytes())
    ]


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    paths = [path for path in tracked() if path.name != "uv.lock" and path != Path(__file__)]
    assert holding(FORBIDDEN, paths) == []


def test_nothing_that_is_shipped_is_left_unfinished() -> None:
    assert holding(UNFINISHED, [path for path in tracked() if (ROOT / "scanward") in path.parents]) == []


def test_no_image_is_tracked() -> None:
    assert [path.name for path in tracked() if path.suffix.lower() in {".dcm", ".dicom", ".ima"}] == []


def test_no_python_file_grows_beyond_what_one_reads_at_once() -> None:
    long = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in tracked() if path.suffix == ".py"
    }
    assert {str(path.relative_to(ROOT)): lines for path, lines in long.items() if lines > 400} == {}


def test_help_is_generated_from_the_comments_of_the_makefile() -> None:
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony is not None
    assert re.findall(r"^make (\S+)", said, re.MULTILINE) == [
        name for name in re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE) if name in phony[1].split()
    ]
    assert set(re.findall(r"^make (\S+)", said, re.MULTILINE)) == set(phony[1].split())
