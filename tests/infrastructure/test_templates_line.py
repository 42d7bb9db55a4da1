"""What the emulator does not apply is asserted on the template itself: what runs and what watches it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from scanward.settings import AwsSettings, Settings
from scripts.templates_yaml import Tagged
from tests.infrastructure.rendered import arn_of, of_type, ref, template

pytestmark = pytest.mark.unit

TEMPLATE = template()
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = ("Ingestion", "Validation", "Deidentification", "Quarantine", "Starter", "Recorder")
MACHINES = ("Processing", "Backfill")


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_own_role_log_group_and_code(name: str) -> None:
    function = properties(f"{name}Function")
    assert function["Role"] == arn_of(f"{name}Role")
    assert function["Handler"] == "index.lambda_handler"
    assert "lambda_handler" in function["Code"]["ZipFile"]
    assert function["Layers"] == [ref("LayerArn")]
    assert function["Runtime"] == "python3.12"
    named = function["FunctionName"]
    assert named == Tagged("!Sub", f"${{ProjectName}}-{name.lower()}${{FunctionSuffix}}")
    group = properties(f"{name}LogGroup")
    assert group["LogGroupName"] == Tagged("!Sub", f"/aws/lambda/{named.value}")
    # Without it the function's first run could make the group, without retention and key.
    assert RESOURCES[f"{name}Function"]["DependsOn"] == f"{name}LogGroup"
    (policy,) = properties(f"{name}Role")["Policies"]
    assert policy["PolicyName"] == name.lower()


def test_every_variable_of_a_function_is_a_setting_that_the_code_reads() -> None:
    known = {
        f"{prefix}{name.upper()}"
        for prefix, settings in (("SCANWARD_", Settings), ("SCANWARD_AWS_", AwsSettings))
        for name in settings.model_fields
    }
    known |= {"POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}
    for function in of_type(TEMPLATE, "AWS::Lambda::Function").values():
        assert set(function["Environment"]["Variables"]) <= known


def test_no_two_functions_share_a_role_and_each_log_is_kept_for_a_time() -> None:
    roles = [each["Role"].value for each in of_type(TEMPLATE, "AWS::Lambda::Function").values()]
    assert len(roles) == len(set(roles)) == len(FUNCTIONS)
    groups = of_type(TEMPLATE, "AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + len(MACHINES)
    assert all(each["RetentionInDays"] == ref("LogRetentionDays") for each in groups.values())


def test_only_who_needs_a_secret_is_told_where_it_is() -> None:
    told = {
        name: {
            variable
            for variable in properties(f"{name}Function")["Environment"]["Variables"]
            if variable.endswith("SECRET_ARN")
        }
        for name in FUNCTIONS
    }
    assert {name: where for name, where in told.items() if where} == {
        "Deidentification": {"SCANWARD_AWS_SITE_SECRET_ARN"},
        "Starter": {"SCANWARD_AWS_NAMING_SECRET_ARN"},
    }


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_errors_and_throttles_of_every_function_raise_an_alarm(name: str, metric: str) -> None:
    alarm = properties(f"{name}{metric}")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", metric)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": ref(f"{name}Function")}]


@pytest.mark.parametrize(
    ("alarm", "metric", "of"),
    [
        ("ExecutionsFailed", "ExecutionsFailed", ref("ProcessingStateMachine")),
        ("ExecutionsTimedOut", "ExecutionsTimedOut", ref("ProcessingStateMachine")),
        ("ExecutionsAborted", "ExecutionsAborted", ref("ProcessingStateMachine")),
        ("BackfillFailed", "ExecutionsFailed", ref("BackfillStateMachine")),
        ("QueueAge", "ApproximateAgeOfOldestMessage", Tagged("!GetAtt", "EventsQueue.QueueName")),
        ("DeadLetters", "ApproximateNumberOfMessagesVisible", Tagged("!GetAtt", "DeadLetterQueue.QueueName")),
    ],
)
def test_what_goes_wrong_in_the_line_raises_an_alarm(alarm: str, metric: str, of: Tagged) -> None:
    found = properties(alarm)
    assert found["MetricName"] == metric
    assert [each["Value"] for each in found["Dimensions"]] == [of]


def test_every_alarm_is_told_to_the_topic_and_silence_is_no_alarm() -> None:
    alarms = of_type(TEMPLATE, "AWS::CloudWatch::Alarm")
    assert len(alarms) == 2 * len(FUNCTIONS) + 6
    for each in alarms.values():
        assert each["AlarmActions"] == [ref("AlertsTopic")]
        assert each["TreatMissingData"] == "notBreaching"
        assert each["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_is_standard_sealed_and_logs_no_input(name: str) -> None:
    machine = properties(f"{name}StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["EncryptionConfiguration"]["KmsKeyId"] == arn_of("EventsKey")
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert machine["RoleArn"] == arn_of(f"{name}Role")


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_is_given_all_that_it_names(name: str) -> None:
    machine = properties(f"{name}StateMachine")
    named = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    assert named == set(machine["DefinitionSubstitutions"])
    filled = machine["DefinitionString"]
    for each in named:
        filled = filled.replace(f"${{{each}}}", "60")
    assert json.loads(filled)["StartAt"]


def test_the_machines_own_limit_is_a_number_of_the_parameter() -> None:
    machine = properties("ProcessingStateMachine")
    assert '"TimeoutSeconds":${ExecutionTimeoutSeconds}' in machine["DefinitionString"]
    assert machine["DefinitionSubstitutions"]["ExecutionTimeoutSeconds"] == ref("ExecutionTimeoutSeconds")
    assert TEMPLATE["Parameters"]["ExecutionTimeoutSeconds"]["Default"] == 300


def test_every_final_status_reaches_the_recorder() -> None:
    rule = properties("EndedRule")
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [ref("ProcessingStateMachine")],
            "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
        },
    }
    assert [each["Arn"] for each in rule["Targets"]] == [arn_of("RecorderFunction")]
    permission = properties("EndedPermission")
    assert permission["FunctionName"] == ref("RecorderFunction")
    assert permission["SourceArn"] == arn_of("EndedRule")
    assert permission["SourceAccount"] == ref("AWS::AccountId")


def test_what_costs_bears_the_project_and_the_environment() -> None:
    for name, each in RESOURCES.items():
        if "Tags" in each["Properties"]:
            assert each["Properties"]["Tags"] == [
                {"Key": "Project", "Value": ref("ProjectName")},
                {"Key": "Environment", "Value": ref("Environment")},
            ], name
    untagged = {each["Type"] for each in RESOURCES.values() if "Tags" not in each["Properties"]}
    assert untagged.isdisjoint(
        {"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::StepFunctions::StateMachine", "AWS::KMS::Key"}
    )


def test_the_outputs_of_the_user_guide_are_there() -> None:
    assert {"RawBucketName", "ProcessedBucketName", "StateMachineArn", "IngestionFunctionName"} <= set(
        TEMPLATE["Outputs"]
    )


def test_the_longest_names_that_the_parameters_allow_are_names_that_aws_takes() -> None:
    parameters = TEMPLATE["Parameters"]
    longest = {
        "ProjectName": "p" * 25,
        "Environment": "e" * 8,
        "BucketSuffix": "-" + "b" * 12,
        "FunctionSuffix": "-" + "f" * 9,
    }
    for name, value in longest.items():
        assert re.fullmatch(parameters[name]["AllowedPattern"], value)
        assert not re.fullmatch(parameters[name]["AllowedPattern"], value + "x")
    limits = {
        "BucketName": 63,
        "RoleName": 64,
        "FunctionName": 64,
        "StateMachineName": 80,
        "QueueName": 80,
        "TableName": 255,
    }
    for each in RESOURCES.values():
        for kind, limit in limits.items():
            named = each["Properties"].get(kind)
            if isinstance(named, Tagged) and named.tag == "!Sub":
                full = re.sub(r"\$\{(\w+)\}", lambda match: longest[match[1]], str(named.value))
                assert len(full) <= limit, full
