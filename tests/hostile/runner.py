"""Runs the gate over inputs named on standard input, in a process whose memory is measured."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from scanward.dicom.instance import describe
from scanward.dicom.structure import check, open_object
from scanward.errors import InvalidDicom


def judge(path: Path, folder: Path) -> tuple[str, list[str]]:
    """Return the gate's outcome and the rules it names; what passes is summarised too."""
    try:
        with open_object(path, inside=folder) as opened:
            structure = check(opened.view)
            describe(opened.view, structure)
    except InvalidDicom as refused:
        return "rejected", [fault.rule for fault in refused.faults if fault.severity == "reject"]
    return ("warned" if structure.warnings else "accepted"), [fault.rule for fault in structure.warnings]


def main() -> None:
    """Answer every line with outcome, rules, seconds of CPU, and the peak of memory in bytes."""
    for line in sys.stdin:
        path, folder = json.loads(line)
        start = time.process_time()
        outcome, rules = judge(Path(path), Path(folder))
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps([outcome, rules, seconds, peak]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
