"""One engine cleans many objects: what it remembers of one never stops or changes the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom.pieces import Piece
from scanward.errors import ScanwardError

pytestmark = [pytest.mark.unit, pytest.mark.timeout(120)]

SHIPPED = Path(pydicom.__file__).parent / "data"


def _outcomes(engine: Engine, files: list[Path]) -> Iterator[tuple[str, tuple[Piece, ...] | str]]:
    for path in files:
        try:
            yield path.name, engine.clean(memoryview(path.read_bytes())).pieces
        except ScanwardError as error:
            yield path.name, error.error


def test_real_files_end_alike_whatever_the_engine_saw_before() -> None:
    files = sorted(path for path in SHIPPED.rglob("*") if path.is_file())
    profile, keys = load("hipaa-safe-harbor"), Keys(b"k" * 32)
    one = Engine(profile, keys)
    fresh = {path: list(_outcomes(Engine(profile, keys), [path])) for path in files}
    for order in (files, files[::-1]):
        assert list(_outcomes(one, order)) == [outcome for path in order for outcome in fresh[path]]
