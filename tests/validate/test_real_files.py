"""The rules on every real file that pydicom ships and the gate passes, against a table that was read by eye.

The table was held against dicom3tools' dciodvfy: whatever is missing or malformed here, it reports too.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from scanward.validate import validate
from tests.validate.realfiles import TABLE, passed, rows


@pytest.mark.unit
def test_each_real_file_breaks_the_rules_of_the_table() -> None:
    with TABLE.open(encoding="utf-8", newline="") as table:
        expected = list(csv.DictReader(table))

    found = list(rows())

    assert len(found) > 100
    assert found == expected


@pytest.mark.unit
def test_only_what_has_no_name_is_refused() -> None:
    refused = [row["reject"] for row in rows() if row["reject"]]

    assert refused
    assert {rule.split(":")[0] for rules in refused for rule in rules.split()} == {"identifier-missing"}


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_what_is_missing_by_type_2_is_missing_for_dciodvfy_too() -> None:
    differing = []
    for path, view, structure in passed():
        missing = {
            fault.message.split(" ")[0]
            for fault in validate(view, structure, {})
            if fault.rule == "type2-missing" and "." not in fault.path
        }
        verdict = _dciodvfy(path) if missing else ""
        # dciodvfy knows no private class, and aborts on pixels of 32 bits.
        if "Information Object Not found" not in verdict and "Assertion" not in verdict:
            differing += [(path.name, name) for name in sorted(missing) if f"Element=<{name}>" not in verdict]

    assert differing == []


def _dciodvfy(path: Path) -> str:
    # It is known to exit with 1 on any error, and quotes values in the object's own encoding.
    return subprocess.run(["dciodvfy", path], check=False, capture_output=True).stderr.decode("latin-1")
