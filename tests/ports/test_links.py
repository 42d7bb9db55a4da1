"""Every test of what a link is runs against both engines; only where the bytes come from differs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from scanward.adapters.aws.clients import new_client
from scanward.adapters.aws.links import S3Links
from scanward.adapters.aws.object_store import S3ObjectStore
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.adapters.local.clock import SystemClock
from scanward.adapters.local.links import SignedLinks
from scanward.adapters.local.staging import Staging
from scanward.errors import BadInput, NotFound, Refused
from scanward.ports.links import Links
from scanward.ports.object_store import Zone
from tests.ports.values import key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.unit

HOUR = timedelta(hours=1)
BUCKET = "bucket-of-links"


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def bucket() -> Iterator[S3Client]:
    with mock_aws():
        s3 = new_client("s3", "eu-central-1", "testing", "testing")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield s3


@pytest.fixture(params=["signed", "s3"])
def links(request: pytest.FixtureRequest, clock: HeldClock, tmp_path: Path) -> Links:
    signed = SignedLinks(b"k" * 32, clock)
    if request.param == "signed":
        return signed
    return _in_s3(request.getfixturevalue("bucket"), clock, tmp_path)


def _in_s3(s3: S3Client, clock: HeldClock, folder: Path) -> S3Links:
    store = S3ObjectStore(S3Objects(s3), BUCKET, "site/", Staging(folder))
    return S3Links(SignedLinks(b"k" * 32, clock), store, s3, clock)


def test_a_link_grants_its_zone_key_and_method_until_it_expires(links: Links, clock: HeldClock) -> None:
    token = links.make(Zone.DEID, key(1), HOUR)
    grant = links.check(token, "GET")
    assert (grant.zone, grant.key, grant.method) == (Zone.DEID, key(1), "GET")
    assert grant.expires == clock.moment + HOUR
    clock.moment += HOUR - timedelta(seconds=1)
    links.check(token, "get")
    clock.moment += timedelta(seconds=1)
    with pytest.raises(Refused):
        links.check(token, "GET")


def test_a_link_for_another_method_is_refused(links: Links) -> None:
    token = links.make(Zone.RAW, key(1), HOUR, "PUT")
    assert links.check(token, "PUT").zone is Zone.RAW
    with pytest.raises(Refused):
        links.check(token, "GET")


def test_a_link_of_another_key_is_refused(links: Links, clock: HeldClock) -> None:
    with pytest.raises(Refused):
        SignedLinks(b"x" * 32, clock).check(links.make(Zone.DEID, key(1), HOUR), "GET")


def test_no_changed_character_of_a_link_is_accepted(links: Links) -> None:
    token = links.make(Zone.DEID, key(1), HOUR)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Refused):
            links.check(changed, "GET")


def test_a_link_cannot_be_prolonged_or_led_elsewhere(links: Links) -> None:
    content, signature = links.make(Zone.DEID, key(1), HOUR).split(".")
    plain = base64.urlsafe_b64decode(content + "==").decode()
    for forged in (plain.replace("deid", "raw"), plain.replace(key(1), key(2)), plain[:-1] + "9"):
        other = base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")
        with pytest.raises(Refused):
            links.check(f"{other}.{signature}", "GET")


def test_a_token_beyond_all_measure_is_refused_unread(links: Links) -> None:
    with pytest.raises(Refused):
        links.check(links.make(Zone.DEID, key(1), HOUR) + "A" * 100_000, "GET")


@given(st.text(max_size=80))
def test_no_text_is_a_link(text: str) -> None:
    with pytest.raises(Refused):
        SignedLinks(b"k" * 32, SystemClock()).check(text, "GET")


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, timedelta(days=7, seconds=1)])
def test_a_link_lives_longer_than_nothing_and_at_most_seven_days(links: Links, lifetime: timedelta) -> None:
    links.make(Zone.DEID, key(1), timedelta(days=7))
    with pytest.raises(BadInput):
        links.make(Zone.DEID, key(1), lifetime)


def test_nothing_of_quarantine_and_no_odd_key_gets_a_link(links: Links) -> None:
    for zone, name in ((Zone.QUARANTINE, key(1)), (Zone.DEID, "../x"), (Zone.DEID, "a.b")):
        with pytest.raises(BadInput):
            links.make(zone, name, HOUR)


def test_the_local_service_hands_out_the_bytes_itself(clock: HeldClock) -> None:
    links = SignedLinks(b"k" * 32, clock)
    assert not links.address(links.check(links.make(Zone.DEID, key(1), HOUR), "GET"))


@pytest.mark.parametrize(("method", "lifetime", "seconds"), [("GET", HOUR, 300), ("HEAD", HOUR / 60, 60)])
def test_an_address_of_s3_lives_five_minutes_at_most_and_never_longer_than_the_link(
    bucket: S3Client, clock: HeldClock, tmp_path: Path, method: str, lifetime: timedelta, seconds: int
) -> None:
    links = _in_s3(bucket, clock, tmp_path)
    bucket.put_object(Bucket=BUCKET, Key=f"site/deid/{key(1)}", Body=b"x")
    grant = links.check(links.make(Zone.DEID, key(1), lifetime, method), method)
    asked = parse_qs(urlsplit(links.address(grant)).query)
    assert asked["X-Amz-Expires"] == [str(seconds)]
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert ("response-content-disposition" in asked) == (method == "GET")
    clock.moment += lifetime
    with pytest.raises(Refused):
        links.address(grant)


def test_of_an_object_that_is_gone_there_is_no_address(
    bucket: S3Client, clock: HeldClock, tmp_path: Path
) -> None:
    links = _in_s3(bucket, clock, tmp_path)
    with pytest.raises(NotFound):
        links.address(links.check(links.make(Zone.DEID, key(1), HOUR), "GET"))
