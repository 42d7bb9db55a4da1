"""Pages of the origins that are configured may ask DICOMweb, with a token; no others, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.serving import CT, TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration
VIEWER = "https://viewer.example"
STUDIES = "/dicomweb/raw/studies"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_for(tmp_path_factory.mktemp("cors"), cors_origins=[VIEWER])
    with serving(settings) as running:
        running.client.post(STUDIES, content=CT, headers={"Content-Type": "application/dicom"})
        yield running


@pytest.mark.parametrize(("path", "status"), [(STUDIES, 200), (f"{STUDIES}/1.2.3/metadata", 404)])
def test_a_page_of_a_named_origin_reads_answers_and_errors(archive: Served, path: str, status: int) -> None:
    answer = archive.client.get(path, headers={"Origin": VIEWER, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "X-Total-Count" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_without_a_token_it_is_told_so_and_can_read_that(archive: Served) -> None:
    cookie = archive.client.get(f"/?token={TOKEN}", headers={"Authorization": ""}).headers["set-cookie"]
    headers = {"Origin": VIEWER, "Authorization": "", "Cookie": cookie.partition(";")[0]}
    answer = archive.client.get(STUDIES, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == VIEWER


def test_a_preflight_is_answered_without_a_token(archive: Served) -> None:
    asked = {"Origin": VIEWER, "Access-Control-Request-Method": "GET", "Authorization": ""}
    answer = archive.client.options(STUDIES, headers=asked)
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == VIEWER


@pytest.mark.parametrize("origin", ["https://viewer.example.evil", "https://VIEWER.example", "null", "*"])
def test_another_origin_is_refused(archive: Served, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = archive.client.request(method, STUDIES, headers=asked)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/studies", "/executions", "/openapi.json"])
def test_other_routes_are_for_our_own_pages(archive: Served, path: str) -> None:
    assert archive.client.get(path, headers={"Origin": VIEWER}).status_code == 403


def test_no_origin_is_named_unasked(archive: Served) -> None:
    assert "access-control-allow-origin" not in archive.client.get(STUDIES).headers
