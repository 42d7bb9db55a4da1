from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.running import outputs, rows_of, scanward, write_ct
from tests.hostile.corpus import CASES

pytestmark = pytest.mark.integration


@pytest.mark.slow
def test_every_case_of_bad_input_ends_and_the_batch_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for case in CASES:
        (source / case.name).mkdir(parents=True)
        case.build(source / case.name)
    write_ct(source / "0-first.dcm", 1)
    write_ct(source / "zzz-last.dcm", 2)
    began = time.monotonic()
    run = scanward(tmp_path, "deidentify", source, tmp_path / "out", "--jobs", 2, "--json")
    assert run.returncode == 1, run.stderr[-2000:]
    assert time.monotonic() - began < 5 * len(CASES)
    assert "Traceback" not in run.stderr
    rows = {row["input"]: row for row in rows_of(run.stdout)}
    assert {"0-first.dcm", "zzz-last.dcm"} <= {
        name for name, row in rows.items() if row["outcome"] == "deidentified"
    }
    made = set(outputs(tmp_path / "out"))
    reported = Counter(row["output"] for row in rows.values() if row["outcome"] == "deidentified")
    assert set(reported) == made
    for case in CASES:
        ended = [row for name, row in rows.items() if name.split("/")[0] == case.name]
        if case.expected == "rejected" and "link" not in case.name:  # here, all of it is one tree
            assert all(row["outcome"] != "deidentified" for row in ended), case.name
            assert all(row["reason"] for row in ended), case.name
