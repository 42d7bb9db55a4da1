"""The checks of `make check` notice what they are there for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts.templates_parts import example
from tests.infrastructure.rendered import ROOT

pytestmark = pytest.mark.integration

CONFIG = ROOT / "tools" / "checkov" / "config.yaml"
TEMPLATE = ROOT / "cloudformation" / "pipeline.yaml"


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_whatever_checkov_is_told_to_skip_has_its_reason() -> None:
    lines = CONFIG.read_text(encoding="utf-8").partition("skip-check:\n")[2].splitlines()
    assert any("CKV" in line for line in lines)
    for before, line in zip(["", *lines], lines, strict=False):
        if line.strip().startswith("- "):
            # A reason stands above its check, or above the checks that share it.
            assert before.strip().startswith(("#", "- CKV")), line


@pytest.mark.slow  # checkov takes seconds to start, and `make check` has just run it
def test_checkov_notices_a_bucket_that_is_open_and_a_queue_that_is_not_encrypted(tmp_path: Path) -> None:
    planted = TEMPLATE.read_text(encoding="utf-8")
    planted = planted.replace("BlockPublicAcls: true", "BlockPublicAcls: false", 1)
    planted = planted.replace("      KmsMasterKeyId: !GetAtt 'EventsKey.Arn'\n", "", 1)
    (tmp_path / "planted.yaml").write_text(planted, encoding="utf-8")
    found = _run(ROOT / ".tools/checkov/bin/checkov", "--config-file", CONFIG, "--directory", tmp_path)
    assert found.returncode == 1
    assert "CKV_AWS_53" in found.stdout
    assert "CKV_AWS_27" in found.stdout


def test_cfn_lint_notices_a_property_and_an_action_that_do_not_exist(tmp_path: Path) -> None:
    planted = TEMPLATE.read_text(encoding="utf-8")
    planted = planted.replace("VisibilityTimeout:", "VisibilityTimeOut:", 1)
    planted = planted.replace("'s3:GetObjectVersion'", "'s3:GetObjectVersions'", 1)
    (tmp_path / "planted.yaml").write_text(planted, encoding="utf-8")
    found = _run("cfn-lint", tmp_path / "planted.yaml")
    assert found.returncode != 0
    assert "VisibilityTimeOut" in found.stdout
    assert "getobjectversions" in found.stdout.lower()


def test_the_validator_notices_a_state_that_leads_nowhere(tmp_path: Path) -> None:
    validator = ROOT / ".tools/infrastructure/node_modules/.bin/asl-validator"
    definition = json.loads(example("dicom_processing_workflow"))
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(definition), encoding="utf-8")
    assert _run(validator, "--json-path", whole).returncode == 0
    definition["States"]["Ingestion"]["Next"] = "Nowhere"
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(definition), encoding="utf-8")
    assert _run(validator, "--json-path", planted).returncode != 0
