"""Who comes in: the start-up token, Host, Origin, and a policy for every route."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from scanward import wiring
from scanward.entrypoints.http import policy
from scanward.entrypoints.http.app import create_app
from scanward.entrypoints.http.policy import POLICIES, Policy
from scanward.errors import Misconfigured
from tests.doors.serving import TOKEN, Served, answer_of, serving, settings_for

pytestmark = pytest.mark.integration
GUARDED = sorted(template for template, rule in POLICIES.items() if rule is Policy.TOKEN)
OPEN = sorted(template for template, rule in POLICIES.items() if rule is Policy.OPEN)
FORM = {"statusCode", "error", "message", "details"}


def concrete(template: str) -> str:
    return re.sub(r"\{.*?\}", "1", template)


def stranger(served: Served, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=served.url, headers=headers)


def test_every_route_has_a_policy_and_is_in_the_openapi_document(served: Served) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]
    assert set(paths) == {template.replace(":path}", "}") for template in POLICIES}


def test_a_route_without_a_policy_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="/forgotten"):
        policy.check([*POLICIES, "/forgotten"])


def test_a_policy_without_a_route_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="/metrics"):
        policy.check(POLICIES.keys() - {"/metrics"})


def test_a_route_that_is_hidden_from_the_document_still_needs_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path)
    ports = wiring.open_ports(settings)
    monkeypatch.delitem(policy.POLICIES, "/docs")
    with pytest.raises(Misconfigured, match="/docs"):
        create_app(settings, ports, start_token=TOKEN)


@pytest.mark.parametrize("template", [*GUARDED, "/nothing/here"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_without_the_token_a_guarded_route_tells_nothing(served: Served, template: str, method: str) -> None:
    with stranger(served) as client:
        answer = client.request(method, concrete(template))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert set(answer.json()) == FORM


@pytest.mark.parametrize("template", OPEN)
def test_health_and_ready_need_no_token(served: Served, template: str) -> None:
    with stranger(served) as client:
        assert client.get(template).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
    ],
)
def test_a_wrong_token_is_refused(served: Served, authorization: str) -> None:
    with stranger(served, Authorization=authorization) as client:
        assert client.get("/studies").status_code == 401


def test_a_wrong_bearer_is_not_mended_by_a_session(served: Served) -> None:
    with stranger(served) as client:
        client.get("/", params={"token": TOKEN})
        assert client.get("/studies").status_code == 200
        assert client.get("/studies", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address(served: Served) -> None:
    with stranger(served) as client:
        answer = client.get("/", params={"zone": "raw", "token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 303
        assert answer.headers["location"] == "/?zone=raw"
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert client.get("/?zone=raw").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "///evil.example", "/\\evil.example/"])
def test_the_way_from_the_token_leads_to_this_host_only(served: Served, path: str) -> None:
    peer = served.raw(f"GET {path}?token={TOKEN} HTTP/1.1", b"\r\n")
    head = answer_of(peer).decode().lower()
    location = re.search(r"location: (.*)\r", head)
    assert location is None or re.match(r"/[^/\\]", location[1])


def test_a_wrong_token_in_the_address_is_refused_and_a_page_says_what_to_do(served: Served) -> None:
    with stranger(served, Accept="text/html") as client:
        answer = client.get("/", params={"token": "<script>wrong"})
    assert answer.status_code == 401
    assert "when it starts" in answer.text
    assert "script" not in answer.text


def test_the_token_in_the_address_does_not_send_anything(served: Served) -> None:
    with stranger(served) as client:
        assert client.post(f"/uploads?token={TOKEN}", content=b"").status_code == 401


def test_an_empty_token_asks_for_none(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), token="") as served, stranger(served) as client:
        assert client.get("/studies").status_code == 200
        assert client.get("/studies", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost:80", "LOCALHOST", "[::1]:8000"])
def test_loopbacks_own_names_are_hosts(served: Served, host: str) -> None:
    assert served.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("template", sorted(POLICIES))
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:8000@evil", ""]
)
def test_another_host_is_refused_everywhere(served: Served, template: str, host: str) -> None:
    answer = served.client.get(concrete(template), headers={"Host": host})
    assert answer.status_code == 421
    assert set(answer.json()) == FORM


def test_two_hosts_or_none_are_refused(served: Served) -> None:
    twice = served.raw("GET /health HTTP/1.1\r\nHost: evil.example", b"\r\n")
    assert answer_of(twice).startswith((b"HTTP/1.1 400", b"HTTP/1.1 421"))


@pytest.mark.parametrize("template", sorted(POLICIES))
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_another_origin_is_refused_with_any_method(
    served: Served, template: str, method: str, origin: str
) -> None:
    answer = served.client.request(method, concrete(template), headers={"Origin": origin})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_own_origin_is_let_in(served: Served) -> None:
    assert served.client.get("/studies", headers={"Origin": served.url}).status_code == 200


def test_what_another_site_embeds_is_refused_and_what_a_person_follows_is_not(served: Served) -> None:
    embedded = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert served.client.get("/studies", headers=embedded).status_code == 403
    assert served.client.get("/studies", headers=followed).status_code == 200


def test_every_answer_has_its_own_request_id_and_the_security_headers(served: Served) -> None:
    answers = [served.client.get(path) for path in ("/", "/health", "/nothing", "/studies?zone=x")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
