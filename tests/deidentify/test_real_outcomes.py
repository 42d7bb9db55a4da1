"""Each of pydicom's real files with its expected outcome and rule, and dumps of what came out of some."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from pathlib import Path

import pydicom
import pytest

from scanward.deidentify import profile
from scanward.deidentify.engine import Engine
from scanward.errors import InvalidDicom, Quarantined
from tests.deidentify.objects import DATA, KEYS, joined

pytestmark = pytest.mark.unit

OUTCOMES = Path(__file__).with_name("outcomes.csv")
GOLDEN = Path(__file__).with_name("golden")
DUMPED = [
    ("CT_small.dcm", "hipaa-safe-harbor"),
    ("CT_small.dcm", "research"),
    ("CT_small.dcm", "basic"),
    ("CT_small.dcm", "limited-data-set"),
    ("MR_small_bigendian.dcm", "hipaa-safe-harbor"),
    ("examples_overlay.dcm", "hipaa-safe-harbor"),
    ("rtplan.dcm", "research"),
    ("rtstruct.dcm", "hipaa-safe-harbor"),
    ("liver_1frame.dcm", "research"),
]


def real_files() -> list[Path]:
    found = [*(DATA / "test_files").rglob("*"), *(DATA / "charset_files").iterdir()]
    return sorted(path for path in found if path.is_file())


def outcome(engine: Engine, path: Path) -> tuple[str, str]:
    try:
        engine.clean(memoryview(path.read_bytes()))
    except InvalidDicom as error:
        return "refused", next(fault.rule for fault in error.faults if fault.severity == "reject")
    except Quarantined as error:
        return "quarantined", error.faults[0].rule
    return "delivered", ""


def test_every_real_file_has_its_expected_outcome(*, update: bool) -> None:
    engine = Engine(profile.load("hipaa-safe-harbor"), KEYS)
    rows = [(path.relative_to(DATA).as_posix(), *outcome(engine, path)) for path in real_files()]
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([("file", "outcome", "rule"), *rows])
    if update:
        OUTCOMES.write_text(text.getvalue(), "utf-8")
    assert text.getvalue() == OUTCOMES.read_text("utf-8")


@pytest.mark.parametrize(("name", "chosen"), DUMPED)
def test_the_whole_data_set_comes_out_as_dumped(name: str, chosen: str, *, update: bool) -> None:
    file = (DATA / "test_files" / name).read_bytes()
    made = joined(Engine(profile.load(chosen), KEYS).clean(memoryview(file)), file)
    dump = str(pydicom.dcmread(BytesIO(made))) + "\n"
    golden = GOLDEN / f"{name.removesuffix('.dcm')}.{chosen}.txt"
    if update:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(dump, "utf-8")
    assert dump == golden.read_text("utf-8")
