"""The template as the guide describes it: names, parameters, encryption, retention, and its size."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scanward.adapters.aws.studies import PATIENT_INDEX
from scripts import phase1_template
from scripts.templates_parts import ROOT, table
from scripts.templates_yaml import Node, Tagged, load

pytestmark = pytest.mark.unit

TEMPLATE = table(load(phase1_template.TARGET.read_text(encoding="utf-8")))
RESOURCES = table(TEMPLATE["Resources"])
PARAMETERS = table(TEMPLATE["Parameters"])


def properties(name: str) -> dict[str, Node]:
    return table(table(RESOURCES[name])["Properties"])


def named(node: Node) -> str:
    """Return a name with the defaults filled in, as the guide prints it."""
    assert isinstance(node, Tagged)
    assert node.tag == "!Sub"
    filled = str(node.value).replace("${ProjectName}", str(table(PARAMETERS["ProjectName"])["Default"]))
    return filled.replace("${AWS::AccountId}", "{ACCOUNT_ID}")


def rows(node: Node) -> list[dict[str, Node]]:
    assert isinstance(node, list)
    return [table(each) for each in node]


def test_the_template_is_fresh_and_fits_into_a_request() -> None:
    assert phase1_template.main(["--check"]) == 0
    assert phase1_template.TARGET.stat().st_size < 51_200


def test_a_stale_template_is_named_and_then_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "cloudformation_phase1.yaml"
    stale.write_text("old", encoding="utf-8")
    monkeypatch.setattr(phase1_template, "TARGET", stale)
    assert phase1_template.main(["--check"]) == 1
    assert stale.read_text(encoding="utf-8") == "old"
    assert phase1_template.main([]) == 0
    assert stale.read_text(encoding="utf-8") == phase1_template.rendered()
    assert "is stale" in capsys.readouterr().out


def test_a_template_that_does_not_fit_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase1_template, "TARGET", tmp_path / "large.yaml")
    monkeypatch.setattr(phase1_template, "LARGEST", 1000)
    with pytest.raises(SystemExit, match="1,000"):
        phase1_template.main([])
    assert not (tmp_path / "large.yaml").exists()


@pytest.mark.parametrize(
    ("resource", "field", "name"),
    [
        ("DicomUploadBucket", "BucketName", "stroke-detection-ai-dicom-uploads-{ACCOUNT_ID}"),
        ("StudyMetadataTable", "TableName", "stroke-detection-ai-study-metadata"),
        ("UploadHandlerFunction", "FunctionName", "stroke-detection-ai-upload-handler"),
        ("ImportMonitorFunction", "FunctionName", "stroke-detection-ai-import-monitor"),
        ("ProcessingStateMachine", "StateMachineName", "stroke-detection-ai-processing"),
        ("UploadHandlerLogGroup", "LogGroupName", "/aws/lambda/stroke-detection-ai-upload-handler"),
        ("ImportMonitorLogGroup", "LogGroupName", "/aws/lambda/stroke-detection-ai-import-monitor"),
        ("ProcessingLogGroup", "LogGroupName", "/aws/states/stroke-detection-ai-processing"),
    ],
)
def test_the_names_are_those_of_the_guide(resource: str, field: str, name: str) -> None:
    assert named(properties(resource)[field]) == name


def test_the_bucket_is_encrypted_versioned_closed_and_emptied_after_90_days() -> None:
    bucket = properties("DicomUploadBucket")
    (rule,) = rows(table(bucket["BucketEncryption"])["ServerSideEncryptionConfiguration"])
    assert table(rule["ServerSideEncryptionByDefault"]) == {"SSEAlgorithm": "AES256"}
    assert table(bucket["VersioningConfiguration"]) == {"Status": "Enabled"}
    assert set(table(bucket["PublicAccessBlockConfiguration"]).values()) == {True}
    expiry = rows(table(bucket["LifecycleConfiguration"])["Rules"])[0]
    assert expiry["ExpirationInDays"] == Tagged("!Ref", "RetentionDays")
    assert table(PARAMETERS["RetentionDays"])["Default"] == 90
    (denied,) = rows(table(properties("DicomUploadBucketPolicy")["PolicyDocument"])["Statement"])
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_table_has_the_key_the_index_encryption_and_backups() -> None:
    studies = properties("StudyMetadataTable")
    assert rows(studies["KeySchema"]) == [{"AttributeName": "study_id", "KeyType": "HASH"}]
    (index,) = rows(studies["GlobalSecondaryIndexes"])
    assert index["IndexName"] == PATIENT_INDEX
    assert [key["AttributeName"] for key in rows(index["KeySchema"])] == ["patient_id", "upload_timestamp"]
    assert table(studies["SSESpecification"]) == {"SSEEnabled": True}
    assert table(studies["PointInTimeRecoverySpecification"]) == {"PointInTimeRecoveryEnabled": True}


def test_what_holds_data_outlives_the_stack() -> None:
    for name in ("DicomUploadBucket", "StudyMetadataTable", "HealthImagingDatastore"):
        resource = table(RESOURCES[name])
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (
            "RetainExceptOnCreate",
            "Retain",
        )


def test_the_door_is_closed_by_default_and_slowed() -> None:
    assert table(PARAMETERS["ApiAuth"])["Default"] == "AWS_IAM"
    route = properties("UploadRoute")
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /upload", Tagged("!Ref", "ApiAuth"))
    stage = properties("UploadStage")
    assert stage["StageName"] == "prod"
    assert set(table(stage["DefaultRouteSettings"])) == {"ThrottlingBurstLimit", "ThrottlingRateLimit"}
    assert "AllowOrigins" in table(properties("UploadApi")["CorsConfiguration"])


def test_the_access_log_bears_neither_address_nor_path_of_its_askers() -> None:
    log = table(properties("UploadStage")["AccessLogSettings"])
    assert set(json.loads(str(log["Format"]))) == {"request", "time", "route", "status", "ms", "error"}


def test_the_layer_is_found_by_the_parameter_that_its_script_writes() -> None:
    layer = table(PARAMETERS["LayerArn"])
    assert layer["Type"] == "AWS::SSM::Parameter::Value<String>"
    script = (ROOT / "terraform/scripts/build_lambda_layer.sh").read_text(encoding="utf-8")
    assert f"parameter={layer['Default']}" in script


def test_the_printed_zips_hold_what_the_functions_are_entered_by() -> None:
    for resource, module in (
        ("UploadHandlerFunction", "lambda_upload_handler"),
        ("ImportMonitorFunction", "lambda_import_monitor"),
    ):
        assert properties(resource)["Handler"] == f"{module}.lambda_handler"
        assert (phase1_template.TARGET.parent / f"{module}.py").exists()


def test_the_metrics_to_watch_are_on_the_dashboard() -> None:
    body = properties("Dashboard")["DashboardBody"]
    assert isinstance(body, Tagged)
    told = json.loads(re.sub(r"\$\{!?[\w:.]+\}", "x", str(body.value)))
    text = json.dumps(told)
    for metric in (
        "Invocations",
        "Errors",
        "ImportSeconds",
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ExecutionsSucceeded",
    ):
        assert f'"{metric}"' in text
    assert "success rate" in text


def test_the_watch_polls_every_30_seconds_and_ends_by_itself() -> None:
    assert table(PARAMETERS["PollSeconds"])["Default"] == 30
    definition = str(properties("ProcessingStateMachine")["DefinitionString"])
    filled = json.loads(re.sub(r"\$\{\w+Seconds\}", "30", definition))
    assert filled["TimeoutSeconds"] == 30
    wait = filled["States"]["WaitForImport"]
    assert wait["Resource"].endswith(".waitForTaskToken")
    assert wait["TimeoutSeconds"] == 30
    assert wait["Catch"][0] == {
        "ErrorEquals": ["States.Timeout"],
        "ResultPath": "$.wait",
        "Next": "CheckImport",
    }


def test_a_watch_of_its_longest_fits_into_the_history_that_step_functions_keeps() -> None:
    events_a_round = 14
    rounds = int(str(table(PARAMETERS["WatchTimeoutSeconds"])["Default"])) / 30
    assert rounds * events_a_round < 25_000
