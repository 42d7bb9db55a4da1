"""The bill of 1,000 studies: amounts from the design, prices from a dated list, in docs/costs.md."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from scripts import costs
from scripts.costs import Phase1, Pipeline
from scripts.generate_docs import ROOT

pytestmark = pytest.mark.unit

BILLS = (costs.pipeline, costs.storage, costs.standing, costs.phase1)


def usd(lines: list[costs.Line], price: str) -> float:
    return sum(line.usd for line in lines if line.price == price)


def test_every_price_has_its_source_and_the_list_its_date_and_region() -> None:
    listed = costs.price_list()

    assert listed["region"] == "us-east-1"
    read = datetime.strptime(listed["as_of"], "%Y-%m").replace(tzinfo=UTC)
    assert read <= datetime.now(UTC)
    for price in costs.prices().values():
        assert re.fullmatch(r"https://aws\.amazon\.com/[\w-]+/pricing/(on-demand/)?", price["source"])
        assert price["usd"] > 0
        assert price["per"] > 0
        assert price["unit"]


def test_every_price_is_used_and_nothing_else_is() -> None:
    used = {line.price for bill in BILLS for line in bill()}

    assert used == set(costs.prices())


def test_a_bill_by_hand_is_the_script_s() -> None:
    one = replace(
        Pipeline(), objects=10, megabytes=2, seconds=1, starter_seconds=0.5, batch=5, log_kilobytes=1
    )

    lines = costs.pipeline(one)

    assert usd(lines, "transition") == pytest.approx(10_000 * 6 * 0.025 / 1000)
    assert usd(lines, "lambda_request") == pytest.approx((30_000 + 2_000 + 10_000) * 0.20 / 1e6)
    assert usd(lines, "lambda_gb_second") == pytest.approx(0.5 * (30_000 + 12_000 * 0.5) * 0.0000166667)
    assert usd(lines, "s3_write") == pytest.approx(20_000 * 0.005 / 1000)
    assert usd(lines, "sqs_request") == pytest.approx(10_000 * 1.4 * 0.40 / 1e6)
    assert usd(costs.storage(one), "s3_standard") == pytest.approx(2 * 20_000 / 1024 * 3 * 0.023)


def test_an_image_set_is_billed_as_five_megabytes_at_least() -> None:
    small, least = costs.phase1(replace(Phase1(), megabytes=1)), costs.phase1(replace(Phase1(), megabytes=5))

    assert usd(small, "healthimaging_frequent") == usd(least, "healthimaging_frequent")
    assert usd(small, "s3_standard") < usd(least, "s3_standard")


def test_the_states_on_the_way_are_counted_from_the_state_machine() -> None:
    path = ROOT / "state_machines" / "dicom_processing_workflow.json"
    states = json.loads(path.read_text(encoding="utf-8"))["States"]
    on_the_way = [name for name, state in states.items() if state["Type"] != "Fail"]

    assert {"Ingestion", "Validation", "Deidentify"} < set(on_the_way)
    # Quarantine is off the good way; the move to the end counts too.
    assert costs.transitions("dicom_processing_workflow") == len(on_the_way) - 1 + 1


def test_what_stands_every_month_is_counted_from_the_template() -> None:
    kinds, parameters = costs.stack("pipeline")

    assert kinds["AWS::KMS::Key"] == 4
    assert kinds["AWS::SecretsManager::Secret"] == 2
    assert kinds["AWS::CloudWatch::Alarm"] >= 5
    assert parameters["FunctionMemoryMb"]["Default"] == 512


def test_the_document_states_every_assumption_and_each_total() -> None:
    text = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")

    for number, why in costs.assumptions(Pipeline()) + costs.assumptions(Phase1()):
        assert f"| {number} | {why} |" in text
    for bill in BILLS:
        assert f"**{costs.total(bill()):,.2f}**" in text


def test_the_cost_filter_is_one_that_cost_explorer_takes_for_the_tag_of_both_stacks() -> None:
    given: Any = json.loads((ROOT / "docs" / "cost-filter.json").read_text(encoding="utf-8"))
    client: Any = boto3.client("ce", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    asked = {
        "TimePeriod": {"Start": "2024-01-01", "End": "2024-01-31"},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        "Filter": given,
    }
    with Stubber(client) as aws:
        aws.add_response("get_cost_and_usage", {"ResultsByTime": []}, asked)
        client.get_cost_and_usage(**asked)

    assert given["Tags"]["Key"] == "Project"
    projects = [costs.stack(name)[1]["ProjectName"]["Default"] for name in ("pipeline", "phase1")]
    assert given["Tags"]["Values"] == projects
    assert "file://cost-filter.json" in (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
