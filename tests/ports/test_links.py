from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.adapters.local.clock import SystemClock
from scanward.adapters.local.links import SignedLinks
from scanward.errors import BadInput, Refused
from scanward.ports.object_store import Zone
from tests.ports.values import key

pytestmark = pytest.mark.unit

HOUR = timedelta(hours=1)


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
def links(clock: HeldClock) -> SignedLinks:
    return SignedLinks(b"k" * 32, clock)


def test_a_link_grants_its_zone_key_and_method_until_it_expires(links: SignedLinks, clock: HeldClock) -> None:
    token = links.make(Zone.DEID, key(1), HOUR)
    grant = links.check(token, "GET")
    assert (grant.zone, grant.key, grant.method) == (Zone.DEID, key(1), "GET")
    assert grant.expires == clock.moment + HOUR
    clock.moment += HOUR - timedelta(seconds=1)
    links.check(token, "get")
    clock.moment += timedelta(seconds=1)
    with pytest.raises(Refused):
        links.check(token, "GET")


def test_a_link_for_another_method_is_refused(links: SignedLinks) -> None:
    token = links.make(Zone.RAW, key(1), HOUR, "PUT")
    assert links.check(token, "PUT").zone is Zone.RAW
    with pytest.raises(Refused):
        links.check(token, "GET")


def test_a_link_of_another_key_is_refused(links: SignedLinks, clock: HeldClock) -> None:
    with pytest.raises(Refused):
        SignedLinks(b"x" * 32, clock).check(links.make(Zone.DEID, key(1), HOUR), "GET")


def test_no_changed_character_of_a_link_is_accepted(links: SignedLinks) -> None:
    token = links.make(Zone.DEID, key(1), HOUR)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Refused):
            links.check(changed, "GET")


def test_a_link_cannot_be_prolonged_or_led_elsewhere(links: SignedLinks) -> None:
    content, signature = links.make(Zone.DEID, key(1), HOUR).split(".")
    plain = base64.urlsafe_b64decode(content + "==").decode()
    for forged in (plain.replace("deid", "raw"), plain.replace(key(1), key(2)), plain[:-1] + "9"):
        other = base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")
        with pytest.raises(Refused):
            links.check(f"{other}.{signature}", "GET")


def test_a_token_beyond_all_measure_is_refused_unread(links: SignedLinks) -> None:
    with pytest.raises(Refused):
        links.check(links.make(Zone.DEID, key(1), HOUR) + "A" * 100_000, "GET")


@given(st.text(max_size=80))
def test_no_text_is_a_link(text: str) -> None:
    with pytest.raises(Refused):
        SignedLinks(b"k" * 32, SystemClock()).check(text, "GET")


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, timedelta(days=7, seconds=1)])
def test_a_link_lives_longer_than_nothing_and_at_most_seven_days(
    links: SignedLinks, lifetime: timedelta
) -> None:
    links.make(Zone.DEID, key(1), timedelta(days=7))
    with pytest.raises(BadInput):
        links.make(Zone.DEID, key(1), lifetime)


def test_nothing_of_quarantine_and_no_odd_key_gets_a_link(links: SignedLinks) -> None:
    for zone, name in ((Zone.QUARANTINE, key(1)), (Zone.DEID, "../x"), (Zone.DEID, "a.b")):
        with pytest.raises(BadInput):
            links.make(zone, name, HOUR)
