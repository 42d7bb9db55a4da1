"""One object's way on AWS, uploaded as anybody would, and looked at where a user looks."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from tests.emulator import leaks
from tests.emulator.events import Event
from tests.emulator.objects import CT, NEEDLES, corrupt, invalid, large, patient, scan, unclean
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration


def version_of(event: Event) -> str:
    """Return which version an event tells of."""
    return str(event["Records"][0]["s3"]["object"]["versionId"])


def cleaned_here(stack: Stack, original: bytes) -> bytes:
    """De-identify with the stack's own secret on this machine."""
    secret = stack.account.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SiteSecretArn"])
    engine = Engine(load("hipaa-safe-harbor"), Keys(bytes.fromhex(secret["SecretString"]), "default"))
    pieces = engine.clean(memoryview(original)).pieces
    return b"".join(
        piece if isinstance(piece, bytes) else original[piece.offset : piece.offset + piece.length]
        for piece in pieces
    )


def test_a_file_that_is_uploaded_by_the_command_line_stands_deidentified_under_the_same_key(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "scan.dcm").write_bytes(scan(1))
    key = "patient7/study8/scan.dcm"
    sent = stack.account.aws("s3", "cp", tmp_path / "scan.dcm", f"s3://{stack.raw}/patient7/study8/")
    assert sent.returncode == 0, sent.stderr
    result = stack.result(key)
    assert result["status"] == "SUCCEEDED", result.get("cause")
    assert result["output"]["output"]["key"] == key
    fetched = stack.account.aws("s3", "cp", f"s3://{stack.processed}/{key}", tmp_path / "downloaded.dcm")
    assert fetched.returncode == 0, fetched.stderr
    clean = dcmread(tmp_path / "downloaded.dcm")
    assert clean.PatientName == "REMOVED"
    assert clean.PatientID.startswith("ANON-")
    assert clean.PixelData == dcmread(CT).PixelData
    assert clean.StudyInstanceUID == result["output"]["deid_study_uid"]


def test_both_homes_of_the_line_make_the_same_bytes_of_an_object(stack: Stack) -> None:
    stack.upload("same/bytes.dcm", scan(2))
    assert stack.result("same/bytes.dcm")["status"] == "SUCCEEDED"
    assert stack.output("same/bytes.dcm") == cleaned_here(stack, scan(2))


def test_the_command_makes_the_same_bytes_as_the_functions_where_they_could_not(stack: Stack) -> None:
    stack.upload("elsewhere/image.dcm", scan(4))
    assert stack.result("elsewhere/image.dcm")["status"] == "SUCCEEDED"
    run = stack.scanward("deidentify", f"s3://{stack.raw}/elsewhere/", f"s3://{stack.processed}/by command/")
    assert run.returncode == 0, run.stderr
    assert stack.output("by command/image.dcm") == stack.output("elsewhere/image.dcm")


def test_the_pixels_of_a_large_object_are_copied_inside_s3(stack: Stack) -> None:
    original = large(5)
    stack.upload("large/image.dcm", original)
    result = stack.result("large/image.dcm")
    assert result["status"] == "SUCCEEDED", result.get("cause")
    output = stack.output("large/image.dcm")
    assert sha256(output).digest() == sha256(cleaned_here(stack, original)).digest()
    assert not [needle for needle in NEEDLES if needle in output]
    (line,) = [line for line in stack.logged("Deidentification") if f'"BytesIn":[{len(original)}' in line]
    moved = json.loads(line)["BytesThroughFunction"][0]
    assert moved < len(original) / 5
    # Other tests look through every byte of the bucket for thousands of words.
    stack.account.client("s3").delete_object(
        Bucket=stack.processed,
        Key="large/image.dcm",
        VersionId=stack.version_of_output("large/image.dcm"),
    )


def test_an_object_that_is_dicom_by_its_content_only_is_processed(stack: Stack) -> None:
    stack.upload("by content/IM000001", scan(3))
    assert stack.result("by content/IM000001")["status"] == "SUCCEEDED"
    assert stack.output("by content/IM000001")[128:132] == b"DICM"


def test_what_is_not_dicom_is_recorded_as_ignored_and_starts_nothing(stack: Stack) -> None:
    stack.upload("notes/letter.txt", b"Dear colleague, the patient is well. " * 20)
    row = wait_for(lambda: stack.row_of("notes/letter.txt"), "the row of what was ignored")
    assert row["shelf"] == "IGNORED"
    assert stack.executions_of("notes/letter.txt") == []
    assert "notes/letter.txt" not in stack.keys(stack.processed)


@pytest.mark.parametrize(
    ("name", "body", "error", "tells"),
    [
        ("cut", corrupt(11), "Invalid DICOM file", "32768 bytes"),
        ("no-dicom", b"not an image" * 100, "Invalid DICOM file", ""),
        ("invalid", invalid(12), "Validation failed", "PhotometricInterpretation"),
        ("burned-in", unclean(13), "Quarantined", "burned"),
    ],
)
def test_what_is_at_fault_itself_fails_with_its_reason_and_is_kept_in_quarantine(
    stack: Stack, name: str, body: bytes, error: str, tells: str
) -> None:
    key = f"faulty/{name}.dcm"
    stack.upload(key, body)
    result = stack.result(key)
    assert (result["status"], result["error"]) == ("FAILED", error)
    assert tells in result["cause"]
    assert key not in stack.keys(stack.processed)
    s3, folder = stack.account.client("s3"), f"quarantine/{result['name']}"
    kept = s3.get_object(Bucket=stack.raw, Key=f"{folder}/object")
    assert kept["Body"].read() == body
    reason = json.loads(s3.get_object(Bucket=stack.raw, Key=f"{folder}/reason.json")["Body"].read())
    assert (reason["error"], reason["cause"]) == (error, result["cause"])
    row = wait_for(lambda: stack.row_of(key, "FAILED"), "the recorded end")
    assert row["error"] == error


def test_quarantine_starts_no_execution_of_its_own(stack: Stack) -> None:
    stack.upload("faulty/again.dcm", corrupt(14))
    stack.result("faulty/again.dcm")
    stack.settle()
    quarantined = [key for key in stack.keys(stack.raw) if key.startswith("quarantine/")]
    assert quarantined
    assert not [key for key in quarantined if stack.executions_of(key)]


def test_an_event_that_comes_three_times_is_processed_once(stack: Stack) -> None:
    with stack.events.held():
        stack.upload("twice/image.dcm", scan(21))
        (event,) = stack.events.take(1)
    stack.events.send(event)
    stack.events.send(event)
    stack.result("twice/image.dcm")
    output = stack.version_of_output("twice/image.dcm")
    stack.events.send(event)
    stack.settle()
    assert len(stack.executions_of("twice/image.dcm")) == 1
    assert stack.version_of_output("twice/image.dcm") == output


def test_an_older_version_that_comes_late_does_not_replace_the_newer_ones_output(stack: Stack) -> None:
    key = "versions/image.dcm"
    with stack.events.held():
        older_version = stack.upload(key, scan(22, SeriesNumber="1"))
        newer_version = stack.upload(key, scan(22, SeriesNumber="2"))
        older, newer = stack.events.take(2)
    assert [version_of(older), version_of(newer)] == [older_version, newer_version]
    stack.events.send(newer)
    (first,) = stack.ended(key)
    assert first["status"] == "SUCCEEDED"
    output = stack.version_of_output(key)
    stack.events.send(older)
    _, late = stack.ended(key, count=2)
    assert late["status"] == "SUCCEEDED"
    assert late["output"]["superseded"] is True
    assert stack.version_of_output(key) == output
    assert dcmread(BytesIO(stack.output(key))).SeriesNumber == 2


def test_a_newer_version_replaces_the_output(stack: Stack) -> None:
    key = "newer/image.dcm"
    stack.upload(key, scan(23, SeriesNumber="1"))
    stack.ended(key)
    stack.upload(key, scan(23, SeriesNumber="2"))
    assert [one["status"] for one in stack.ended(key, count=2)] == ["SUCCEEDED", "SUCCEEDED"]
    assert dcmread(BytesIO(stack.output(key))).SeriesNumber == 2


def test_an_identifier_in_the_key_is_replaced_and_the_rest_is_kept(stack: Stack) -> None:
    key = f"{patient(31)}/study456/image001.dcm"
    stack.upload(key, scan(31))
    result = stack.result(key)
    new_key = result["output"]["output"]["key"]
    assert new_key.startswith("ANON-")
    assert new_key.endswith("/study456/image001.dcm")
    assert new_key in stack.keys(stack.processed)
    assert key not in stack.keys(stack.processed)


@pytest.mark.parametrize(
    "key", ["odd names/a+b c%20d.dcm", "odd names/grün & blau=ß.dcm", "odd names/日本/画像.dcm"]
)
def test_a_key_of_any_letters_keeps_them(stack: Stack, key: str) -> None:
    stack.upload(key, scan(32))
    assert stack.result(key)["status"] == "SUCCEEDED"
    assert key in stack.keys(stack.processed)


def test_metadata_and_tags_of_an_upload_are_not_passed_on(stack: Stack) -> None:
    stack.account.client("s3").put_object(
        Bucket=stack.raw,
        Key="meta/image.dcm",
        Body=scan(33),
        Metadata={"patient-id": patient(33)},
        Tagging=f"patient={patient(33)}",
        ContentType="application/dicom",
    )
    assert stack.result("meta/image.dcm")["status"] == "SUCCEEDED"
    s3 = stack.account.client("s3")
    head = s3.head_object(Bucket=stack.processed, Key="meta/image.dcm")
    assert patient(33) not in json.dumps(head["Metadata"])
    assert s3.get_object_tagging(Bucket=stack.processed, Key="meta/image.dcm")["TagSet"] == []


def test_the_state_machine_takes_the_input_that_the_api_prints(stack: Stack) -> None:
    with stack.events.held():
        stack.upload("by hand/an image.dcm", scan(41))
        stack.events.take(1)
    record = {"s3": {"bucket": {"name": stack.raw}, "object": {"key": "by+hand/an%20image.dcm"}}}
    states = stack.account.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=stack.machine, name="by-hand", input=json.dumps({"Records": [record]})
    )
    result = wait_for(lambda: stack.ended_execution(started["executionArn"]), "the end of what was started")
    assert result["status"] == "SUCCEEDED", result.get("cause")
    assert "by hand/an image.dcm" in stack.keys(stack.processed)


def test_an_object_is_started_by_hand_through_the_starter_and_only_once(stack: Stack) -> None:
    with stack.events.held():
        stack.upload("by hand/started.dcm", scan(42))
        stack.events.take(1)
    for _ in range(2):
        payload = {"reference": {"bucket": stack.raw, "key": "by hand/started.dcm"}}
        answer = stack.account.client("lambda").invoke(
            FunctionName=stack.outputs["StarterFunctionName"], Payload=json.dumps(payload)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        stack.ended("by hand/started.dcm")
    stack.settle()
    assert len(stack.executions_of("by hand/started.dcm")) == 1


def test_the_command_line_lists_what_step_functions_did(stack: Stack) -> None:
    stack.upload("listed/image.dcm", scan(51))
    stack.upload("listed/cut.dcm", corrupt(52))
    good, bad = stack.result("listed/image.dcm"), stack.result("listed/cut.dcm")
    wait_for(lambda: stack.row_of("listed/image.dcm", "SUCCEEDED"), "the recorded end")
    wait_for(lambda: stack.row_of("listed/cut.dcm", "FAILED"), "the recorded end")
    listed = {row["id"]: row for row in stack.listed()}
    assert listed[good["name"]]["status"] == "SUCCEEDED"
    assert listed[good["name"]]["deid_study_uid"] == good["output"]["deid_study_uid"]
    assert listed[bad["name"]]["error"] == "Invalid DICOM file"
    failed = {row["id"] for row in stack.listed("--status", "FAILED")}
    assert bad["name"] in failed
    assert good["name"] not in failed


def test_an_execution_that_timed_out_is_a_dead_letter_and_is_redriven(stack: Stack) -> None:
    # The emulator ends no execution for being late, so that the recorder is told here that one was. That the
    # machine has its limit is asserted on the template.
    key = "late/image.dcm"
    with stack.unheard():
        stack.upload(key, scan(53))
        ended = stack.result(key)
    stack.tell_of_an_end(ended, "TIMED_OUT")
    wait_for(lambda: stack.row_of(key, "TIMED_OUT"), "the recorded time-out")
    (listed,) = stack.listed("--status", "TIMED_OUT")
    assert (listed["id"], listed["dead_letter"]) == (ended["name"], True)
    run = stack.scanward("executions", "redrive", "--engine", "aws", listed["id"])
    assert run.returncode == 0, run.stderr
    assert stack.ended(key, count=2)[1]["status"] == "SUCCEEDED"
    wait_for(lambda: stack.row_of(key, "SUCCEEDED"), "the recorded end")


def test_nothing_outside_of_raw_tells_who_the_patients_are(stack: Stack) -> None:
    # It stands at the end: what all tests above have written is looked through.
    stack.settle()
    found = leaks.found(stack, NEEDLES)
    assert found == {}
