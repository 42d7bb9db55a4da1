"""Signed links: whoever holds one reads that object until it expires, and nothing else."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from scanward.ports.object_store import Zone
from tests.doors.serving import CT, MR, Served

pytestmark = pytest.mark.integration
KEY = hashlib.sha256(CT).hexdigest()


@pytest.fixture(scope="module")
def holding(served: Served) -> Served:
    assert served.upload(("a", CT), ("b", MR)).status_code == 202
    return served


@pytest.fixture
def stranger(holding: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=holding.url) as client:
        yield client


def link(served: Served, **changes: str) -> str:
    answer = served.client.post("/links", json={"key": KEY, "zone": "raw", **changes})
    assert answer.status_code == 201
    return str(answer.json()["url"])


def test_a_link_hands_out_the_object_byte_for_byte_without_a_token(
    holding: Served, stranger: httpx.Client
) -> None:
    answer = stranger.get(link(holding))
    assert answer.content == CT
    assert answer.headers["content-type"] == "application/dicom"
    assert answer.headers["content-length"] == str(len(CT))
    assert answer.headers["content-disposition"] == f'attachment; filename="{KEY[:16]}.dcm"'


def test_a_link_tells_how_long_it_lives(holding: Served) -> None:
    for expires, seconds in {"90s": 90, "15m": 900, "1h": 3600, "7d": 604_800}.items():
        answer = holding.client.post("/links", json={"key": KEY, "zone": "raw", "expires": expires}).json()
        assert answer["expires_in"] == seconds


@pytest.mark.parametrize("expires", ["0s", "8d", "169h", "999999d"])
def test_a_lifetime_of_nothing_or_beyond_a_week_is_refused(holding: Served, expires: str) -> None:
    answer = holding.client.post("/links", json={"key": KEY, "zone": "raw", "expires": expires})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "wanted",
    [
        {"key": "../../etc/passwd"},
        {"key": KEY, "zone": "quarantine"},
        {"key": KEY, "expires": "soon"},
        {"key": KEY, "expires": "-1h"},
        {"key": KEY.upper()},
        {},
    ],
)
def test_a_wish_of_the_wrong_form_is_named_without_its_value(holding: Served, wanted: dict[str, str]) -> None:
    answer = holding.client.post("/links", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["details"]["faults"][0]["place"].startswith("body.")
    assert not any(value in answer.text for value in ("passwd", "soon", "-1h"))


def test_an_object_of_another_zone_or_none_has_no_link(holding: Served) -> None:
    assert holding.client.post("/links", json={"key": KEY, "zone": "deid"}).status_code == 404
    assert holding.client.post("/links", json={"key": "0" * 64, "zone": "raw"}).status_code == 404


def test_an_expired_link_is_refused(holding: Served, stranger: httpx.Client) -> None:
    token = holding.ports.links.make(Zone.RAW, KEY, timedelta(seconds=1))
    time.sleep(2.1)
    answer = stranger.get(f"/links/{token}")
    assert answer.status_code == 403
    assert answer.json()["error"] == "Access Denied"


def test_a_tampered_link_is_refused_wherever_it_is_touched(holding: Served, stranger: httpx.Client) -> None:
    token = link(holding).removeprefix("/links/")
    for place in (*range(0, len(token), 7), len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        answer = stranger.get(f"/links/{token[:place]}{other}{token[place + 1 :]}")
        assert answer.status_code == 403, place


@pytest.mark.parametrize("token", ["x", ".", "a.b", "%00", "%2e%2e%2fhealth", "ä.ö", "x" * 1000])
def test_what_is_no_token_is_refused(stranger: httpx.Client, token: str) -> None:
    assert stranger.get(f"/links/{token}").status_code in {401, 403}


def test_a_link_is_for_its_method_alone(holding: Served, stranger: httpx.Client) -> None:
    reading = link(holding)
    asking = holding.ports.links.make(Zone.RAW, KEY, timedelta(minutes=1), "HEAD")
    assert stranger.head(reading).status_code == 403
    assert stranger.get(f"/links/{asking}").status_code == 403
    answer = stranger.head(f"/links/{asking}")
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(CT)))
    for method in ("POST", "PUT", "DELETE"):
        assert stranger.request(method, reading).status_code == 405


def test_a_link_does_not_open_anything_else(holding: Served, stranger: httpx.Client) -> None:
    url = link(holding)
    stranger.get(url)
    assert stranger.get("/studies").status_code == 401
    assert stranger.get(url + "/../../studies").status_code == 401


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=5-99999999", 5, None),
    ],
)
def test_a_range_is_that_part(
    holding: Served, stranger: httpx.Client, wanted: str, start: int, end: int | None
) -> None:
    answer = stranger.get(link(holding), headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == CT[start:end]
    assert answer.headers["content-range"].endswith(f"/{len(CT)}")


@pytest.mark.parametrize("wanted", ["bytes=999999999-", "bytes=-0", "bytes=10-5"])
def test_a_range_outside_the_object_is_refused(holding: Served, stranger: httpx.Client, wanted: str) -> None:
    assert stranger.get(link(holding), headers={"Range": wanted}).status_code == 416


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=a-b"])
def test_a_range_that_is_not_understood_is_the_whole(
    holding: Served, stranger: httpx.Client, wanted: str
) -> None:
    assert stranger.get(link(holding), headers={"Range": wanted}).content == CT


def test_an_object_that_is_gone_is_not_found(fresh: Served) -> None:
    fresh.upload(("a", CT))
    url = link(fresh)
    fresh.ports.objects.delete(Zone.RAW, KEY)
    assert fresh.client.get(url).status_code == 404
