"""Who may do what on a deployed stack: who uploads, who reads results, and who holds a link."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from src.delivery.presigned_url_handler import PresignedUrlHandler
from tests.emulator.machine import REGION, Account
from tests.emulator.objects import corrupt, scan
from tests.emulator.stack import Stack

pytestmark = pytest.mark.integration

KEY = "people/image.dcm"


@pytest.fixture(scope="module")
def processed(stack: Stack) -> bytes:
    stack.upload(KEY, scan(91))
    stack.result(KEY)
    return stack.output(KEY)


def person(stack: Stack, name: str, actions: list[str], *resources: str) -> Account:
    """Make a user who may do this, as the account's administrator would, and return their account."""
    iam = stack.account.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return replace(stack.account, key_id=keys["AccessKeyId"], secret_key=keys["SecretAccessKey"])


@pytest.fixture(scope="module")
def uploader(stack: Stack) -> Account:
    actions = ["s3:PutObject", "kms:GenerateDataKey"]
    return person(stack, "uploader", actions, f"arn:aws:s3:::{stack.raw}/*", stack.outputs["RawKeyArn"])


@pytest.fixture(scope="module")
def researcher(stack: Stack) -> Account:
    bucket = f"arn:aws:s3:::{stack.processed}"
    actions = ["s3:GetObject", "s3:ListBucket", "kms:Decrypt"]
    return person(stack, "researcher", actions, bucket, f"{bucket}/*", stack.outputs["ProcessedKeyArn"])


@pytest.fixture(scope="module")
def physician(stack: Stack) -> Account:
    """Somebody who may read all of the raw bucket, so far as their own policy goes."""
    bucket = f"arn:aws:s3:::{stack.raw}"
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "kms:Decrypt"]
    return person(stack, "physician", actions, bucket, f"{bucket}/*", stack.outputs["RawKeyArn"])


def refused(account: Account, verb: str, **given: str | bytes) -> bool:
    """Return whether S3 denies a call."""
    with pytest.raises(ClientError) as caught:
        getattr(account.client("s3"), verb)(**given)
    return str(caught.value.response["Error"]["Code"]) in {"AccessDenied", "403"}


def test_who_uploads_cannot_read_what_was_uploaded_nor_the_results(
    stack: Stack, uploader: Account, processed: bytes
) -> None:
    assert processed
    uploader.client("s3").put_object(Bucket=stack.raw, Key="people/mine.dcm", Body=scan(92))
    assert stack.result("people/mine.dcm")["status"] == "SUCCEEDED"
    assert refused(uploader, "get_object", Bucket=stack.raw, Key="people/mine.dcm")
    assert refused(uploader, "get_object", Bucket=stack.processed, Key=KEY)


def test_who_reads_results_sees_nothing_of_raw(stack: Stack, researcher: Account, processed: bytes) -> None:
    body = researcher.client("s3").get_object(Bucket=stack.processed, Key=KEY)["Body"].read()
    assert body == processed
    assert refused(researcher, "get_object", Bucket=stack.raw, Key=KEY)
    assert refused(researcher, "list_objects_v2", Bucket=stack.raw)
    assert refused(researcher, "put_object", Bucket=stack.processed, Key=KEY, Body=b"other")


def test_quarantine_is_closed_even_to_who_reads_raw(stack: Stack, physician: Account) -> None:
    stack.upload("people/cut.dcm", corrupt(93))
    kept = f"quarantine/{stack.result('people/cut.dcm')['name']}/object"
    assert kept in stack.keys(stack.raw)
    assert physician.client("s3").get_object(Bucket=stack.raw, Key="people/cut.dcm")["Body"].read()
    assert refused(physician, "get_object", Bucket=stack.raw, Key=kept)
    assert refused(physician, "delete_object", Bucket=stack.raw, Key=kept)
    assert refused(physician, "put_object", Bucket=stack.raw, Key=f"{kept}-2", Body=b"planted")


@pytest.fixture
def links(
    stack: Stack, researcher: Account, processed: bytes, monkeypatch: pytest.MonkeyPatch
) -> PresignedUrlHandler:
    """Links of somebody who reads results."""
    assert processed
    for name, value in researcher.environment.items():
        monkeypatch.setenv(name, value)
    return PresignedUrlHandler(stack.processed, REGION)


def answer(url: str, method: str = "GET") -> tuple[int, bytes]:
    """Open a link without any credentials."""
    body = b"other bytes" if method == "PUT" else None
    request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - the emulator's own address
    try:
        with urllib.request.urlopen(request, timeout=30) as found:  # noqa: S310 - as above
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_link_opens_its_object_for_whoever_has_it(links: PresignedUrlHandler, processed: bytes) -> None:
    assert answer(links.generate_download_url(KEY)["url"]) == (200, processed)


def test_a_link_that_has_expired_is_refused(links: PresignedUrlHandler) -> None:
    link = links.generate_download_url(KEY, expiration_seconds=1)["url"]
    time.sleep(2.1)
    assert answer(link)[0] == 403


@pytest.mark.parametrize(
    ("before", "after"),
    [("image.dcm", "other.dcm"), ("X-Amz-Expires=3600", "X-Amz-Expires=9999"), ("Signature=", "Signature=0")],
)
def test_a_link_that_was_tampered_with_is_refused(
    links: PresignedUrlHandler, before: str, after: str
) -> None:
    link = links.generate_download_url(KEY)["url"]
    assert before in link
    assert answer(link.replace(before, after))[0] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_a_link_is_refused_for_another_method(
    stack: Stack, links: PresignedUrlHandler, processed: bytes, method: str
) -> None:
    status, _ = answer(links.generate_download_url(KEY)["url"], method)
    assert status in {403, 405}
    assert stack.output(KEY) == processed


def test_a_link_gives_no_more_than_its_maker_has(stack: Stack, links: PresignedUrlHandler) -> None:
    assert links.s3_client.meta.endpoint_url == stack.account.endpoint
    raw = PresignedUrlHandler(stack.raw, REGION)
    assert answer(raw.generate_download_url(KEY)["url"])[0] == 403
