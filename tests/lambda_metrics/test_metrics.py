from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from scanward.entrypoints.aws_lambda import metrics

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANWARD_AWS_ENVIRONMENT", "Production")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ingestion")


def written(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    read: dict[str, Any] = json.loads(line)
    return read


def test_a_stage_writes_its_sums_as_one_line_of_the_embedded_format(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with metrics.measured("Validation") as meter:
        meter.add("FilesProcessed")
        meter.add("FilesProcessed")
        meter.add("BytesIn", 4096)

    line = written(capsys)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "MedicalImaging/Pipeline"
    assert described["Dimensions"] == [["Environment"], ["Environment", "Stage"]]
    assert {one["Name"]: one["Unit"] for one in described["Metrics"]} == {
        "FilesProcessed": "Count",
        "BytesIn": "Bytes",
        "StageSeconds": "Seconds",
    }
    assert (line["Environment"], line["Stage"]) == ("Production", "Validation")
    assert (line["FilesProcessed"], line["BytesIn"]) == ([2.0], [4096.0])
    assert 0 <= line["StageSeconds"][0] < 5


def test_a_stage_that_fails_is_counted_and_its_error_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), metrics.measured("Starter"):
        raise ZeroDivisionError

    assert written(capsys)["StageFailures"] == [1.0]


def test_two_stages_do_not_share_sums(capsys: pytest.CaptureFixture[str]) -> None:
    with metrics.measured("Ingestion") as meter:
        meter.add("FilesIgnored")
    capsys.readouterr()
    with metrics.measured("Recorder"):
        pass

    assert "FilesIgnored" not in written(capsys)


def test_an_unknown_size_takes_nothing_away(capsys: pytest.CaptureFixture[str]) -> None:
    with metrics.measured("Ingestion") as meter:
        meter.add("BytesIn", 10)
        meter.add("BytesIn", -1)

    assert written(capsys)["BytesIn"] == [10.0]


def test_only_listed_names_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), metrics.measured("Ingestion") as meter:
        meter.add("patient123/study456")  # type: ignore[arg-type]  # the point of the test

    assert "patient123" not in capsys.readouterr().out


def test_every_metric_has_a_unit() -> None:
    assert set(metrics.UNITS) == set(metrics.Metric.__args__)  # type: ignore[attr-defined]  # of Literal


def test_its_import_brings_no_client_of_aws() -> None:
    code = "import sys, scanward.entrypoints.aws_lambda.metrics; print('boto3' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert said.stdout == "False\n"
