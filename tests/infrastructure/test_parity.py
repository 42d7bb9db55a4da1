"""Terraform and CloudFormation deploy the same: what is in one is in the other, with the same facts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.infrastructure import parity_cloudformation, parity_terraform
from tests.infrastructure.cfn_values import Template
from tests.infrastructure.hcl_plan import Plan, plan, variables_of
from tests.infrastructure.hcl_reading import ROOT, Configuration, read
from tests.infrastructure.parity import Facts, differences

pytestmark = pytest.mark.integration

LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:scanward:1"
PIPELINE = ROOT / "cloudformation" / "pipeline.yaml"
PHASE1 = ROOT / "phase1_ingestion" / "cloudformation_phase1.yaml"
# Each set of variables, and the same as parameters of the template.
CHOICES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "everything chosen": (
        {
            "project_name": "imaging",
            "environment": "test",
            "bucket_suffix": "-4711",
            "function_suffix": "-b",
            "architecture": "arm64",
            "profile": "research",
            "preserve_tags": ["PatientSex", "00080070"],
            "domain": "trial",
            "deid_keys": "pseudonymous",
            "execution_timeout_seconds": 600,
            "function_timeout_seconds": 240,
            "function_memory_mb": 1024,
            "starter_concurrency": 4,
            "log_retention_days": 30,
            "access_log_retention_days": 400,
            "infrequent_access_days": 60,
            "glacier_days": 120,
            "alarm_email": "ops@example.org",
            "quarantine_admin_arns": ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"],
            "site_secret_admin_arns": ["arn:aws:iam::123456789012:role/c"],
        },
        {
            "ProjectName": "imaging",
            "Environment": "test",
            "BucketSuffix": "-4711",
            "FunctionSuffix": "-b",
            "Architecture": "arm64",
            "Profile": "research",
            "PreserveTags": "PatientSex,00080070",
            "Domain": "trial",
            "DeidKeys": "pseudonymous",
            "ExecutionTimeoutSeconds": 600,
            "FunctionTimeoutSeconds": 240,
            "FunctionMemoryMb": 1024,
            "StarterConcurrency": 4,
            "LogRetentionDays": 30,
            "AccessLogRetentionDays": 400,
            "InfrequentAccessDays": 60,
            "GlacierDays": 120,
            "AlarmEmail": "ops@example.org",
            "QuarantineAdminArns": "arn:aws:iam::123456789012:role/a,arn:aws:iam::123456789012:role/b",
            "SiteSecretAdminArns": "arn:aws:iam::123456789012:role/c",
        },
    ),
}


PHASE1_CHOICES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "everything chosen": (
        {
            "environment": "test",
            "architecture": "arm64",
            "log_retention_days": 30,
            "phase1_project_name": "strokes",
            "phase1_datastore_id": "0123456789abcdef0123456789abcdef",
            "phase1_api_auth": "JWT",
            "phase1_jwt_issuer": "https://issuer.example.org",
            "phase1_jwt_audience": ["one", "two"],
            "phase1_allowed_origins": ["https://a.example.org"],
            "phase1_subnet_ids": ["subnet-1", "subnet-2"],
            "phase1_security_group_ids": ["sg-1"],
            "phase1_poll_seconds": 10,
            "phase1_watch_timeout_seconds": 600,
            "phase1_retention_days": 30,
            "phase1_access_logs_bucket": "logs",
            "phase1_alarm_topic_arn": "arn:aws:sns:eu-central-1:123456789012:t",
        },
        {
            "Environment": "test",
            "Architecture": "arm64",
            "LogRetentionDays": 30,
            "ProjectName": "strokes",
            "DatastoreId": "0123456789abcdef0123456789abcdef",
            "ApiAuth": "JWT",
            "JwtIssuer": "https://issuer.example.org",
            "JwtAudience": "one,two",
            "AllowedOrigins": "https://a.example.org",
            "SubnetIds": "subnet-1,subnet-2",
            "SecurityGroupIds": "sg-1",
            "PollSeconds": 10,
            "WatchTimeoutSeconds": 600,
            "RetentionDays": 30,
            "AccessLogsBucket": "logs",
            "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:t",
        },
    ),
    "open to all": ({"phase1_api_auth": "NONE"}, {"ApiAuth": "NONE"}),
}


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read()


def _terraform(configuration: Configuration, variables: dict[str, Any]) -> Plan:
    return plan(configuration, {"layer_arn": LAYER, **variables})


def _cloudformation(parameters: dict[str, Any]) -> Template:
    return Template(PIPELINE, {"LayerArn": LAYER, **parameters})


@pytest.fixture(scope="module")
def facts(configuration: Configuration) -> Facts:
    return parity_terraform.facts(_terraform(configuration, {}))


@pytest.mark.parametrize("choice", CHOICES)
def test_the_pipeline_is_the_same_in_terraform_and_in_cloudformation(
    configuration: Configuration, choice: str
) -> None:
    variables, parameters = CHOICES[choice]
    ours = parity_terraform.facts(_terraform(configuration, variables))
    theirs = parity_cloudformation.facts(_cloudformation(parameters))
    assert len(ours) > 50
    assert not differences(ours, theirs), "\n".join(differences(ours, theirs))


def _phase1(configuration: Configuration, variables: dict[str, Any]) -> Plan:
    return _terraform(configuration, {"enable_pipeline": False, "enable_phase1": True, **variables})


@pytest.mark.parametrize("choice", PHASE1_CHOICES)
def test_phase_1_is_the_same_in_terraform_and_in_cloudformation(
    configuration: Configuration, choice: str
) -> None:
    variables, parameters = PHASE1_CHOICES[choice]
    ours = parity_terraform.facts(_phase1(configuration, variables))
    theirs = parity_cloudformation.facts(Template(PHASE1, {"LayerArn": LAYER, **parameters}))
    assert len(ours) > 15
    assert not differences(ours, theirs), "\n".join(differences(ours, theirs))


def test_phase_1_has_the_same_variables_and_outputs(configuration: Configuration) -> None:
    template = Template(PHASE1, {"LayerArn": LAYER})
    named = {
        _camel(name.removeprefix("phase1_")): body["default"]
        for name, body in configuration.modules["."].variables.items()
        if name.startswith("phase1_")
    }
    shared = {"LayerArn", "Environment", "Architecture", "LogRetentionDays"}
    assert named.keys() == template.declared.keys() - shared
    for name, default in named.items():
        wanted = template.declared[name]["Default"]
        listed = template.declared[name]["Type"] == "CommaDelimitedList"
        assert default == (wanted.split(",") if listed and wanted else [] if listed else wanted), name
    ours = {
        _camel(name.removeprefix("phase1_")): value
        for name, value in _phase1(configuration, {}).outputs.items()
        if name.startswith("phase1_")
    }
    assert ours == template.outputs()


def _camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def test_variables_and_parameters_have_the_same_names_and_defaults(configuration: Configuration) -> None:
    variables = configuration.modules["."].variables
    only_terraform = {
        *("region", "enable_pipeline", "enable_phase1", "data_only", "delete_data", "layer_zip", "layer_arn"),
    }
    lists = {"preserve_tags", "quarantine_admin_arns", "site_secret_admin_arns"}
    named = {
        _camel(name): (name, body.get("default"))
        for name, body in variables.items()
        if name not in only_terraform and not name.startswith("phase1_")
    }
    parameters = _cloudformation({}).declared
    assert named.keys() == parameters.keys() - {"LayerArn"}
    for parameter, (name, default) in named.items():
        wanted = parameters[parameter].get("Default")
        assert default == ([] if name in lists else wanted), name


def test_outputs_have_the_same_names_and_values(configuration: Configuration) -> None:
    planned = _terraform(configuration, {}).outputs
    ours = {
        _camel(name): value
        for name, value in planned.items()
        if name != "layer_arn" and not name.startswith("phase1_")
    }
    assert ours == _cloudformation({}).outputs()


def test_the_environments_differ_in_every_name_that_one_account_has_once(
    configuration: Configuration,
) -> None:
    dev, prod = (
        {
            f"{kind} {name}"
            for kind, name in parity_terraform.facts(
                plan(configuration, {**variables_of(configuration, each), "layer_arn": LAYER}, workspace)
            )
            if kind not in {"key", "trigger", "permission"}
        }
        for each, workspace in (("dev", "default"), ("prod", "prod"))
    )
    assert not dev & prod


PLANTED: dict[str, tuple[tuple[str, str], list[str | int], Any]] = {
    "a longer timeout": (("function", "medical-imaging-pipeline-starter"), ["timeout"], 61),
    "less memory": (("function", "medical-imaging-pipeline-ingestion"), ["memory"], 256),
    "another retention": (("log group", "/aws/lambda/medical-imaging-pipeline-recorder"), ["retention"], 7),
    "no encryption": (("bucket", "medical-imaging-pipeline-dev-raw-dicom"), ["encryption"], ["AES256", None]),
    "another action": (
        ("role", "medical-imaging-pipeline-dev-ingestion"),
        ["policies", "ingestion", "Statement", 1, "Action"],
        ["s3:*"],
    ),
    "no event": (("bucket", "medical-imaging-pipeline-dev-raw-dicom"), ["events"], []),
    "another threshold": (("alarm", "medical-imaging-pipeline-dev-queue-age"), ["when", 1], 901),
    "more receives": (
        ("queue", "medical-imaging-pipeline-dev-events"),
        ["redrive", "maxReceiveCount"],
        4,
    ),
    "logged data": (("state machine", "dicom-processing-workflow-dev"), ["logs", 1], True),
    "not kept": (("key", "The site's secret and nothing else"), ["kept"], False),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_told_by_resource_and_fact(facts: Facts, planted: str) -> None:
    key, path, value = PLANTED[planted]
    changed: Any = deepcopy(facts)
    place = changed[key]
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value
    told = differences(changed, facts)
    assert told
    assert all(line.startswith(f"{key[0]} {key[1]}: {path[0]}") for line in told)


def test_a_missing_resource_is_told(facts: Facts) -> None:
    fewer = {key: value for key, value in facts.items() if key[0] != "topic"}
    assert differences(fewer, facts) == [
        "topic medical-imaging-pipeline-dev-alerts is in CloudFormation only"
    ]
    assert differences(facts, fewer) == ["topic medical-imaging-pipeline-dev-alerts is in Terraform only"]
