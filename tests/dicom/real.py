"""The real files that pydicom ships."""

from __future__ import annotations

from pathlib import Path

import pydicom

ROOT = Path(pydicom.__file__).parent / "data"
_NOT_DATA = frozenset({".py", ".pyc", ".json", ".txt", ".md"})


def files() -> list[Path]:
    """Return every shipped data file, DICOM or not, sorted."""
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix not in _NOT_DATA)


def name_of(path: Path) -> str:
    """Return a file's name below pydicom's data folder."""
    return path.relative_to(ROOT).as_posix()


def content(name: str) -> memoryview:
    """Return the bytes of `test_files/<name>`."""
    return memoryview((ROOT / "test_files" / name).read_bytes())
