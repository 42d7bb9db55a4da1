"""The lines that docs/USER_GUIDE.md prints for AWS, run in their order on the stack, but for those marked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.emulator.machine import AWS, ROOT
from tests.emulator.objects import scan
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration

GUIDE = ROOT / "docs/USER_GUIDE.md"
_BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n)?^```(\w+)\n(.+?)^```", re.MULTILINE | re.DOTALL)
_TERRAFORM = """#!/usr/bin/env python3
import json, pathlib, sys
found = json.loads(pathlib.Path(__file__).with_name("outputs.json").read_text())[sys.argv[-1]]
print(found if "-raw" in sys.argv else json.dumps(found))
"""
PLACE = "patient123/study456"


@dataclass(frozen=True)
class Block:
    """What is printed in one piece."""

    language: str
    code: str


def blocks(after: str, before: str) -> Iterator[Block]:
    """Yield the blocks between two headings that are not marked as not run."""
    text = GUIDE.read_text(encoding="utf-8")
    for marked, language, code in _BLOCK.findall(text[text.index(after) : text.index(before)]):
        if not marked and language in {"bash", "python"}:
            yield Block(language, code)


class Shell:
    """A person's terminal, which remembers its variables from block to block."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        """Put `aws`, `scanward`, `python` and a stand-in for `terraform` on the path."""
        programs = folder / "bin"
        programs.mkdir()
        (folder / "terraform").mkdir()
        (programs / "aws").symlink_to(AWS)
        (programs / "terraform").write_text(_TERRAFORM)
        (programs / "terraform").chmod(0o755)
        snake = {
            re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in stack.outputs.items()
        }
        (programs / "outputs.json").write_text(json.dumps(snake))
        self.folder = folder
        self.said: list[str] = []
        self._environment = {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            **stack.account.environment,
        }

    def run(self, block: Block) -> None:
        """Run a block as it is printed; keep what it said."""
        code = block.code
        if block.language == "python":
            (self.folder / "block.py").write_text(code)
            code = "python block.py"
        remembered = "[ -e variables ] && source variables; cd terraform/..\nset -a\n"
        run = subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                f"{remembered}{code}\ncd {self.folder}; export -p > variables",
            ],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, f"{block.code}\n{run.stdout}\n{run.stderr}"
        self.said.append(run.stdout)


def test_every_printed_line_of_the_guide_works_in_its_order(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(scan(81))
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans/image003.dcm").write_bytes(scan(82))
    shell = Shell(stack, tmp_path)
    for block in blocks("### Names", "### Following"):
        shell.run(block)
    assert '"medical-imaging-pipeline-dev-raw-dicom"' in shell.said[0]
    wanted = {f"{PLACE}/{name}.dcm" for name in ("scan", "image001", "image002", "image003")}
    wait_for(lambda: wanted <= set(stack.keys(stack.processed)), "what the lines uploaded")
    stack.settle()
    for block in blocks("### Following", "### Questions"):
        shell.run(block)
    assert dcmread(tmp_path / "downloaded.dcm").PatientName == "REMOVED"
    assert {path.name for path in (tmp_path / "downloads").iterdir()} >= {"image001.dcm", "image002.dcm"}
    assert any("SUCCEEDED" in said for said in shell.said)
    stack.settle()
    for block in blocks("### Questions", "## All options"):
        shell.run(block)
    assert not [key for key in stack.keys(stack.raw) if key.startswith(PLACE)]


def test_few_blocks_are_left_out_and_each_says_why() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    part = text[text.index("## On AWS") : text.index("## All options")]
    reasons = re.findall(r"<!-- not run: (.+) -->\n```", part)
    assert sorted(set(reasons)) == [
        "no emulator keeps bills",
        "the link is what the lines above print",
        "version 2 of the command line",
    ]
