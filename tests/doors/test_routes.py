"""Studies, executions, pages and figures, with real workers behind the door."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator

import httpx
import pytest

from scanward.entrypoints import worker
from tests.doors.serving import CT, FILES, MR, Served, serving, settings_for

pytestmark = pytest.mark.integration
FORM = {"statusCode", "error", "message", "details"}
NAME = "CompressedSamples"


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server behind which three objects have gone all the way: two delivered, one quarantined."""
    settings = settings_for(tmp_path_factory.mktemp("worked"), workers=1)
    with serving(settings) as running:
        burned_in = (FILES / "examples_ybr_color.dcm").read_bytes()
        assert running.upload(("ct", CT), ("mr", MR), ("us", burned_in)).status_code == 202
        worker.run(settings, running.ports, until_idle=True)
        yield running


def uids(served: Served, zone: str) -> list[str]:
    return [
        study["study_uid"] for study in served.client.get("/studies", params={"zone": zone}).json()["studies"]
    ]


def test_the_deid_zone_is_the_default_and_knows_no_original(worked: Served) -> None:
    answer = worked.client.get("/studies").json()
    assert answer["zone"] == "deid"
    assert len(answer["studies"]) == 2
    assert all(study["patient_id"].startswith("ANON-") for study in answer["studies"])
    assert NAME not in str(answer)
    assert not set(uids(worked, "deid")) & set(uids(worked, "raw"))


def test_the_raw_zone_shows_the_originals(worked: Served) -> None:
    answer = worked.client.get("/studies", params={"zone": "raw"}).json()
    assert NAME in str(answer)
    assert len(answer["studies"]) == 3


def test_quarantine_is_never_served(worked: Served) -> None:
    for path in (
        "/studies?zone=quarantine",
        f"/studies/{uids(worked, 'raw')[0]}?zone=quarantine",
        "/?zone=quarantine",
    ):
        answer = worked.client.get(path)
        assert answer.status_code == 422
        assert set(answer.json()) == FORM


def test_studies_come_in_pages(worked: Served) -> None:
    seen, offset = list[str](), 0
    while offset is not None:
        page = worked.client.get("/studies", params={"zone": "raw", "limit": 1, "offset": offset}).json()
        seen += [study["study_uid"] for study in page["studies"]]
        offset = page["next_offset"]
    assert seen == uids(worked, "raw")


def test_a_study_lists_its_instances_with_keys_that_links_open(worked: Served) -> None:
    (uid, *_) = uids(worked, "deid")
    answer = worked.client.get(f"/studies/{uid}").json()
    (instance,) = answer["instances"]
    url = worked.client.post("/links", json={"key": instance["key"]}).json()["url"]
    content = httpx.get(worked.url + url).content
    assert len(content) == instance["size"]
    assert NAME.encode() not in content
    assert answer["total"] == 1


def test_a_study_of_another_zone_is_not_found(worked: Served) -> None:
    (uid, *_) = uids(worked, "raw")
    assert worked.client.get(f"/studies/{uid}").status_code == 404
    assert worked.client.get(f"/studies/{uid}", params={"zone": "raw"}).status_code == 200


def test_an_execution_is_told_with_its_stages(worked: Served) -> None:
    listed = worked.client.get("/executions", params={"status": "SUCCEEDED"}).json()["executions"]
    assert {execution["file"] for execution in listed} == {"ct", "mr"}
    told = worked.client.get(f"/executions/{listed[0]['id']}").json()
    assert [stage["name"] for stage in told["stages"]] == ["validate", "deidentify", "store"]
    assert told["deid_study_uid"] in uids(worked, "deid")


def test_a_quarantined_execution_tells_why(worked: Served) -> None:
    (failed,) = worked.client.get("/executions", params={"status": "FAILED"}).json()["executions"]
    assert failed["error"] == "Quarantined"
    assert failed["faults"][0]["rule"]


def test_executions_come_in_pages(worked: Served) -> None:
    seen, after = list[str](), ""
    while True:
        page = worked.client.get("/executions", params={"limit": 2, "after": after}).json()
        seen += [execution["id"] for execution in page["executions"]]
        after = page["after"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 3


def test_a_failed_execution_can_be_redriven_and_a_successful_one_not(worked: Served) -> None:
    (failed,) = worked.client.get("/executions", params={"status": "FAILED"}).json()["executions"]
    (done, *_) = worked.client.get("/executions", params={"status": "SUCCEEDED"}).json()["executions"]
    assert worked.client.post(f"/executions/{done['id']}/redrive").status_code == 400
    assert worked.client.post(f"/executions/{failed['id']}/redrive").json()["status"] == "RUNNING"
    worker.run(worked.settings, worked.ports, until_idle=True)
    assert worked.client.get(f"/executions/{failed['id']}").json()["status"] == "FAILED"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/executions/0", 404),
        ("/executions/%2e%2e", 422),
        ("/studies/1.2.3", 404),
        ("/studies/..%2f..", 404),
        ("/static/..%2fapp.py", 404),
        ("/static/app.py", 404),
        ("/executions?status=SECRET", 422),
        ("/executions?limit=0", 422),
        ("/studies?limit=SECRET", 422),
        ("/studies?offset=-1", 422),
        ("/studies/SECRET^NAME", 422),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_one_form(worked: Served, path: str, status: int) -> None:
    answer = worked.client.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == FORM
    assert answer.json()["statusCode"] == status
    assert "SECRET" not in answer.text


@pytest.mark.parametrize("path", ["/studies", "/health", "/executions", "/"])
def test_another_method_is_named_with_those_allowed(worked: Served, path: str) -> None:
    answer = worked.client.delete(path)
    assert answer.status_code == 405
    assert set(answer.json()) == FORM
    assert answer.headers["allow"]


def test_what_was_not_foreseen_is_500_without_its_text(fresh: Served) -> None:
    fresh.upload(("a", CT))
    # A row that nothing of ours would write: no code path expects it.
    with sqlite3.connect(fresh.settings.data / "catalog.sqlite") as catalog:
        catalog.execute("UPDATE executions SET faults = 'SECRET'")
    answer = fresh.client.get("/executions")
    assert answer.status_code == 500
    assert set(answer.json()) == FORM
    assert "SECRET" not in answer.text
    assert answer.headers["x-request-id"]
    assert fresh.client.get("/health").status_code == 200


def test_a_catalog_that_cannot_be_used_is_not_ready(fresh: Served) -> None:
    with sqlite3.connect(fresh.settings.data / "catalog.sqlite") as catalog:
        catalog.execute("ALTER TABLE executions RENAME TO gone")
    ready = fresh.client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"]["catalog"] is False


def test_metrics_count_objects_stages_and_answers(worked: Served) -> None:
    text = worked.client.get("/metrics").text
    for line in (
        r'scanward_objects\{status="succeeded"\} 2\.0',
        r'scanward_objects\{status="failed"\} 1\.0',
        r'scanward_stage_seconds_count\{stage="validate"\} [3-9]',
        r"scanward_queue_depth 0\.0",
        r"scanward_bytes_total [1-9]",
        r'scanward_http_requests_total\{route="/uploads",status="202"\} 1\.0',
    ):
        assert re.search(line, text), line
    assert NAME not in text
    assert not any(uid in text for uid in uids(worked, "raw"))


def test_the_page_shows_studies_executions_and_reasons(worked: Served) -> None:
    page = worked.client.get("/", headers={"Accept": "text/html"}).text
    assert "ANON-" in page
    assert "Quarantined" in page
    assert NAME not in page
    assert NAME in worked.client.get("/?zone=raw").text


def test_a_browser_gets_a_study_as_a_page_and_a_program_as_json(worked: Served) -> None:
    (uid, *_) = uids(worked, "deid")
    page = worked.client.get(f"/studies/{uid}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "data-key" in page.text
    assert page.headers["vary"] == "Accept"
    assert worked.client.get(f"/studies/{uid}").json()["study_uid"] == uid


def test_a_browser_gets_an_execution_as_a_page_with_its_reason(worked: Served) -> None:
    (failed,) = worked.client.get("/executions", params={"status": "FAILED"}).json()["executions"]
    page = worked.client.get(f"/executions/{failed['id']}", headers={"Accept": "text/html"}).text
    assert "Quarantined" in page
    assert failed["faults"][0]["rule"] in page
    assert "data-redrive" in page


def test_the_pages_ask_nothing_of_another_host_and_hold_no_inline_script(worked: Served) -> None:
    (uid, *_) = uids(worked, "deid")
    for path in ("/", "/docs", f"/studies/{uid}", "/nothing"):
        page = worked.client.get(path, headers={"Accept": "text/html"}).text
        assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", page)
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=", page)
        for found in re.findall(r"/static/[\w.]+", page):
            assert worked.client.get(found).status_code == 200


def test_the_pages_name_every_field_and_table(worked: Served) -> None:
    page = worked.client.get("/").text
    assert '<html lang="en">' in page
    assert page.count("<table") == page.count("<caption")
    assert page.count("<th scope=") == page.count("<th ") + page.count("<th>")
    for field in re.findall(r'<input id="(\w+)"', page):
        assert re.search(rf'<label[^>]*>[^<]+<input id="{field}"', page)
    assert 'aria-live="polite"' in page


def test_values_of_an_object_are_escaped_in_the_page(fresh: Served) -> None:
    hostile = CT.replace(b"CompressedSamples^CT1", b"<img src=x onerror=1>")
    assert fresh.upload(("<b>name</b>", hostile)).status_code == 202
    page = fresh.client.get("/?zone=raw").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "<b>name" not in page


def test_every_operation_of_the_document_has_a_tag_a_summary_and_errors_of_one_form(worked: Served) -> None:
    document = worked.client.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["tags"], (path, method)
            assert operation["summary"], (path, method)
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path != "/ready":
                    schema = answer["content"]["application/json"]["schema"]["$ref"]
                    assert schema.endswith(("Problem",)), (path, method, status)


def test_health_answers_while_every_disk_thread_is_busy(worked: Served) -> None:
    began = time.monotonic()
    assert worked.client.get("/health").json()["status"] == "ok"
    assert time.monotonic() - began < 1
