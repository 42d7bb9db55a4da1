from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from scanward.entrypoints.aws_lambda import metrics

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "scanward" / "entrypoints" / "aws_lambda"
TEMPLATES = ROOT / "cloudformation" / "src"


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
    assert set(metrics.UNITS) == set(get_args(metrics.Metric))


def test_every_metric_is_written_by_some_function() -> None:
    written = "".join(
        path.read_text(encoding="utf-8") for path in FUNCTIONS.glob("*.py") if path.name != "metrics.py"
    )

    own = {"StageFailures", "StageSeconds"}  # of every block
    assert [name for name in metrics.UNITS if f'"{name}"' not in written and name not in own] == []


def asked_for(page: Path) -> list[list[str]]:
    """Return a dashboard's metrics in full; a dot repeats the row above, as CloudWatch reads it."""
    rows: list[list[str]] = []
    for widget in json.loads(page.read_text(encoding="utf-8"))["widgets"]:
        above: list[str] = []
        for row in widget["properties"].get("metrics", []):
            names = [one for one in row if isinstance(one, str)]
            if names and names[0] == "...":
                names = above[: len(above) - len(names) + 1] + names[1:]
            above = [above[place] if one == "." else one for place, one in enumerate(names)]
            rows.append(above)
    return rows


@pytest.mark.parametrize("page", ["dashboard.json", "phase1_dashboard.json"])
def test_the_dashboards_ask_for_metrics_that_are_written(page: str) -> None:
    ours = [row for row in asked_for(TEMPLATES / page) if row and row[0] == metrics.NAMESPACE]

    assert ours
    for _, name, *dimensions in ours:
        assert name in metrics.UNITS
        assert dimensions[::2] in (["Environment"], ["Environment", "Stage"])
        assert set(dimensions[3::2]) <= set(get_args(metrics.Stage))


def test_its_import_brings_no_client_of_aws() -> None:
    code = "import sys, scanward.entrypoints.aws_lambda.metrics; print('boto3' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert said.stdout == "False\n"
