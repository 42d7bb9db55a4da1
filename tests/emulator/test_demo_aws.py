"""`make demo-aws`: once, and staying up for somebody who tries its lines by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.emulator.machine import ROOT
from tests.emulator.objects import scan

pytestmark = pytest.mark.integration


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return a shell's environment that knows no account, with temporary files of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SCANWARD_", "AWS_"))}
    return kept | {"COLUMNS": "160", "TMPDIR": str(folder), "HOME": str(folder)} | settings


def test_once_it_shows_every_file_as_it_ends_on_one_machine_and_leaves_nothing(tmp_path: Path) -> None:
    run = subprocess.run(
        ["make", "--silent", "demo-aws", "ONCE=1"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert re.search(r"CT_small\.dcm +Ingestion > Validation > Deidentify +SUCCEEDED", run.stdout)
    assert re.search(r"MR_truncated\.dcm +Ingestion > Quarantine +FAILED .* Invalid DICOM file", run.stdout)
    assert re.search(r"README\.txt +IGNORED", run.stdout)
    assert "ended as they do on one machine" in run.stdout
    assert "No identifier of the original was found" in run.stdout
    assert list(tmp_path.glob("scanward-aws-*")) == []


def test_it_stays_up_and_its_printed_lines_work_until_it_is_interrupted(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.dcm").write_bytes(scan(71))
    (tmp_path / "scan.dcm").write_bytes(scan(72))
    said = ""
    with tempfile.TemporaryFile() as errors:
        demo = subprocess.Popen(
            [sys.executable, "-u", "-m", "scripts.demo_aws"],
            cwd=ROOT,
            env=environment(tmp_path, DIR=str(own)),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                said += line
                if "stays up until" in line:
                    break
            assert re.search(r"mine\.dcm .* SUCCEEDED", said)
            lines = said[said.index("export ") : said.index("It stays up")]
            tried = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", lines],
                cwd=tmp_path,
                env=environment(tmp_path),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert tried.returncode == 0, tried.stderr
            assert "CT_small.dcm" in tried.stdout
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)
    assert demo.returncode == 0
    assert list(tmp_path.glob("scanward-aws-*")) == []
