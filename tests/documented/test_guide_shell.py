"""The shell lines of the user guide and the README, as printed, on a deployed stack.

`terraform output` is answered by a stand-in that prints the stack's outputs: there is no Terraform here. Left
out: `aws logs tail`, which version 1 of the command line has not, and Cost Explorer, which nobody emulates.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from src.delivery.presigned_url_handler import PresignedUrlHandler
from src.storage.s3_handler import S3Handler
from tests.documented.printed import code_of, run
from tests.emulator.deploying import deploy, publish_layer
from tests.emulator.machine import AWS, Emulator
from tests.emulator.objects import scan
from tests.emulator.stack import Stack

pytestmark = pytest.mark.integration

TERRAFORM = """#!/usr/bin/env python3
import json, pathlib, sys
outputs = json.loads((pathlib.Path(__file__).parent / "outputs.json").read_text())
raw, name = "-raw" in sys.argv, sys.argv[-1]
print(outputs[name] if raw else json.dumps(outputs[name]), end="" if raw else "\\n")
"""
OUTPUTS = {
    "raw_bucket_name": "RawBucketName",
    "processed_bucket_name": "ProcessedBucketName",
    "state_machine_arn": "StateMachineArn",
    "ingestion_function_name": "IngestionFunctionName",
}
PLACE = "patient123/study456"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Emulator() as emulator:
        yield deploy(emulator.account, publish_layer(emulator.account))


class Shell:
    """A person's shell: the command line of AWS, `terraform`, a working folder and an account."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        programs = folder / "bin"
        programs.mkdir()
        (folder / "terraform").mkdir()
        (programs / "aws").symlink_to(AWS)
        (programs / "terraform").write_text(TERRAFORM)
        (programs / "terraform").chmod(0o755)
        named = {ours: stack.outputs[theirs] for ours, theirs in OUTPUTS.items()}
        (programs / "outputs.json").write_text(json.dumps(named))
        self.folder = folder
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            **stack.account.environment,
        }

    def run(self, name: str, filled: Mapping[str, object] | None = None, **variables: str) -> str:
        """Run a printed block with what earlier blocks set; return what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code_of(f"{name}: shell", filled)],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def shell(stack: Stack, tmp_path: Path) -> Shell:
    return Shell(stack, tmp_path)


def documents(printed: str) -> list[Any]:
    """Return the JSON documents that follow each other in what was printed."""
    found, rest, read = [], printed.strip(), json.JSONDecoder()
    while rest:
        one, end = read.raw_decode(rest)
        found.append(one)
        rest = rest[end:].strip()
    return found


def test_the_buckets_have_the_printed_names(shell: Shell) -> None:
    assert shell.run("Getting bucket names").splitlines() == [
        '"medical-imaging-pipeline-dev-raw-dicom"',
        '"medical-imaging-pipeline-dev-processed-dicom"',
    ]


@pytest.fixture(scope="module")
def processed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Upload as the guide prints; return each key's execution when all have ended."""
    shell = Shell(stack, tmp_path_factory.mktemp("upload"))
    scans = shell.folder / "scans"
    scans.mkdir()
    (shell.folder / "file.dcm").write_bytes(scan(1))
    for number in (2, 3):
        (scans / f"image00{number}.dcm").write_bytes(scan(number))
    shell.run("Upload", {"/path/to/file.dcm": "file.dcm", "/path/to/dicom/directory/": "scans/"})
    names = ("file.dcm", "image001.dcm", "image002.dcm", "image003.dcm")
    return {f"{PLACE}/{name}": stack.result(f"{PLACE}/{name}") for name in names}


def test_what_is_uploaded_as_printed_is_processed(processed: dict[str, dict[str, Any]]) -> None:
    assert {key: found["status"] for key, found in processed.items()} == dict.fromkeys(processed, "SUCCEEDED")
    assert [found["output"]["output"]["key"] for found in processed.values()] == list(processed)


def test_executions_are_listed_and_described(shell: Shell, processed: dict[str, dict[str, Any]]) -> None:
    known = {found["executionArn"] for found in processed.values()}
    arn = min(known)

    listed, described = documents(shell.run("Checking executions", {"<arn-from-list>": arn}))
    again, same = documents(shell.run("README, monitoring", {"<arn>": arn}))

    assert known <= {one["executionArn"] for one in listed["executions"]}
    assert (described["executionArn"], described["status"]) == (arn, "SUCCEEDED")
    assert known <= {one["executionArn"] for one in again["executions"]}
    assert same == described


@pytest.mark.usefixtures("processed")
def test_results_are_downloaded_listed_and_compared(shell: Shell) -> None:
    bucket = "medical-imaging-pipeline-dev-processed-dicom"
    listed = shell.run("Direct download")

    clean = dcmread(shell.folder / "downloaded.dcm")
    assert clean.PatientName == "REMOVED"
    assert re.fullmatch(r"ANON-[0-9a-f]{12}", str(clean.PatientID))
    assert sorted(path.name for path in (shell.folder / "downloads").iterdir()) == [
        "file.dcm", "image001.dcm", "image002.dcm", "image003.dcm",
    ]  # fmt: skip
    assert f"{PLACE}/image001.dcm" in listed
    filled = {"processed-bucket": bucket, "path/to/file.dcm": f"{PLACE}/file.dcm"}
    sizes = shell.run("Downloaded file corrupted", filled)
    assert str((shell.folder / "downloaded.dcm").stat().st_size) in sizes
    shell.run("Downloaded file corrupted, again", filled)
    assert (shell.folder / "file.dcm").read_bytes() == (shell.folder / "downloads/file.dcm").read_bytes()


@pytest.mark.usefixtures("processed", "_folder")
def test_a_result_is_handed_out_by_the_guide_s_script(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in stack.account.environment.items():
        monkeypatch.setenv(name, value)

    run("Generate presigned URL", {})
    url = capsys.readouterr().out.splitlines()[0].removeprefix("Download URL: ")
    run("Download with URL", {}, {"<presigned-url>": url})

    assert dcmread("downloaded.dcm").PatientName == "REMOVED"
    handler = PresignedUrlHandler(stack.processed)
    assert handler.validate_object_exists(f"{PLACE}/image001.dcm")
    assert len(S3Handler(stack.processed).list_objects(PLACE)) == 4


@pytest.mark.usefixtures("processed")
def test_a_file_that_was_not_processed_is_looked_for_as_printed(shell: Shell) -> None:
    record = {
        "s3": {
            "bucket": {"name": "medical-imaging-pipeline-dev-raw-dicom"},
            "object": {"key": f"{PLACE}/image001.dcm"},
        }
    }
    (shell.folder / "event.json").write_text(json.dumps({"Records": [record]}))

    printed = shell.run("File not processing", {"raw-bucket": "medical-imaging-pipeline-dev-raw-dicom"})

    assert f"{PLACE}/image001.dcm" in printed
    notification, invoked = documents(printed[printed.index("{") :])
    assert notification["QueueConfigurations"][0]["QueueArn"].endswith("-events")
    assert invoked["StatusCode"] == 200
    answer = json.loads((shell.folder / "response.json").read_text())
    assert (answer["statusCode"], answer["body"]["key"]) == (200, f"{PLACE}/image001.dcm")


def test_a_failure_is_told_with_the_guide_s_words(shell: Shell, stack: Stack) -> None:
    stack.upload("failed/broken.dcm", b"not an image")
    arn = stack.result("failed/broken.dcm")["executionArn"]

    (told,) = documents(shell.run("Processing failed", EXECUTION_ARN=arn))

    assert (told["status"], told["error"]) == ("FAILED", "Invalid DICOM file")
    assert told["cause"]


@pytest.mark.usefixtures("processed")
def test_a_slow_function_s_metrics_are_asked_for_as_printed(shell: Shell) -> None:
    (told,) = documents(shell.run("Slow processing"))

    assert told["Label"] == "Duration"


@pytest.mark.usefixtures("processed")
def test_a_result_is_searched_for_as_printed(shell: Shell, stack: Stack) -> None:
    stack.settle()
    printed = shell.run(
        "Cannot find processed file",
        {"processed-bucket": stack.processed, "filename": "image002.dcm"},
        STATE_MACHINE=stack.machine,
    )

    listed, running = printed[: printed.index("{")], documents(printed[printed.index("{") :])
    assert listed.count("image002.dcm") == 2
    assert running == [{"executions": []}]


def test_files_are_deleted_as_printed(shell: Shell, stack: Stack) -> None:
    for key in ("delete/a.dcm", "delete/folder/b.dcm", "delete/folder/c.dcm"):
        stack.upload(key, scan(9))
        stack.ended(key)
    shell.run(
        "How do I delete files",
        {
            "raw-bucket": stack.raw,
            "processed-bucket": stack.processed,
            "path/to/file.dcm": "delete/a.dcm",
            "bucket-name/folder": f"{stack.raw}/delete/folder",
        },
    )

    assert not [key for key in stack.keys(stack.raw) if key.startswith("delete/")]
    assert [key for key in stack.keys(stack.processed) if key.startswith("delete/")] == [
        "delete/folder/b.dcm", "delete/folder/c.dcm",
    ]  # fmt: skip


def test_the_readme_s_upload_is_processed(shell: Shell, stack: Stack) -> None:
    (shell.folder / "patient_scan.dcm").write_bytes(scan(7))

    shell.run("README, uploading")

    assert stack.result("patient_scan.dcm")["status"] == "SUCCEEDED"
