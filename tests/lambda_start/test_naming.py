from __future__ import annotations

import re
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from scanward.adapters.aws.naming import execution_name, naming_key, split_name
from scanward.errors import BadInput, Misconfigured, NotFound
from scanward.receive.s3_event import Reference

pytestmark = pytest.mark.unit

KEY = b"0123456789abcdef0123456789abcdef"
ONE = Reference("raw", "DOE^JANE/19700101/scan.dcm", "v1", "etag", 10, "0055")


def test_a_name_is_one_that_step_functions_takes_and_tells_nothing() -> None:
    name = execution_name(KEY, ONE)
    assert re.fullmatch(r"[0-9a-f]{40}", name)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", execution_name(KEY, ONE, attempt=999_999))


def test_a_name_is_of_bucket_key_and_version_and_of_nothing_else() -> None:
    name = execution_name(KEY, ONE)
    assert execution_name(KEY, replace(ONE, etag="other", size=-1, sequencer="")) == name
    for other in (replace(ONE, bucket="other"), replace(ONE, key="other"), replace(ONE, version_id="v2")):
        assert execution_name(KEY, other) != name
    assert execution_name(KEY[::-1], ONE) != name


def test_the_parts_of_a_name_cannot_be_shifted_into_each_other() -> None:
    first = execution_name(KEY, Reference("a", "b", "c"))
    assert first != execution_name(KEY, Reference("ab", "", "c"))
    assert first != execution_name(KEY, Reference("a", 'b", "c', ""))


def test_without_versions_other_bytes_are_another_name() -> None:
    unversioned = replace(ONE, version_id="")
    assert execution_name(KEY, replace(unversioned, version_id="null")) == execution_name(KEY, unversioned)
    assert execution_name(KEY, replace(unversioned, etag='"etag"')) == execution_name(KEY, unversioned)
    assert execution_name(KEY, replace(unversioned, etag="other")) != execution_name(KEY, unversioned)


def test_attempts_are_told_apart_and_belong_to_one_id() -> None:
    name = execution_name(KEY, ONE)
    second = execution_name(KEY, ONE, attempt=2)
    assert second == f"{name}-2"
    assert split_name(name) == (name, 1)
    assert split_name(second) == (name, 2)
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:machine:{second}"
    assert split_name(arn) == (name, 2)


def test_a_name_somebody_chose_by_hand_is_its_own_first_attempt() -> None:
    assert split_name("my-test-2") == ("my-test-2", 1)
    for wrong in ("", "a b", "ä", "x" * 81, "totals/0"):
        with pytest.raises(BadInput):
            split_name(wrong)


@mock_aws
def test_the_key_is_a_secret_of_its_own_and_must_be_long_enough() -> None:
    secrets = boto3.client("secretsmanager", region_name="eu-central-1")
    text = secrets.create_secret(Name="text", SecretString=KEY.decode())["ARN"]
    binary = secrets.create_secret(Name="binary", SecretBinary=KEY)["ARN"]
    short = secrets.create_secret(Name="short", SecretString="short")["ARN"]
    assert naming_key(text, secrets) == naming_key(binary, secrets) == KEY
    with pytest.raises(Misconfigured, match="too short"):
        naming_key(short, secrets)
    with pytest.raises(Misconfigured, match="SCANWARD_AWS_NAMING_SECRET_ARN"):
        naming_key("")
    with pytest.raises(NotFound):
        naming_key(text.replace("text", "gone"), secrets)
