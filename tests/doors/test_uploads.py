"""`POST /uploads`: each file gets a row, what is accepted is durable, what is refused is named and kept."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from scanward.ports.object_store import Zone
from tests.doors.serving import CT, FILES, MR, Served, serving, settings_for

pytestmark = pytest.mark.integration


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def stored(served: Served, zone: Zone, content: bytes) -> bytes:
    with served.ports.objects.open(zone, hashlib.sha256(content).hexdigest()) as opened:
        return bytes(opened.view)


def test_sound_files_are_accepted_byte_for_byte_with_an_execution_each(fresh: Served) -> None:
    answer = fresh.upload(("a.dcm", CT), ("b.dcm", MR))
    body = answer.json()
    assert answer.status_code == 202
    assert [row["status"] for row in body["files"]] == ["accepted", "accepted"]
    assert body["counts"] == {"accepted": 2}
    assert stored(fresh, Zone.RAW, CT) == CT
    listed = {row["id"]: row["file"] for row in fresh.client.get("/executions").json()["executions"]}
    assert {row["execution_id"]: row["file"] for row in body["files"]} == listed


def test_every_readable_file_gets_a_row_and_none_is_left_in_staging(fresh: Served) -> None:
    files = sorted(path for path in FILES.iterdir() if path.suffix == ".dcm")
    body = fresh.upload(*[(path.name, path.read_bytes()) for path in files]).json()
    assert [row["file"] for row in body["files"]] == [path.name for path in files]
    assert body["counts"]["accepted"] > len(files) * 0.8
    assert all(row["reason"] for row in body["files"] if row["status"] == "rejected")
    assert fresh.staged() == []


def test_the_same_file_again_is_a_duplicate_of_the_same_execution(fresh: Served) -> None:
    first = fresh.upload(("a.dcm", CT)).json()["files"][0]
    answer = fresh.upload(("other name", CT))
    again = answer.json()["files"][0]
    assert answer.status_code == 200
    assert again["status"] == "duplicate"
    assert again["execution_id"] == first["execution_id"]


def test_a_refused_file_is_named_with_its_faults_and_kept_in_quarantine(fresh: Served) -> None:
    answer = fresh.upload(("notes.txt", b"just text"))
    body = answer.json()
    assert answer.status_code == 400
    assert body["statusCode"] == 400
    assert body["error"] == "Invalid DICOM file"
    assert {"message", "details"} <= body.keys()
    (row,) = body["files"]
    assert row["status"] == "rejected"
    assert row["faults"][0]["rule"]
    assert stored(fresh, Zone.QUARANTINE, b"just text") == b"just text"


def test_a_refused_file_does_not_hold_up_its_neighbours(fresh: Served) -> None:
    answer = fresh.upload(("bad", CT[:-100]), ("good", MR), ("empty", b""))
    assert answer.status_code == 202
    assert [row["status"] for row in answer.json()["files"]] == ["rejected", "accepted", "rejected"]


def test_a_dicomdir_is_skipped_and_named(fresh: Served) -> None:
    answer = fresh.upload(("DICOMDIR", (FILES / "dicomdirtests" / "DICOMDIR").read_bytes()))
    (row,) = answer.json()["files"]
    assert answer.status_code == 200
    assert row["status"] == "skipped"
    assert row["reason"]


def test_an_archives_members_are_files_of_their_own(fresh: Served) -> None:
    answer = fresh.upload(("study.zip", zipped(**{"1": CT, "../../2": MR, "text": b"no"})), ("after", b"no"))
    rows = [(row["file"], row["status"]) for row in answer.json()["files"]]
    assert rows == [
        ("study.zip/1", "accepted"),
        ("study.zip/../../2", "accepted"),
        ("study.zip/text", "rejected"),
        ("after", "rejected"),
    ]
    assert fresh.staged() == []


def test_a_broken_archive_is_one_row_and_its_neighbours_come_through(fresh: Served) -> None:
    broken = zipped(a=CT)[:-30]
    answer = fresh.upload(("broken.zip", broken), ("good", MR))
    first, second = answer.json()["files"]
    assert first["faults"][0]["rule"] == "zip-broken"
    assert second["status"] == "accepted"
    assert fresh.staged() == []


def test_a_bomb_in_an_archive_is_named_and_its_neighbours_come_through(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, max_object_bytes=1 << 20)) as served:
        answer = served.upload(("bomb.zip", zipped(bomb=bytes(50 << 20), good=MR)))
        first, second = answer.json()["files"]
        assert first["faults"][0]["rule"] == "zip-member-size"
        assert second["status"] == "accepted"
        assert served.staged() == []


@pytest.mark.parametrize(("kind", "content"), [("application/dicom", CT), ("application/zip", zipped(a=CT))])
def test_a_single_body_is_taken_without_a_form(fresh: Served, kind: str, content: bytes) -> None:
    answer = fresh.client.post("/uploads", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 202
    assert stored(fresh, Zone.RAW, CT) == CT


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/related; boundary=x"])
def test_another_kind_of_body_is_refused(served: Served, kind: str) -> None:
    answer = served.client.post("/uploads", content=b"x" * 100_000, headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert answer.json()["error"] == "Unsupported media type"


def test_a_form_without_a_file_is_refused(served: Served) -> None:
    answer = served.client.post("/uploads", files={"comment": (None, "hello")})
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_file_beyond_the_bound_is_too_large_and_its_neighbours_come_through(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, max_object_bytes=100_000)) as served:
        alone = served.upload(("big", bytes(300_000)))
        beside = served.upload(("big", bytes(300_000)), ("good", CT))
        single = served.client.post(
            "/uploads", content=bytes(300_000), headers={"Content-Type": "application/dicom"}
        )
        assert alone.status_code == single.status_code == 413
        assert alone.json()["files"][0]["faults"][0]["rule"] == "too-large"
        assert [row["status"] for row in beside.json()["files"]] == ["rejected", "accepted"]
        assert served.staged() == []


def test_a_disk_under_the_watermark_is_answered_507_and_nothing_is_kept(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, free_space_bytes=1 << 60)) as served:
        answer = served.upload(("a", CT))
        assert answer.status_code == 507
        assert answer.json()["error"] == "Insufficient storage"
        assert answer.headers["retry-after"]
        assert served.client.get("/ready").json()["checks"] == {
            "store": True,
            "free_space": False,
            "catalog": True,
            "key": True,
            "workers": True,
        }
        assert served.staged() == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/dev/zero", "a\x00b", "<script>alert(1)</script>", "x" * 5000, "ä日本", "pipe|"],
)
def test_a_hostile_name_is_only_shown(served: Served, name: str) -> None:
    answer = served.client.post("/uploads", files={"files": (name, CT + b"")})
    assert answer.status_code in {200, 202}
    page = served.client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_changed_bytes_under_one_instance_uid_are_told_as_superseding(fresh: Served) -> None:
    fresh.upload(("a", CT))
    changed = CT.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2")
    assert fresh.upload(("a", changed)).json()["files"][0]["superseded"]
