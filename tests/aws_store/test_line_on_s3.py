"""The line of one machine with its objects in S3: the same code, by a setting."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pydicom
import pytest

from scanward import wiring
from scanward.adapters.aws.clients import client
from scanward.dicom import structure
from scanward.entrypoints import worker
from scanward.errors import Misconfigured
from scanward.ports import Ports
from scanward.ports.executions import Status
from scanward.ports.object_store import Zone
from scanward.settings import Settings
from tests.aws_store.servers import BUCKET
from tests.doors.serving import CT, Served, serving
from tests.faults.objects import ct
from tests.faults.site import everything, kept, send, settings, work_alone

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _aws(s3_url: str, s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the server as it finds AWS: by its own variables."""
    assert s3.list_buckets()
    client.cache_clear()  # type: ignore[attr-defined]  # overloads hide it; another test's endpoint goes
    for name, value in {
        "AWS_ENDPOINT_URL": s3_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)


def _site(folder: Path, **more: object) -> Settings:
    return settings(folder, object_store=f"s3://{BUCKET}/site", **more)


def _assert_whole(ports: Ports, site: Settings, contents: list[bytes]) -> None:
    raw, deid = kept(ports, Zone.RAW), kept(ports, Zone.DEID)
    assert sorted(one.key for one in raw) == sorted(hashlib.sha256(one).hexdigest() for one in contents)
    assert {one.status for one in everything(ports)} == {Status.SUCCEEDED}
    assert len(deid) == len(contents)
    for one in deid:
        with ports.objects.open(Zone.DEID, one.key) as opened:
            assert hashlib.sha256(opened.view).hexdigest() == one.checksum
            assert structure.check(opened.view).instance_uid == one.instance.instance_uid
            assert b"Planted" not in bytes(opened.view)
    assert not list((site.data / "store" / "staging").iterdir())


def test_an_object_goes_through_the_line_and_only_s3_holds_it(tmp_path: Path, s3: S3Client) -> None:
    site = _site(tmp_path)
    ports = wiring.open_ports(site)
    contents = [CT, ct(1), ct(2), b"no dicom at all"]
    *_, refused = send(ports, contents)
    work_alone(site, ports)
    _assert_whole(ports, site, contents[:3])
    with ports.objects.open(Zone.QUARANTINE, refused.key) as opened:
        assert bytes(opened.view) == contents[3]
    found = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sorted(key.split("/")[1] for key in found) == ["deid"] * 3 + ["quarantine"] + ["raw"] * 3
    assert not [path for path in site.data.rglob("*") if path.is_file() and CT[:200] in path.read_bytes()]
    (out, *_) = kept(ports, Zone.DEID)
    with ports.objects.open(Zone.DEID, out.key) as opened:
        assert pydicom.dcmread(BytesIO(opened.view)).PatientIdentityRemoved == "YES"


def test_worker_processes_have_connections_of_their_own(tmp_path: Path) -> None:
    site = _site(tmp_path, workers=2)
    ports = wiring.open_ports(site)
    contents = [ct(number) for number in range(24)]
    send(ports, contents)
    worker.run(site, ports, until_idle=True)
    _assert_whole(ports, site, contents)


def test_what_was_done_on_files_is_done_alike_on_s3(tmp_path: Path) -> None:
    outputs = []
    for folder, more in (("files", {}), ("s3", {"object_store": f"s3://{BUCKET}/alike/"})):
        site = settings(tmp_path / folder, key_file=tmp_path / "site.key", **more)
        ports = wiring.open_ports(site)
        send(ports, [CT, ct(1)])
        work_alone(site, ports)
        outputs.append(sorted((one.key, one.checksum) for one in kept(ports, Zone.DEID)))
    assert outputs[0] == outputs[1]


def test_a_link_leads_to_s3_for_five_minutes_at_most(tmp_path: Path) -> None:
    with serving(_site(tmp_path)) as served:
        assert served.upload(("a", CT)).status_code == 202
        for expires, most in (("7d", 300), ("90s", 90)):
            answer = _follow(served, expires)
            assert answer.status_code == 307
            assert answer.headers["cache-control"] == "no-store"
            address = urlsplit(answer.headers["location"])
            asked = parse_qs(address.query)
            assert most - 2 <= int(asked["X-Amz-Expires"][0]) <= most
            assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
            found = httpx.get(answer.headers["location"])
            assert found.content == CT
            assert found.headers["content-type"] == "application/dicom"
        gone = "0" * 64
        token = served.ports.links.make(Zone.RAW, gone, timedelta(hours=1))
        assert httpx.get(f"{served.url}/links/{token}").status_code == 404
        assert httpx.get(f"{served.url}/links/{token[:-2]}AA").status_code == 403


def test_a_place_of_another_form_or_without_a_bucket_is_named(tmp_path: Path) -> None:
    for place in ("bucket/prefix", "s3://", "s3:///prefix", "https://bucket"):
        with pytest.raises(Misconfigured, match="s3://bucket/prefix"):
            wiring.open_ports(settings(tmp_path, object_store=place))
    with pytest.raises(Misconfigured, match="make it first"):
        wiring.open_ports(settings(tmp_path, object_store="s3://no-such-bucket/prefix"))


def test_files_under_way_of_a_crash_are_swept_at_the_next_start(tmp_path: Path) -> None:
    site = _site(tmp_path)
    staging = site.data / "store" / "staging"
    staging.mkdir(parents=True)
    (staging / "left").write_bytes(b"left by a crash")
    ports = wiring.open_ports(site)
    assert not list(staging.iterdir())
    under_way = ports.objects.stage([b"under way"])
    wiring.open_ports(site)  # another process: this one still has the store
    assert list(staging.iterdir()) == [under_way.path]
    under_way.discard()


def _follow(served: Served, expires: str) -> httpx.Response:
    wanted = {"key": hashlib.sha256(CT).hexdigest(), "zone": "raw", "expires": expires}
    made = served.client.post("/links", json=wanted)
    assert made.status_code == 201
    return httpx.get(served.url + made.json()["url"], follow_redirects=False)


def test_a_deletion_leaves_no_version_in_s3(tmp_path: Path, s3: S3Client) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    site = _site(tmp_path)
    ports = wiring.open_ports(site)
    send(ports, [CT])
    work_alone(site, ports)
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 2
    study = pydicom.dcmread(BytesIO(CT), stop_before_pixels=True).StudyInstanceUID
    assert ports.deletion.delete(study) == 1
    left = s3.list_object_versions(Bucket=BUCKET)
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])
