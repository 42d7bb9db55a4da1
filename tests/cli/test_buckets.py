"""`scanward deidentify` from and to S3, by the real program against a server that speaks S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from tests.aws_store.servers import BUCKET, OTHER, make_buckets, moto_url, s3_client, uploads_left
from tests.cli.running import Person, outputs, rows_of, scanward, summary_of, write_ct, write_folder

if TYPE_CHECKING:
    import subprocess

    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

IN, OUT = f"s3://{BUCKET}", f"s3://{OTHER}"


class Cloud:
    """A server, its buckets, and the program that works with them."""

    def __init__(self, url: str, home: Path) -> None:
        self.s3: S3Client = s3_client(url)
        self._url = url
        self._home = home
        for name in (BUCKET, OTHER):
            self.empty(name)

    def empty(self, bucket: str) -> None:
        found = self.s3.list_object_versions(Bucket=bucket)
        for one in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
            self.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])

    def upload(self, folder: Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.s3.upload_file(str(path), BUCKET, f"{prefix}{path.relative_to(folder)}")

    def run(self, *arguments: object, **changed: str) -> subprocess.CompletedProcess[str]:
        aws = {
            "AWS_ENDPOINT_URL": self._url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        return scanward(self._home, "deidentify", *arguments, **aws, **changed)

    def objects(self, bucket: str = OTHER) -> dict[str, bytes]:
        found = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: self.body(one["Key"], bucket) for one in found}

    def body(self, key: str, bucket: str = OTHER) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def versions(self, bucket: str = OTHER) -> int:
        return len(self.s3.list_object_versions(Bucket=bucket).get("Versions", []))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_url() as served:
        make_buckets(s3_client(served))
        yield served


@pytest.fixture
def cloud(url: str, tmp_path: Path) -> Cloud:
    return Cloud(url, tmp_path / "home")


def test_a_prefix_gives_the_same_outputs_as_its_folder(cloud: Cloud, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", 6)
    (folder / "notes.txt").write_text("no image")
    cloud.upload(folder, "study/")
    assert cloud.run(folder, tmp_path / "out").returncode == 0
    expected = outputs(tmp_path / "out")
    ran = cloud.run(f"{IN}/study", f"{OUT}/clean", "--json", "--jobs", 2)
    assert ran.returncode == 0, ran.stderr
    assert {key.removeprefix("clean/"): body for key, body in cloud.objects().items()} == expected
    assert summary_of(ran)["outcomes"]["deidentified"] == 6
    assert summary_of(ran)["outcomes"]["skipped"] == 1
    rows = [row for row in rows_of(ran.stdout) if row["outcome"] == "deidentified"]
    assert sorted(row["output"] for row in rows) == sorted(cloud.objects())
    assert cloud.run(f"{IN}/study/", tmp_path / "fetched").returncode == 0
    assert outputs(tmp_path / "fetched") == expected
    assert cloud.run(folder, f"{OUT}/sent/", "--jobs", 2).returncode == 0
    sent = {key[5:]: body for key, body in cloud.objects().items() if key.startswith("sent/")}
    assert sent == expected


def test_a_repeat_changes_nothing_and_a_new_version_replaces_its_output(cloud: Cloud, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", 3)
    cloud.upload(folder)
    for source in (IN, folder):
        cloud.empty(OTHER)
        assert cloud.run(source, OUT).returncode == 0
        assert cloud.versions() == 3
        assert cloud.run(source, OUT).returncode == 0
        assert cloud.versions() == 3
    write_ct(folder / "set0" / "IM00000.dcm", 77)
    cloud.upload(folder)
    for source in (IN, folder):
        before = cloud.versions()
        assert cloud.run(source, OUT).returncode == 0
        assert cloud.versions() == before + (1 if source == folder else 3)


def test_a_local_folder_of_outputs_continues_where_it_stopped(cloud: Cloud, tmp_path: Path) -> None:
    cloud.upload(write_folder(tmp_path / "in", 3))
    assert cloud.run(IN, tmp_path / "out").returncode == 0
    again = cloud.run(IN, tmp_path / "out", "--json")
    assert summary_of(again)["outcomes"]["already done"] == 3


def test_one_object_goes_to_the_key_that_is_typed_without_an_identifier_in_it(
    cloud: Cloud, tmp_path: Path
) -> None:
    person = Person()
    path = write_ct(tmp_path / "ct.dcm", 1, person)
    key = f"{person.patient_id}/study456/ct.dcm"
    cloud.s3.upload_file(str(path), BUCKET, key)
    ran = cloud.run(f"{IN}/{key}", f"{OUT}/{key}")
    assert ran.returncode == 0, ran.stderr
    (name,) = cloud.objects()
    assert name.startswith("ANON-")
    assert name.endswith("/study456/ct.dcm")
    assert cloud.run(f"{IN}/{key}", f"{OUT}/to/").returncode == 0
    assert "to/ct.dcm" in cloud.objects()
    assert cloud.run(f"{IN}/{key}", tmp_path / "one.dcm").returncode == 0
    assert (tmp_path / "one.dcm").read_bytes() == cloud.body(name)
    assert cloud.run(path, f"{OUT}/sent.dcm").returncode == 0
    assert cloud.body("sent.dcm") == cloud.body(name)
    told = cloud.s3.head_object(Bucket=OTHER, Key=name)["Metadata"]
    assert not any(secret.decode() in str(told) for secret in person.secrets)


def test_of_a_large_object_the_pixels_are_copied_inside_s3(cloud: Cloud, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(write_ct(tmp_path / "ct.dcm"))
    dataset.Rows, dataset.Columns, dataset.PixelData = (
        4096,
        4096,
        bytes(range(256)) * (4096 * 4096 * 2 // 256),
    )
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    cloud.s3.put_object(Bucket=BUCKET, Key="large.dcm", Body=out.getvalue())
    ran = cloud.run(f"{IN}/large.dcm", f"{OUT}/large.dcm", SCANWARD_AWS_SIMPLE_BYTES=str(8 << 20))
    assert ran.returncode == 0, ran.stderr
    body = cloud.body("large.dcm")
    assert "-" in cloud.s3.head_object(Bucket=OTHER, Key="large.dcm")["ETag"]
    assert uploads_left(cloud.s3) == 0
    assert pydicom.dcmread(BytesIO(body)).PixelData == dataset.PixelData
    assert cloud.run(f"{IN}/large.dcm", f"{OUT}/simple.dcm").returncode == 0
    assert cloud.body("simple.dcm") == body


def test_what_cannot_be_held_by_range_is_fetched_whole(cloud: Cloud, tmp_path: Path) -> None:
    path = write_ct(tmp_path / "image.dcm")
    dataset = pydicom.dcmread(path)
    block = dataset.private_block(0x0009, "A HEADER OF 70 MB", create=True)
    block.add_new(0x01, "OB", bytes(70 << 20))
    dataset.save_as(path)
    cloud.s3.upload_file(str(path), BUCKET, "image.dcm")
    assert cloud.run(path, tmp_path / "here.dcm").returncode == 0
    assert cloud.run(f"{IN}/image.dcm", f"{OUT}/there.dcm").returncode == 0
    assert cloud.body("there.dcm") == (tmp_path / "here.dcm").read_bytes()


def test_what_is_refused_is_named_and_not_delivered(cloud: Cloud, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", 1)
    (folder / "cut.dcm").write_bytes(next(folder.rglob("IM*")).read_bytes()[:-10])
    cloud.upload(folder)
    for target in (OUT, tmp_path / "out"):
        ran = cloud.run(IN, target, "--report", tmp_path / "report.jsonl")
        assert ran.returncode == 1
        assert "cut.dcm" in ran.stderr
        assert "cut.dcm" not in (tmp_path / "report.jsonl").read_text()
    assert [hashlib.sha256(body).hexdigest() for body in cloud.objects().values()] == [
        hashlib.sha256(body).hexdigest() for body in outputs(tmp_path / "out").values()
    ]


def test_a_dry_run_writes_nothing(cloud: Cloud, tmp_path: Path) -> None:
    cloud.upload(write_folder(tmp_path / "in", 2))
    ran = cloud.run(IN, OUT, "--dry-run", "--json")
    assert ran.returncode == 0
    assert summary_of(ran)["outcomes"]["deidentified"] == 2
    assert not cloud.objects()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((IN, f"{IN}/clean"), 2, "inside"),
        ((f"{IN}/study/clean", f"{IN}/study"), 2, "inside"),
        (("s3://", OUT), 2, "s3://bucket/prefix"),
        ((IN, OUT, "--force"), 2, "--force"),
        (("s3://no-such-bucket-at-all", OUT), 2, "no bucket"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    cloud: Cloud, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ran = cloud.run(*arguments)
    assert (ran.returncode, says in ran.stderr) == (code, True), ran.stderr


def test_without_an_answer_of_s3_it_stops_and_may_be_run_again(cloud: Cloud, tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 1)
    ran = cloud.run(tmp_path / "in", OUT, AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert ran.returncode == 3, ran.stderr
    assert "try again" in ran.stderr
    assert "IM0" not in ran.stderr


def test_without_the_library_of_aws_it_says_what_to_install(cloud: Cloud, tmp_path: Path) -> None:
    hiding = tmp_path / "hiding"
    (hiding / "boto3").mkdir(parents=True)
    (hiding / "boto3" / "__init__.py").write_text("raise ModuleNotFoundError(name='boto3')")
    write_folder(tmp_path / "in", 1)
    for source, target in ((IN, tmp_path / "out"), (tmp_path / "in", OUT)):
        ran = cloud.run(source, target, PYTHONPATH=f"{hiding}:{Path.cwd()}")
        assert (ran.returncode, "scanward[aws]" in ran.stderr) == (3, True), ran.stderr
