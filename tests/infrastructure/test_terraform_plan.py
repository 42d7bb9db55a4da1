"""What Terraform would plan keeps its promises: data, secrets, names, the printed lines."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infrastructure import hcl_document
from tests.infrastructure.hcl_functions import Wrong
from tests.infrastructure.hcl_plan import Plan, plan, variables_of
from tests.infrastructure.hcl_reading import ROOT, Configuration, read

pytestmark = pytest.mark.integration

LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:scanward:1"
STATES = "arn:aws:states:eu-central-1:123456789012"
DATA = {
    "aws_cloudcontrolapi_resource",
    "aws_dynamodb_table",
    "aws_kms_key",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_version",
}


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read()


@pytest.fixture(scope="module")
def whole(configuration: Configuration) -> Plan:
    return plan(configuration, {"layer_arn": LAYER, "enable_phase1": True})


def _data(made: Plan) -> dict[str, Any]:
    return {each.address: dict(each.values) for each in made.resources if each.resource.type in DATA}


def test_everything_that_holds_data_is_protected_and_nothing_else(whole: Plan) -> None:
    protected = {each.address for each in whole.resources if each.lifecycle.get("prevent_destroy")}
    assert protected == _data(whole).keys()
    assert len(protected) > 14


def test_taking_the_rest_away_leaves_data_as_it_is(configuration: Configuration, whole: Plan) -> None:
    left = plan(configuration, {"layer_arn": LAYER, "enable_phase1": True, "data_only": True})
    assert _data(left) == _data(whole)
    assert not {each.resource.type for each in left.resources} & {
        "aws_lambda_function",
        "aws_sfn_state_machine",
    }
    # What guards the data stays with it.
    for kind in ("aws_s3_bucket_policy", "aws_s3_bucket_public_access_block", "aws_kms_alias"):
        assert len(left.of(kind)) == len(whole.of(kind))


def test_buckets_refuse_to_go_with_their_objects_until_they_are_told(
    configuration: Configuration, whole: Plan
) -> None:
    assert not any(each.values["force_destroy"] for each in whole.of("aws_s3_bucket"))
    told = plan(configuration, {"layer_arn": LAYER, "enable_phase1": True, "delete_data": True})
    assert all(each.values["force_destroy"] for each in told.of("aws_s3_bucket"))


def test_no_secret_s_value_reaches_plan_or_state(configuration: Configuration, whole: Plan) -> None:
    versions = whole.of("aws_secretsmanager_secret_version")
    assert len(versions) == 2
    for each in versions:
        assert each.values.keys() == {"secret_id", "secret_string_wo", "secret_string_wo_version"}
    (settings,) = configuration.modules["."].settings
    assert settings["required_version"] == ">= 1.11"
    for each in whole.of("random_password"):
        assert each.resource.mode == "ephemeral"
        assert each.values["length"] * 4 == 256
        assert sorted(each.values["override_special"]) == sorted("0123456789abcdef")
        assert not [kind for kind in ("lower", "upper", "numeric") if each.values[kind]]


def test_every_resource_bears_the_cost_tags(configuration: Configuration) -> None:
    (provider,) = configuration.modules["."].providers["aws"]
    assert provider["default_tags"] == [
        {"tags": {"Project": "${var.project_name}", "Environment": "${var.environment}"}}
    ]


def test_dev_is_what_the_defaults_are_so_that_the_printed_apply_changes_nothing(
    configuration: Configuration,
) -> None:
    dev = plan(configuration, {**variables_of(configuration, "dev"), "layer_arn": LAYER})
    defaults = plan(configuration, {"layer_arn": LAYER})
    assert [dict(each.values) for each in dev.resources] == [dict(each.values) for each in defaults.resources]


def test_the_printed_outputs_are_there(whole: Plan) -> None:
    printed = {
        "raw_bucket_name": "medical-imaging-pipeline-dev-raw-dicom",
        "processed_bucket_name": "medical-imaging-pipeline-dev-processed-dicom",
        "ingestion_function_name": "medical-imaging-pipeline-ingestion",
        "state_machine_arn": f"{STATES}:stateMachine:dicom-processing-workflow-dev",
    }
    assert {name: whole.outputs[name] for name in printed} == printed


@pytest.mark.parametrize(
    ("environment", "workspace", "fits"),
    [("dev", "default", True), ("prod", "prod", True), ("prod", "default", False), ("dev", "prod", False)],
)
def test_one_state_never_takes_two_environments(
    configuration: Configuration, environment: str, workspace: str, *, fits: bool
) -> None:
    made = plan(configuration, {**variables_of(configuration, environment), "layer_arn": LAYER}, workspace)
    assert any("workspace" in each for each in made.failed) is not fits


def test_a_layer_that_was_not_built_is_told_with_the_command(configuration: Configuration) -> None:
    made = plan(configuration, {"layer_zip": "/nowhere.zip"})
    (told,) = made.failed
    assert "build_lambda_layer.sh --architecture x86_64" in told


def test_state_machines_get_numbers_and_no_placeholder(whole: Plan) -> None:
    machines = {
        each.values["name"]: json.loads(each.values["definition"])
        for each in whole.of("aws_sfn_state_machine")
    }
    assert machines["dicom-processing-workflow-dev"]["TimeoutSeconds"] == 300
    assert len(machines) == 3
    for definition in machines.values():
        assert not re.search(r"\$\{|<<\w+>>", json.dumps(definition))


def test_every_policy_is_filled(whole: Plan) -> None:
    for each in whole.resources:
        for value in each.values.values():
            if isinstance(value, str) and value.startswith("{"):
                assert "<<" not in value, each.address
                json.loads(value)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"project_name": "UPPER"}, "project_name has"),
        ({"environment": "much-too-long"}, "environment has"),
        ({"bucket_suffix": "4711"}, "bucket_suffix is"),
        ({"architecture": "mips"}, "architecture is"),
        ({"layer_arn": "arn:aws:lambda:eu-central-1:123456789012:layer:l"}, "ends in its number"),
        ({"execution_timeout_seconds": 5}, "at least 60"),
        ({"function_timeout_seconds": 901}, "10 to 900"),
        ({"log_retention_days": 8}, "CloudWatch keeps"),
        ({"glacier_days": 100}, "30 days at least"),
        ({"preserve_tags": ["(0010,0040)"]}, "preserve_tags are"),
        ({"phase1_api_auth": "JWT", "enable_phase1": True}, "needs phase1_jwt_issuer"),
        ({"unheard_of": 1}, "no variable unheard_of"),
        ({"alarm_email": ["a@b"]}, "is a list, not a string"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_anything_is_planned(
    configuration: Configuration, variables: dict[str, Any], told: str
) -> None:
    with pytest.raises(Wrong, match=re.escape(told)):
        plan(configuration, {"layer_arn": LAYER, **variables})


def test_no_file_leads_out_of_the_repository(configuration: Configuration) -> None:
    for text in configuration.trees:
        assert "../../../.." not in text
    assert configuration.folder == ROOT / "terraform"


def test_the_document_lists_every_variable(configuration: Configuration) -> None:
    wanted = hcl_document.table(configuration)
    assert hcl_document.written() == wanted, "run python -m tests.infrastructure.hcl_document"


def test_the_document_s_names_are_the_names(whole: Plan) -> None:
    text = hcl_document.DOCUMENT.read_text(encoding="utf-8")
    names = {each.values.get("function_name") for each in whole.of("aws_lambda_function")}
    assert "medical-imaging-pipeline-ingestion" in names
    for kind, attribute in (("aws_s3_bucket", "bucket"), ("aws_sfn_state_machine", "name")):
        for each in whole.of(kind):
            if each.values[attribute].startswith(("medical-imaging-pipeline", "dicom-")):
                assert f"`{each.values[attribute]}`" in text
