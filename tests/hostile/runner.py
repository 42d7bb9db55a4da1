"""Runs the gate over inputs named on standard input, in a process whose memory is measured."""

from __future__ import annotations

import json
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


def peak_of_memory() -> int:
    """Return the most bytes resident since `forget_peak`; getrusage would begin with those of the parent."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


def forget_peak() -> None:
    """Let the peak begin anew at what is resident now (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def main() -> None:
    """Answer every line with outcome, rules, seconds of CPU, and the peak of memory in bytes."""
    for line in sys.stdin:
        path, folder = json.loads(line)
        forget_peak()
        start = time.process_time()
        outcome, rules = judge(Path(path), Path(folder))
        seconds = time.process_time() - start
        print(json.dumps([outcome, rules, seconds, peak_of_memory()]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
