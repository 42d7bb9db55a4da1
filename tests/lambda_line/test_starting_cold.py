"""A function's own start, as Lambda measures it: what it imports, and what a warm call takes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from mypy_boto3_s3 import S3Client
from pydicom import dcmread

from scanward.entrypoints.aws_lambda.handlers import DeidentificationHandler
from tests.lambda_line.conftest import FILES
from tests.lambda_line.uploads import put

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("ingestion", "validation", "deidentification", "quarantine")
# What no layer has: the functions must do without.
ABSENT = (
    "alembic",
    "fastapi",
    "numpy",
    "PIL",
    "requests",
    "rich",
    "sqlalchemy",
    "starlette",
    "typer",
    "uvicorn",
)
PROGRAM = """
import json, sys, time
for name in {absent!r}: sys.modules[name] = None
import runpy
began = time.process_time()
made = runpy.run_path({file!r})
print(json.dumps([time.process_time() - began, callable(made["lambda_handler"])]))
"""


def _started(function: str) -> tuple[float, bool]:
    file = str(ROOT / "lambda_functions" / f"{function}_handler.py")
    program = PROGRAM.format(absent=ABSENT, file=file)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    seconds, is_callable = json.loads(run.stdout)
    return seconds, is_callable


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_the_packages_of_the_layer_alone(function: str) -> None:
    assert _started(function)[1]


def test_the_import_of_deidentification_takes_no_more_than_1_2_seconds() -> None:
    assert min(_started("deidentification")[0] for _ in range(3)) <= 1.2


def test_half_a_megabyte_is_deidentified_within_150_milliseconds(s3: S3Client) -> None:
    dataset = dcmread(FILES / "CT_small.dcm")
    dataset.Rows = dataset.Columns = 512
    dataset.PixelData = bytes(512 * 512 * 2)
    file = BytesIO()
    dataset.save_as(file)
    events = [
        {"reference": put(s3, f"in/{number}.dcm", file.getvalue()), "execution": f"run-{number}"}
        for number in range(8)
    ]
    handler, seconds = DeidentificationHandler(), []
    for event in events:
        began = time.perf_counter()
        handler.handle(event, None)
        seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds[1:]) <= 0.150
