"""The log: one JSON object a line in the API document's form, and never a text that is not our own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
PLACE = ["logger", "module", "function", "line"]
FIELDS = ["timestamp", "level", *PLACE, "message", "operation", "status"]


def lines_of(program: str, tmp_path: Path, level: str = "INFO") -> list[dict[str, object]]:
    """Run a program of its own: what is configured here is a whole process's."""
    script = tmp_path / "program.py"
    head = f"from scanward import logs\nlogs.configure({level!r})\nlog = logs.logger('scanward.x')\n"
    script.write_text(head + textwrap.dedent(program))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert "SECRET" not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_has_the_documented_fields_in_their_order(tmp_path: Path) -> None:
    program = """
        def upload_file():
            log.info("stored", operation="put", object="k", bytes=3)
        upload_file()
    """
    (line,) = lines_of(program, tmp_path)
    assert list(line) == [*FIELDS, "details"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["timestamp"]))
    assert [line[name] for name in PLACE] == ["scanward.x", "program", "upload_file", 6]
    assert (line["level"], line["operation"], line["status"]) == ("INFO", "put", "completed")
    assert line["details"] == {"object": "k", "bytes": 3}


def test_a_failure_is_named_by_type_and_place_and_not_by_text(tmp_path: Path) -> None:
    program = """
        try:
            int("SECRET")
        except ValueError as error:
            log.exception("failed")
            log.error("failed", exc_info=error, given=error, also=object())
    """
    for line in lines_of(program, tmp_path):
        details = line["details"]
        assert isinstance(details, dict)
        assert (line["level"], line["status"]) == ("ERROR", "failed")
        assert details["exception"] == "ValueError"
        assert details["trace"][-1].endswith("program.py:6 <module>")


ASYNCHRONOUS = """
import asyncio
async def fail():
    int("SECRET")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "program",
    [
        "import logging; logging.getLogger('pydicom').warning('SECRET %s', 'SECRET')",
        "import logging; logging.getLogger('SQL').error('SECRET', exc_info=ValueError('SECRET'))",
        "import warnings; warnings.warn('SECRET')",
        "import threading; t = threading.Thread(target=lambda: int('SECRET')); t.start(); t.join()",
        "raise ValueError('SECRET')",
        ASYNCHRONOUS,
        "class Broken:\n    def __del__(self): int('SECRET')\nBroken()",
    ],
)
def test_whatever_a_library_says_is_told_by_place_alone(program: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("from scanward import logs\nlogs.configure()\n" + program)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert "SECRET" not in done.stderr
    assert "place" in line["details"] or "trace" in line["details"]


def test_pydicoms_warnings_with_values_in_them_do_not_come_through(tmp_path: Path) -> None:
    program = """
        from pydicom.dataset import Dataset
        from pydicom import config
        config.settings.reading_validation_mode = config.WARN
        config.settings.writing_validation_mode = config.WARN
        Dataset().PatientBirthDate = "SECRET"
    """
    lines = lines_of(program, tmp_path)
    assert lines
    assert {line["logger"] for line in lines} <= {"py.warnings", "pydicom"}


def test_lines_below_the_level_are_not_written(tmp_path: Path) -> None:
    program = "log.debug('a'); log.info('b'); log.warning('c'); log.error('d')"
    assert [line["message"] for line in lines_of(program, tmp_path, "WARNING")] == ["c", "d"]
    assert [line["message"] for line in lines_of(program, tmp_path, "DEBUG")] == ["a", "b", "c", "d"]


def test_identifiers_are_on_every_line_inside_their_block(tmp_path: Path) -> None:
    program = """
        import asyncio
        async def one(name):
            with logs.bound(request_id=name):
                await asyncio.sleep(0.01)
                log.info(name)
        async def main():
            await asyncio.gather(one("a"), one("b"))
        asyncio.run(main())
        log.info("outside")
    """
    lines = lines_of(program, tmp_path)
    assert {(line["message"], line.get("request_id")) for line in lines} == {
        ("a", "a"),
        ("b", "b"),
        ("outside", None),
    }


def test_before_it_is_configured_nothing_is_said() -> None:
    program = "from scanward import logs; logs.logger('x').error('hello')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_stream_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import sys\nfrom scanward import logs\nlogs.configure()\nsys.stderr.close()\n"
        "logs.logger('x').error('hello')\nprint('alive')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n"
