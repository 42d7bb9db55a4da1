from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from scripts.templates_parts import PLACEHOLDER, settings, table
from tests.infrastructure.policy_rules import POLICIES, documents, faults, listed, statements

pytestmark = pytest.mark.unit

DOCUMENTS = documents()
FUNCTIONS = ("ingestion", "validation", "deidentification", "quarantine", "starter", "recorder")
ROLES = (*FUNCTIONS, "processing_workflow", "backfill_workflow")
_GOOD = {"Sid": "Good", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "<<RawBucketArn>>/*"}


def who_may(action: str, within: str) -> set[str]:
    """Return the roles that may do something to what `within` names."""
    return {
        role
        for role in ROLES
        for each in statements(DOCUMENTS[role])
        if action in listed(each["Action"])
        and any(resource.startswith(within) for resource in listed(each["Resource"]))
    }


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_policy_allows_no_more_than_it_names(name: str) -> None:
    assert faults(name, DOCUMENTS[name]) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Action": ["s3:Get*"]}, "is not one action"),
        ({"Action": "*"}, "is not one action"),
        ({"Resource": "*"}, "all resources"),
        ({"Action": ["s3:GetObject", "logs:CreateLogDelivery"], "Resource": "*"}, "all resources"),
        ({"Resource": ["<<RawBucketArn>>/*", "arn:aws:s3:::*/key"]}, "more than what is within"),
        ({"Principal": "*"}, "everybody"),
        ({"Principal": {"AWS": ["*"]}}, "everybody"),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, "not held to this account"),
        ({"Action": ["kms:Decrypt"], "Resource": "<<RawKeyArn>>"}, "without kms:ViaService"),
        ({"NotAction": ["s3:PutObject"]}, "NotAction"),
    ],
)
def test_the_rule_notices_what_a_policy_must_not_allow(change: Mapping[str, Any], fault: str) -> None:
    assert faults("good", {"Statement": [_GOOD]}) == []
    found = faults("bad", {"Statement": [{**_GOOD, **change}]})
    assert any(fault in each for each in found), found


def test_only_deidentification_reads_the_site_secret_and_only_the_starter_the_naming_key() -> None:
    assert who_may("secretsmanager:GetSecretValue", "<<SiteSecretArn>>") == {"deidentification"}
    assert who_may("secretsmanager:GetSecretValue", "<<NamingSecretArn>>") == {"starter"}
    assert who_may("kms:Decrypt", "<<SiteKeyArn>>") == {"deidentification"}


def test_only_deidentification_writes_what_is_processed() -> None:
    assert who_may("s3:PutObject", "<<ProcessedBucketArn>>") == {"deidentification"}
    assert who_may("s3:GetObject", "<<ProcessedBucketArn>>") == {"deidentification"}


def test_raw_is_written_by_quarantine_only_and_only_under_its_prefix() -> None:
    assert who_may("s3:PutObject", "<<RawBucketArn>>") == {"quarantine"}
    assert who_may("s3:PutObject", "<<RawBucketArn>>/quarantine/") == {"quarantine"}


def test_no_role_deletes_an_object_a_row_or_a_secret() -> None:
    allowed = {
        action for role in ROLES for each in statements(DOCUMENTS[role]) for action in listed(each["Action"])
    }
    deleting = {action for action in allowed if ":Delete" in action}
    assert deleting == {"logs:DeleteLogDelivery", "sqs:DeleteMessage"}


def test_only_the_starter_starts_executions_and_backfill_only_its_own() -> None:
    assert who_may("states:StartExecution", "<<ProcessingStateMachineArn>>") == {"starter"}
    assert who_may("states:StartExecution", "<<BackfillStateMachineArn>>") == {"backfill_workflow"}


def test_a_state_machine_calls_its_own_functions_only() -> None:
    assert who_may("lambda:InvokeFunction", "<<StarterFunctionArn>>") == {"backfill_workflow"}
    for name in ("Ingestion", "Validation", "Deidentification", "Quarantine"):
        assert who_may("lambda:InvokeFunction", f"<<{name}FunctionArn>>") == {"processing_workflow"}
    assert who_may("lambda:InvokeFunction", "<<RecorderFunctionArn>>") == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_its_own_log_group_only(function: str) -> None:
    assert who_may("logs:PutLogEvents", f"<<{function.title()}LogGroupArn>>") == {function}


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("bucket_raw", "s3:*"),
        ("bucket_processed", "s3:*"),
        ("bucket_logs", "s3:*"),
        ("queue_events", "sqs:*"),
        ("queue_dead_letters", "sqs:*"),
        ("topic_alerts", "sns:Publish"),
    ],
)
def test_what_does_not_come_over_tls_is_refused(name: str, action: str) -> None:
    (tls,) = [each for each in statements(DOCUMENTS[name], "Deny") if each["Sid"] == "TlsOnly"]
    assert tls["Principal"] == "*"
    assert tls["Action"] == [action]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    if name.startswith("bucket_"):
        assert len(tls["Resource"]) == 2  # the bucket and its objects


def test_quarantine_is_closed_to_all_but_its_keepers() -> None:
    (closed,) = [e for e in statements(DOCUMENTS["bucket_raw"], "Deny") if e["Sid"] == "QuarantineIsClosed"]
    assert closed["Resource"] == "<<RawBucketArn>>/quarantine/*"
    assert closed["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": ["<<QuarantineKeeperArns>>"]}}
    assert {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"} <= set(closed["Action"])


@pytest.mark.parametrize("name", ["bucket_raw", "bucket_processed"])
def test_an_upload_under_another_key_is_refused(name: str) -> None:
    denied = {each["Sid"]: each["Condition"] for each in statements(DOCUMENTS[name], "Deny")}
    key = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    which = "Raw" if name == "bucket_raw" else "Processed"
    # An upload that names no key takes the bucket's, and must not be refused for its silence.
    assert denied["OwnKeyOnly"] == {"Null": {key: "false"}, "StringNotEquals": {key: f"<<{which}KeyArn>>"}}


@pytest.mark.parametrize("name", ["key_raw", "key_processed", "key_events", "key_site"])
def test_a_key_is_administered_without_being_used(name: str) -> None:
    (administer,) = [each for each in statements(DOCUMENTS[name]) if each["Sid"] == "Administer"]
    used = re.compile(r"kms:(Decrypt|Encrypt|ReEncrypt|Generate|CreateGrant|Sign|Verify)")
    assert not [action for action in administer["Action"] if used.match(action)]
    assert "kms:PutKeyPolicy" in administer["Action"]  # else a key could be locked for ever


def test_the_site_secret_is_decrypted_for_its_named_readers_only() -> None:
    readers = [
        each["Condition"]
        for each in statements(DOCUMENTS["key_site"])
        if "kms:Decrypt" in each["Action"] and each["Sid"] != "ProveAccessAtCreation"
    ]
    assert [each["ArnLike"] for each in readers] == [{"aws:PrincipalArn": ["<<SiteSecretReaderArns>>"]}]
    (proof,) = [e for e in statements(DOCUMENTS["key_site"]) if e["Sid"] == "ProveAccessAtCreation"]
    # Not a version: Secrets Manager tries the key with this word before a secret is made.
    tried = proof["Condition"]["StringEquals"]["kms:EncryptionContext:SecretVersionId"]
    assert tried == "RequestToValidateKeyAccess"


def test_every_placeholder_is_known_used_and_in_the_table_of_the_readme() -> None:
    known = settings("placeholders")
    named = {*table(known["values"]), *table(known["lists"])}
    ours = [path for path in POLICIES.glob("*.json") if not path.name.startswith("phase1")]
    used = {name for path in ours for name in PLACEHOLDER.findall(path.read_text(encoding="utf-8"))}
    readme = (POLICIES / "README.md").read_text(encoding="utf-8")
    assert used == named
    assert not [name for name in used if f"`{name}`" not in readme]


def test_a_placeholder_stands_within_a_text_and_a_list_alone_in_its_array() -> None:
    lists = set(table(settings("placeholders")["lists"]))
    for path in sorted(POLICIES.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        for match in PLACEHOLDER.finditer(text):
            if match[1] in lists:
                around = text[: match.start()].rstrip('"').rstrip()[-1] + text[match.end() + 1 :].lstrip()[0]
                assert around == "[]", f"{path.name}: {match[0]}"
