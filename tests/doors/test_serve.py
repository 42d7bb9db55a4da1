"""The service as a process: its address, its token, its log, its memory, its end."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx
import pytest

from scanward.entrypoints.http import server
from scanward.errors import Misconfigured
from tests.doors.process import Serving, process
from tests.doors.serving import CT, MR, settings_for

pytestmark = pytest.mark.integration
PLANTED = ("PLANTED", "CompressedSamples", "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322", "1CT1")
FIELDS = {
    "timestamp",
    "level",
    "logger",
    "module",
    "function",
    "line",
    "message",
    "operation",
    "status",
    "details",
}


def ready(url: str) -> httpx.Response:
    for _ in range(200):
        try:
            answer = httpx.get(f"{url}/ready")
            if answer.status_code == 200:
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError


def settled(client: httpx.Client, count: int) -> list[dict[str, object]]:
    for _ in range(400):
        found = client.get("/executions").json()["executions"]
        if len(found) == count and all(execution["status"] != "RUNNING" for execution in found):
            return list(found)
        time.sleep(0.05)
    raise AssertionError


def client_of(served: Serving) -> httpx.Client:
    return httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {served.token}"}, timeout=60)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.1", "example.org", "", "127.0.0.1.example.org"],  # noqa: S104 -- refused
)
def test_any_address_but_loopback_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(Misconfigured, match="no accounts"):
        server.bind(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_is_bound(host: str) -> None:
    with server.bind(host, 0) as listening:
        assert server.url_of(listening, "t").startswith("http://127.0.0.")


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Misconfigured, match="another service"):
            server.bind("127.0.0.1", other.getsockname()[1])


def test_each_start_makes_another_token_unless_one_is_set(tmp_path: Path) -> None:
    made = {server.start_token(settings_for(tmp_path)) for _ in range(5)}
    assert len(made) == 5
    assert min(map(len, made)) >= 32
    assert server.start_token(settings_for(tmp_path, start_token="mine")) == "mine"
    assert server.start_token(settings_for(tmp_path, start_token="")) == ""


def test_what_is_sent_comes_out_deidentified_and_the_log_holds_no_identifier(tmp_path: Path) -> None:
    with process(tmp_path) as served, client_of(served) as client:
        ready(served.url)
        planted = CT.replace(b"CompressedSamples^CT1", b"PLANTED^CompressedSam")
        files = [("PLANTED^PATIENT.dcm", planted), ("../PLANTED/1CT1", MR), ("PLANTED.txt", b"PLANTED text")]
        answer = client.post("/uploads", files=[("files", file) for file in files])
        assert answer.status_code == 202
        settled(client, 2)
        (uid, *_) = [study["study_uid"] for study in client.get("/studies").json()["studies"]]
        instance = client.get(f"/studies/{uid}").json()["instances"][0]
        link = client.post("/links", json={"key": instance["key"]}).json()["url"]
        assert b"PLANTED" not in httpx.get(served.url + link).content
        for path in (
            f"/studies/{PLANTED[2]}?zone=raw",
            "/PLANTED",
            "/studies?limit=PLANTED",
            "/links/PLANTED.x",
        ):
            client.get(path)
        assert served.stop() == 0
        text = served.log.read_text()
    assert not [word for word in (*PLANTED, served.token, link.removeprefix("/links/")) if word in text]
    lines = served.lines()
    assert all(set(line) - {"request_id", "execution_id"} == FIELDS for line in lines)
    assert {line["message"] for line in lines} >= {"serving", "request", "stopped"}
    assert not [line for line in lines if line["level"] == "ERROR"]


def test_no_token_is_said_loudly(tmp_path: Path) -> None:
    with process(tmp_path, SCANWARD_START_TOKEN="", SCANWARD_WORKERS="0") as served:
        assert served.token == ""
        ready(served.url)
        assert httpx.get(f"{served.url}/studies").status_code == 200
        assert "WARNING" in served.log.read_text()


def test_an_upload_under_way_is_finished_before_the_service_ends(tmp_path: Path) -> None:
    def slowly() -> object:
        head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        yield head + CT[:1000]
        served.process.terminate()
        time.sleep(0.7)
        yield CT[1000:] + b"\r\n--x--\r\n"

    with process(tmp_path) as served, client_of(served) as client:
        ready(served.url)
        answer = client.post(
            "/uploads",
            content=slowly(),  # type: ignore[arg-type]  # httpx takes any iterable of bytes
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code == 202
        assert served.process.wait(40) == 0


def test_the_memory_of_a_large_upload_is_flat(tmp_path: Path) -> None:
    def large(megabytes: int) -> object:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        block = bytes(1 << 20)
        for _ in range(megabytes):
            yield block
        yield b"\r\n--x--\r\n"

    with process(tmp_path, SCANWARD_WORKERS="0") as served, client_of(served) as client:
        ready(served.url)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        client.post("/uploads", content=large(4), headers=headers)  # type: ignore[arg-type]  # as above
        before = served.resident_kilobytes()
        answer = client.post("/uploads", content=large(300), headers=headers)  # type: ignore[arg-type]  # as above
        assert answer.status_code == 400
        assert served.resident_kilobytes() - before < 40_000
