from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.needles import PEOPLE, found, needles
from tests.e2e.planted import DELIVERED, Planted, inflated, plant
from tests.e2e.serving import Service, serving

pytestmark = pytest.mark.integration


@dataclass(frozen=True, slots=True)
class Passed:
    """What is left when all planted files went through a service that has been stopped since."""

    data: Path
    logs: dict[str, bytes]
    answers: dict[str, bytes]
    raw_answers: bytes
    executions: list[dict[str, object]]
    files: list[Planted]


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Passed:
    folder = tmp_path_factory.mktemp("service")
    files = plant(folder / "planted", PEOPLE)
    with serving(folder, log_level="DEBUG") as service:
        answers = dict(upload(service, files))
        executions = service.settle()
        answers |= dict(read(service, executions))
        answers |= dict(provoke(service))
        raw_answers = service.client.get("/studies", params={"zone": "raw"}).content
    logs = {"stdout": service.stdout.read_bytes(), "stderr": service.stderr.read_bytes()}
    hushed = {name: without_given_names(body, files) for name, body in answers.items()}
    return Passed(service.data, logs, hushed, raw_answers, executions, files)


def without_given_names(body: bytes, files: list[Planted]) -> bytes:
    """Take out the names that the sender gave: on the raw side they are told to the sender again."""
    for file in files:
        for name in (file.name, file.name.rsplit("/", 1)[-1]):
            spelled = {name, html.escape(name), json.dumps(name)[1:-1]}
            for one in spelled if len(name) > len("12.dcm") else ():
                body = body.replace(one.encode(), b"")
    return body


def upload(service: Service, files: list[Planted]) -> Iterator[tuple[str, bytes]]:
    parts = [("files", (file.name, file.body)) for file in files]
    text = ("files", ("notes.txt", files[0].body[200:900]))
    answer = service.client.post("/uploads", files=[*parts, text])
    assert answer.status_code in {200, 202}, answer.text[:500]
    yield "upload", answer.content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.writestr(file.name, file.body)
    yield "zip", service.client.post("/uploads", files=[("files", ("all.zip", packed.getvalue()))]).content


def read(service: Service, executions: list[dict[str, object]]) -> Iterator[tuple[str, bytes]]:
    client, page = service.client, {"Accept": "text/html"}
    for path in ("/metrics", "/health", "/ready", "/openapi.json", "/docs", "/executions", "/studies"):
        yield path, client.get(path).content
    yield "/ as a page", client.get("/", headers=page).content
    for execution in executions:
        yield f"execution {execution['id']}", client.get(f"/executions/{execution['id']}").content
    for study in client.get("/studies").json()["studies"]:
        uid = study["study_uid"]
        answer = client.get(f"/studies/{uid}")
        yield f"study {uid}", answer.content
        yield f"page of {uid}", client.get(f"/studies/{uid}", headers=page).content
        for instance in answer.json()["instances"]:
            link = client.post("/links", json={"key": instance["key"], "expires": "1h"}).json()["url"]
            yield f"object {instance['key']}", inflated(client.get(link).content)


def provoke(service: Service) -> Iterator[tuple[str, bytes]]:
    """Ask for what is not there, in words that must not come back or reach a log."""
    client, person = service.client, PEOPLE[0]
    secret = f"{person.patient_id}-{person.latin_family}"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/studies/{secret}", {}),
        ("GET", f"/executions/{secret}", {}),
        ("GET", f"/links/{secret}", {}),
        ("GET", f"/{secret}", {}),
        ("GET", "/studies", {"params": {"limit": secret}}),
        ("POST", "/links", {"json": {"key": secret, "expires": secret, "zone": secret}}),
        ("POST", "/uploads", {"content": person.raw(person.text), "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/uploads", {"content": b"x", "headers": {"Content-Type": f"multipart/{secret}"}}),
        ("POST", "/uploads", {"content": secret, "headers": {"Content-Type": "application/dicom"}}),
        ("GET", "/health", {"headers": {"Host": secret}}),
        ("GET", "/studies", {"headers": {"Authorization": f"Bearer {secret}"}}),
    ]
    for number, (method, path, more) in enumerate(asked):
        try:
            answer = client.request(method, path, **more)
        except httpx.HTTPError:
            continue
        yield f"{number}: {method} {path[:9]} {answer.status_code}", answer.content


def hits(places: dict[str, bytes]) -> dict[str, list[bytes]]:
    hidden = needles(PEOPLE)
    return {place: seen for place, body in places.items() if (seen := found(body, hidden))}


def test_what_could_be_cleaned_was_delivered_and_the_rest_was_not(passed: Passed) -> None:
    done = [one for one in passed.executions if one["status"] == "SUCCEEDED"]
    assert len(done) >= len(DELIVERED) * len(PEOPLE)
    assert not [one for one in passed.executions if one["status"] == "RUNNING"]
    assert [one for one in passed.executions if one["error"] == "Quarantined"]


def test_no_answer_of_the_cleaned_side_holds_an_identifier(passed: Passed) -> None:
    assert hits(passed.answers) == {}


def test_the_raw_side_holds_them_so_that_the_search_would_have_found_them(passed: Passed) -> None:
    assert len(found(passed.raw_answers, needles(PEOPLE))) >= len(PEOPLE)
    raw = b"".join(path.read_bytes() for path in (passed.data / "store" / "raw").rglob("*") if path.is_file())
    assert len(found(raw, needles(PEOPLE))) > len(PEOPLE) * 20


def test_no_log_line_holds_an_identifier(passed: Passed) -> None:
    assert passed.logs["stderr"].count(b'"scanward.entrypoints.worker') >= len(passed.executions)
    assert passed.logs["stderr"].count(b'"scanward.entrypoints.http') >= len(passed.answers)
    assert hits(passed.logs) == {}


def test_the_deid_zone_and_its_database_hold_none(passed: Passed) -> None:
    kept = [
        path for path in passed.data.rglob("*") if path.is_file() and is_deid(path.relative_to(passed.data))
    ]
    assert [path for path in kept if path.name.startswith("deid.sqlite")]
    assert len(kept) > len(DELIVERED) * len(PEOPLE)
    assert hits({str(path.relative_to(passed.data)): inflated(path.read_bytes()) for path in kept}) == {}


def is_deid(path: Path) -> bool:
    return path.name.startswith("deid.") or "deid" in path.parts


def test_no_name_in_the_data_folder_holds_one(passed: Passed) -> None:
    names = {
        str(number): str(path.relative_to(passed.data)).encode()
        for number, path in enumerate(passed.data.rglob("*"))
    }
    assert hits(names) == {}
