"""What the emulator does not apply is asserted on the template itself: what holds data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.rendered import ROOT, arn_of, of_type, ref, template

pytestmark = pytest.mark.unit

TEMPLATE = template()
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = ("Ingestion", "Validation", "Deidentification", "Quarantine", "Starter", "Recorder")
MACHINES = ("Processing", "Backfill")


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def sids(policy: dict[str, Any], effect: str) -> set[str]:
    return {each["Sid"] for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == effect}


@pytest.mark.parametrize(("bucket", "key"), [("RawBucket", "RawKey"), ("ProcessedBucket", "ProcessedKey")])
def test_a_bucket_of_images_is_encrypted_with_its_own_key(bucket: str, key: str) -> None:
    (rule,) = properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn_of(key)}


def test_the_bucket_of_access_logs_takes_the_only_encryption_that_log_delivery_can_use() -> None:
    (rule,) = properties("LogsBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("bucket", ["RawBucket", "ProcessedBucket"])
def test_images_move_to_colder_tiers_and_are_never_expired(bucket: str) -> None:
    (rule,) = properties(bucket)["LifecycleConfiguration"]["Rules"]
    tiers = [
        {"StorageClass": "STANDARD_IA", "TransitionInDays": ref("InfrequentAccessDays")},
        {"StorageClass": "GLACIER", "TransitionInDays": ref("GlacierDays")},
    ]
    parameters = TEMPLATE["Parameters"]
    assert parameters["InfrequentAccessDays"]["Default"] == 90
    assert parameters["GlacierDays"]["Default"] == 180
    assert rule["Status"] == "Enabled"
    assert rule["Transitions"] == rule["NoncurrentVersionTransitions"] == tiers
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert not [key for key in rule if "Expiration" in key]


@pytest.mark.parametrize(
    ("bucket", "prefix"), [("RawBucket", "s3/raw/"), ("ProcessedBucket", "s3/processed/")]
)
def test_every_access_to_images_is_logged(bucket: str, prefix: str) -> None:
    logging = properties(bucket)["LoggingConfiguration"]
    assert logging == {"DestinationBucketName": ref("LogsBucket"), "LogFilePrefix": prefix}


@pytest.mark.parametrize("bucket", ["RawBucket", "ProcessedBucket", "LogsBucket"])
def test_a_bucket_is_versioned_closed_to_the_public_and_has_its_policy(bucket: str) -> None:
    found = properties(bucket)
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(found["PublicAccessBlockConfiguration"]) == 4
    assert found["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    policy = properties(f"{bucket}Policy")
    assert policy["Bucket"] == ref(bucket)
    assert "TlsOnly" in sids(policy, "Deny")


def test_access_logs_are_kept_for_six_years_unless_told_otherwise() -> None:
    (rule,) = properties("LogsBucket")["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == ref("AccessLogRetentionDays")
    assert TEMPLATE["Parameters"]["AccessLogRetentionDays"]["Default"] >= 6 * 365


def test_what_holds_data_outlives_its_stack_and_so_does_what_guards_it() -> None:
    kept = {name for name, each in RESOURCES.items() if "DeletionPolicy" in each}
    kinds = {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
        "AWS::DynamoDB::Table",
        "AWS::SecretsManager::Secret",
    }
    assert kept == {name for name, each in RESOURCES.items() if each["Type"] in kinds}
    for name in kept:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_there_are_four_keys_that_are_renewed_every_year() -> None:
    keys = of_type(TEMPLATE, "AWS::KMS::Key")
    assert set(keys) == {"RawKey", "ProcessedKey", "EventsKey", "SiteKey"}
    assert all(each["EnableKeyRotation"] is True for each in keys.values())


def test_every_upload_and_nothing_else_is_told_to_the_queue() -> None:
    assert properties("RawBucket")["NotificationConfiguration"] == {
        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": arn_of("EventsQueue")}]
    }
    # S3 refuses the notification as long as the queue does not let it send.
    assert "EventsQueuePolicy" in RESOURCES["RawBucket"]["DependsOn"]
    assert "NotificationConfiguration" not in properties("ProcessedBucket")


def test_a_message_is_hidden_for_six_runs_of_the_starter_and_dead_after_three() -> None:
    queue = properties("EventsQueue")
    assert queue["VisibilityTimeout"] >= 6 * properties("StarterFunction")["Timeout"]
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn_of("DeadLetterQueue"), "maxReceiveCount": 3}
    trigger = properties("StarterTrigger")
    assert trigger["EventSourceArn"] == arn_of("EventsQueue")
    assert trigger["FunctionName"] == ref("StarterFunction")
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_dead_letters_are_kept_longer_than_what_dies() -> None:
    dead = properties("DeadLetterQueue")
    assert dead["MessageRetentionPeriod"] == 14 * 86_400 > properties("EventsQueue")["MessageRetentionPeriod"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("EventsQueue", "KmsMasterKeyId"),
        ("DeadLetterQueue", "KmsMasterKeyId"),
        ("AlertsTopic", "KmsMasterKeyId"),
        *((f"{name}LogGroup", "KmsKeyId") for name in (*FUNCTIONS, *MACHINES)),
        ("NamingSecret", "KmsKeyId"),
    ],
)
def test_events_rows_logs_and_executions_are_encrypted_with_the_key_of_events(name: str, key: str) -> None:
    assert properties(name)[key] == arn_of("EventsKey")


def test_the_table_is_encrypted_recoverable_and_grows_on_demand() -> None:
    table = properties("ExecutionsTable")
    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": arn_of("EventsKey"),
    }
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_both_secrets_are_64_hexadecimal_digits_and_the_sites_has_a_key_of_its_own() -> None:
    for name in ("SiteSecret", "NamingSecret"):
        made = properties(name)["GenerateSecretString"]
        printable = {chr(code) for code in range(33, 127)}
        assert printable - set(made["ExcludeCharacters"]) == set("0123456789abcdef")
        assert made["PasswordLength"] == 64
        assert made["IncludeSpace"] is made["RequireEachIncludedType"] is False
    assert properties("SiteSecret")["KmsKeyId"] == arn_of("SiteKey")


def test_the_compliance_document_tells_the_days_that_the_template_keeps() -> None:
    document = (ROOT / "docs" / "COMPLIANCE.md").read_text(encoding="utf-8")
    kept = {name: each["Default"] for name, each in TEMPLATE["Parameters"].items() if "Days" in name}
    days = [
        properties(queue)["MessageRetentionPeriod"] // 86_400 for queue in ("EventsQueue", "DeadLetterQueue")
    ]
    assert f"| {kept['AccessLogRetentionDays']:,} days |" in document
    assert f"| {days[0]} days, {days[1]} days |" in document
    tiers = kept["InfrequentAccessDays"], kept["GlacierDays"]
    assert "STANDARD_IA after {} days and to GLACIER after {}".format(*tiers) in document
