"""What 1,000 studies cost on AWS: amounts that follow from the design, times the prices in prices.json.

How often a state machine moves, how much memory a function has, and how many keys, secrets and alarms a
stack has is read from the state machines and templates; the rest are the assumptions below, each with its
reason. The tables in docs/costs.md are generated blocks.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
STUDIES = 1000
_GB = 1 << 30
_MB = 1 << 20


def _assumed(default: float, why: str) -> Any:  # noqa: ANN401 - as dataclasses.field is typed
    return field(default=default, metadata={"why": why})


@dataclass(frozen=True)
class Pipeline:
    """Assumptions of the pipeline."""

    objects: float = _assumed(200, "objects a study: a CT of a head or chest, one slice an object")
    megabytes: float = _assumed(0.5, "MiB an object: 512 x 512 pixels of 16 bits, uncompressed")
    seconds: float = _assumed(0.15, "a call of a function: the bound that a warm call is held to")
    starter_seconds: float = _assumed(0.1, "a call of starter or recorder")
    batch: float = _assumed(10, "events that one call of the starter takes")
    reads: float = _assumed(6, "GET and HEAD an object: one of each in three functions (counted)")
    writes: float = _assumed(2, "PUT an object: the upload, the output (counted)")
    row_writes: float = _assumed(2, "writes an execution: its begin, its end; each also in the index")
    log_kilobytes: float = _assumed(8, "KiB of log an object: five calls, one line of metrics each")
    bucket_key_requests: float = _assumed(0.1, "requests of KMS an object: bucket keys and cached data keys")
    metrics: float = _assumed(40, "custom metrics that are written at all, by stage and environment")


@dataclass(frozen=True)
class Phase1:
    """Assumptions of Phase 1, those that its document states first."""

    megabytes: float = _assumed(5, "MiB a study: one DICOM file, as the Phase 1 document assumes")
    months: float = _assumed(3, "months kept: the 90 days of the bucket's lifecycle")
    idle_days: float = _assumed(30, "days until HealthImaging moves what nobody reads to its archive tier")
    upload_seconds: float = _assumed(0.5, "a call of the upload handler")
    monitor_seconds: float = _assumed(0.2, "a call of the import monitor")
    monitor_calls: float = _assumed(3, "calls of the import monitor: the watch, the event, one poll")
    reads: float = _assumed(4, "GET and HEAD a study: the upload is looked at, HealthImaging reads it")
    writes: float = _assumed(
        6, "PUT and COPY a study: upload, copy to the study's prefix, the import's results"
    )
    row_writes: float = _assumed(4, "writes a record, each also in the index")
    row_reads: float = _assumed(4, "reads of a record")
    imaging_requests: float = _assumed(3, "StartDICOMImportJob, GetDICOMImportJob and a repeat")
    log_kilobytes: float = _assumed(6, "KiB of log a study")


@dataclass(frozen=True)
class Line:
    """One row of a bill: an amount of something that has a price."""

    part: str
    price: str
    amount: float

    @property
    def usd(self) -> float:
        """Return what it costs."""
        one = prices()[self.price]
        return self.amount * float(one["usd"]) / float(one["per"])


@cache
def price_list() -> dict[str, Any]:
    """Return prices.json."""
    read: dict[str, Any] = json.loads((ROOT / "scripts" / "prices.json").read_text(encoding="utf-8"))
    return read


def prices() -> dict[str, dict[str, Any]]:
    """Return every price by its name."""
    listed: dict[str, dict[str, Any]] = price_list()["prices"]
    return listed


def transitions(machine: str) -> int:
    """Return how often a state machine moves where all goes well: every state on the way, and the end."""
    path = ROOT / "state_machines" / f"{machine}.json"
    definition = json.loads(path.read_text(encoding="utf-8"))
    name, count = definition["StartAt"], 1
    while name:
        state = definition["States"][name]
        choices = state.get("Choices", [])
        name = state.get("Next") or (choices[0]["Next"] if choices else "")
        count += 1
    return count


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's YAML; its short functions are of no interest here."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@cache
def stack(name: str) -> tuple[Counter[str], dict[str, Any]]:
    """Return how many resources of each kind a template has, and its parameters."""
    path = {
        "pipeline": "cloudformation/pipeline.yaml",
        "phase1": "phase1_ingestion/cloudformation_phase1.yaml",
    }[name]
    read = yaml.load((ROOT / path).read_text(encoding="utf-8"), Loader=_Template)  # noqa: S506 - a SafeLoader
    return Counter(one["Type"] for one in read["Resources"].values()), read["Parameters"]


def pipeline(given: Pipeline | None = None) -> list[Line]:
    """Return the bill of 1,000 studies through the pipeline, storage aside."""
    one = given or Pipeline()
    objects = STUDIES * one.objects
    memory = stack("pipeline")[1]["FunctionMemoryMb"]["Default"] / 1024
    starts = objects / one.batch + objects
    return [
        Line("Step Functions", "transition", objects * transitions("dicom_processing_workflow")),
        Line("Lambda", "lambda_request", 3 * objects + starts),
        Line(
            "Lambda",
            "lambda_gb_second",
            memory * (3 * objects * one.seconds + starts * one.starter_seconds),
        ),
        Line("S3", "s3_write", objects * one.writes),
        Line("S3", "s3_read", objects * one.reads),
        Line("SQS", "sqs_request", objects * (1 + 2 / one.batch)),
        Line("DynamoDB", "dynamodb_write", objects * one.row_writes * 2),
        Line("KMS", "kms_request", objects * one.bucket_key_requests),
        Line("CloudWatch", "log_ingest", objects * one.log_kilobytes * 1024 / _GB),
    ]


def storage(given: Pipeline | None = None) -> list[Line]:
    """Return the bill of keeping 1,000 studies for a year, raw and processed, by the buckets' lifecycle."""
    one = given or Pipeline()
    objects = STUDIES * one.objects
    kept = 2 * objects * one.megabytes * _MB / _GB
    return [
        Line("S3, days 1 to 90", "s3_standard", 3 * kept),
        Line("S3, days 91 to 180", "s3_ia", 3 * kept),
        Line("S3, days 181 to 365", "s3_glacier", 6 * kept),
        Line("S3, moving", "s3_to_ia", 2 * objects),
        Line("S3, moving", "s3_to_glacier", 2 * objects),
    ]


def standing(given: Pipeline | None = None) -> list[Line]:
    """Return the bill of a month of the pipeline without a single study."""
    one = given or Pipeline()
    kinds, _ = stack("pipeline")
    return [
        Line("KMS", "kms_key", kinds["AWS::KMS::Key"]),
        Line("Secrets Manager", "secret", kinds["AWS::SecretsManager::Secret"]),
        Line("CloudWatch", "alarm", kinds["AWS::CloudWatch::Alarm"]),
        Line("CloudWatch", "dashboard", kinds["AWS::CloudWatch::Dashboard"]),
        Line("CloudWatch, in months with work", "custom_metric", one.metrics),
    ]


def phase1(given: Phase1 | None = None) -> list[Line]:
    """Return the bill of 1,000 studies through Phase 1, kept as long as its document says."""
    one = given or Phase1()
    kept = STUDIES * one.megabytes * _MB / _GB
    # HealthImaging counts at least 5 MiB an image set.
    imaged = STUDIES * max(one.megabytes, 5) * _MB / _GB
    busy = one.idle_days / 30
    seconds = 0.5 * one.upload_seconds + 0.25 * one.monitor_seconds * one.monitor_calls
    return [
        Line("HealthImaging", "healthimaging_frequent", imaged * busy),
        Line("HealthImaging", "healthimaging_archive", imaged * (one.months - busy)),
        Line("HealthImaging", "healthimaging_request", STUDIES * one.imaging_requests),
        Line("S3", "s3_standard", 2 * kept * one.months),
        Line("S3", "s3_write", STUDIES * one.writes),
        Line("S3", "s3_read", STUDIES * one.reads),
        Line("Step Functions", "transition", STUDIES * transitions("import_monitor_workflow")),
        Line("Lambda", "lambda_request", STUDIES * (1 + one.monitor_calls)),
        Line("Lambda", "lambda_gb_second", STUDIES * seconds),
        Line("DynamoDB", "dynamodb_write", STUDIES * one.row_writes * 2),
        Line("DynamoDB", "dynamodb_read", STUDIES * one.row_reads),
        Line("API Gateway", "api_request", STUDIES),
        Line("CloudWatch", "log_ingest", STUDIES * one.log_kilobytes * 1024 / _GB),
    ]


def total(lines: list[Line]) -> float:
    """Return what all lines cost together."""
    return sum(line.usd for line in lines)


def assumptions(given: Pipeline | Phase1) -> list[tuple[str, str]]:
    """Return every assumption's number and reason."""
    return [(f"{getattr(given, one.name):g}", one.metadata["why"]) for one in fields(given)]
