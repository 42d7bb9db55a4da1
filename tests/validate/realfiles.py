"""The rules that pydicom's real files break; run as a module, it rewrites the table: read it then."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pydicom

from scanward.dicom import structure
from scanward.dicom.structure import Structure
from scanward.errors import Fault, InvalidDicom
from scanward.validate import validate

TABLE = Path(__file__).with_name("real_files.csv")
FOLDER = Path(pydicom.__file__).parent / "data"


def files() -> list[Path]:
    """Return every file that pydicom ships for its tests, DICOM or not."""
    return sorted(path for path in FOLDER.glob("*_files/**/*") if path.is_file())


def passed() -> Iterator[tuple[Path, memoryview, Structure]]:
    """Yield what the gate passes."""
    for path in files():
        view = memoryview(path.read_bytes())
        try:
            yield path, view, structure.check(view)
        except InvalidDicom:
            continue


def rows() -> Iterator[dict[str, str]]:
    """Yield a row a file: which rules it breaks how often, by severity."""
    for path, view, found in passed():
        faults = validate(view, found, {})
        yield {
            "file": path.relative_to(FOLDER).as_posix(),
            "reject": _counted(faults, "reject"),
            "warn": _counted(faults, "warn"),
        }


def _counted(faults: tuple[Fault, ...], severity: str) -> str:
    names = [fault.rule for fault in faults if fault.severity == severity]
    return " ".join(f"{name}:{names.count(name)}" for name in sorted(set(names)))


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, ["file", "reject", "warn"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())
