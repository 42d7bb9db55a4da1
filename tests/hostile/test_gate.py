from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanward.dicom.parser import DICOMParser
from scanward.dicom.structure.rules import RULES
from scanward.errors import InvalidDicom
from tests.hostile.corpus import CASES, Case
from tests.hostile.structures import BOMBS

pytestmark = pytest.mark.unit

_SECONDS = 5.0
_BYTES = 300 << 20


@pytest.fixture(scope="module")
def child() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.hostile.runner"]
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with subprocess.Popen(
        command, env=untraced, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_bad_input_ends_as_stated_in_time_and_memory(
    case: Case, child: subprocess.Popen[str], tmp_path: Path
) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    path = case.build(folder)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps([str(path), str(folder)]) + "\n")
    child.stdin.flush()
    outcome, rules, seconds, peak = json.loads(child.stdout.readline())
    assert (outcome, case.rule in rules or not case.rule) == (case.expected, True), rules
    assert seconds < _SECONDS
    assert peak < _BYTES


@pytest.mark.parametrize("case", [case for case in CASES if case not in BOMBS], ids=str)
def test_the_parser_takes_what_the_gate_takes_and_says_nothing_of_what_is_inside(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = case.build(tmp_path)
    if case.rule == "link-outside":
        pytest.skip("a parsed file is named by its user, who may name a link")
    try:
        DICOMParser().parse_file(path)
    except InvalidDicom as refused:
        told = json.dumps(refused.as_json()) + str(refused)
        assert case.expected == "rejected" or "pydicom" in told
        assert not any(value in told for value in ("Doe", "Jane", "12345678", "passwd", "script"))
    else:
        assert case.expected != "rejected"
    assert capfd.readouterr() == ("", "")


def test_the_corpus_names_each_case_once_and_is_as_wide_as_promised() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 150


def test_every_rule_of_the_gate_is_broken_by_some_case() -> None:
    hard_to_build = {
        "object-too-large",  # a file beyond 4 GiB
        "transfer-syntax-missing",  # needs a file that begins like none of the cases
    }
    assert set(RULES) - {case.rule for case in CASES} - hard_to_build == set()
