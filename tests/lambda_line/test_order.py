"""Versions of one key in every order: an older one never replaces a newer one's output."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_s3 import S3Client

from scanward.adapters.aws.clients import client
from scanward.entrypoints.aws_lambda.delivery import is_older
from tests.lambda_line.conftest import FILES, PROCESSED, RAW
from tests.lambda_line.states import execute
from tests.lambda_line.uploads import answered, body, dataset_of, processed, put, versions

pytestmark = pytest.mark.unit

KEY = "in/scan.dcm"
OLD, NEW = (FILES / "CT_small.dcm").read_bytes(), (FILES / "MR_small.dcm").read_bytes()


def _modality(s3: S3Client, key: str = KEY) -> str:
    return str(dataset_of(body(s3, PROCESSED, key)).Modality)


def _two(
    s3: S3Client, one: str = "0055AED6DCD90281E5", other: str = "0055AED6DCD90281E6"
) -> list[dict[str, Any]]:
    return [put(s3, KEY, OLD, one), put(s3, KEY, NEW, other)]


def test_in_order_the_newer_output_replaces_the_older(s3: S3Client) -> None:
    old, new = _two(s3)
    assert [execute(one).output["superseded"] for one in (old, new)] == [False, False]
    assert _modality(s3) == "MR"


def test_out_of_order_the_older_one_changes_nothing_and_says_so(s3: S3Client) -> None:
    old, new = _two(s3)
    first = execute(new)
    late = execute(old)
    assert late.status == "SUCCEEDED"
    assert late.output["superseded"] is True
    assert late.output["output"] == first.output["output"]
    assert _modality(s3) == "MR"
    assert versions(s3) == 1


@pytest.mark.parametrize("without", ["old", "new", "both"])
def test_without_a_sequencer_the_version_that_s3_shows_is_the_newest(s3: S3Client, without: str) -> None:
    old, new = _two(s3)
    for name, one in (("old", old), ("new", new)):
        if without in {name, "both"}:
            one["sequencer"] = ""
    for order in ((new, old), (old, new), (old, old, new, old)):
        for one in order:
            execute(one)
        assert _modality(s3) == "MR"


@pytest.mark.parametrize("operation", ["PutObject", "HeadObject"])
def test_a_newer_one_that_comes_between_look_and_write_wins(s3: S3Client, operation: str) -> None:
    old, new = _two(s3)
    came: list[str] = []

    def between(**_: object) -> None:
        # The older execution is about to look or to write: the newer one goes all its way first.
        if not came:
            came.append("newer")
            assert execute(new).output["superseded"] is False

    events = client("s3").meta.events
    events.register(f"before-call.s3.{operation}", between)
    try:
        late = execute(old)
    finally:
        events.unregister(f"before-call.s3.{operation}", between)
    assert came
    assert late.output["superseded"] is True
    assert (_modality(s3), versions(s3)) == ("MR", 1)


def test_a_newer_one_that_comes_after_the_look_at_what_is_there_wins(s3: S3Client) -> None:
    execute(put(s3, KEY, OLD, "0055AED6DCD90281E4"))
    old, new = _two(s3)
    writes: list[str] = []

    def between(**_: object) -> None:
        # The first write finds an output there; then it is looked at, and is to be replaced by the second.
        writes.append("write")
        if len(writes) == 2:
            assert execute(new).output["superseded"] is False

    events = client("s3").meta.events
    events.register("before-call.s3.PutObject", between)
    try:
        late = execute(old)
    finally:
        events.unregister("before-call.s3.PutObject", between)
    assert len(writes) > 2
    assert late.output["superseded"] is True
    assert _modality(s3) == "MR"


def test_an_older_one_that_comes_between_look_and_write_is_replaced(s3: S3Client) -> None:
    old, new = _two(s3)
    oldest = put(s3, KEY, OLD, "0055AED6DCD90281E4")
    execute(oldest)
    came: list[str] = []

    def between(**_: object) -> None:
        if not came:
            came.append("older")
            execute(old)

    events = client("s3").meta.events
    events.register("before-call.s3.PutObject", between)
    try:
        latest = execute(new)
    finally:
        events.unregister("before-call.s3.PutObject", between)
    assert latest.output["superseded"] is False
    assert _modality(s3) == "MR"


def test_a_repeat_changes_nothing(s3: S3Client) -> None:
    reference = put(s3, KEY, OLD, "0A")
    runs = [execute(reference) for _ in range(3)]
    assert [run.output for run in runs] == [runs[0].output] * 3
    assert versions(s3) == 1


def test_another_release_of_the_profile_replaces_the_output_of_the_same_version(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = put(s3, KEY, OLD, "0A")
    execute(reference)
    before = processed(s3)[KEY]
    monkeypatch.setenv("SCANWARD_PROFILE", "research")
    assert execute(reference).output["superseded"] is False
    assert processed(s3)[KEY] != before
    assert versions(s3) == 2


def test_two_objects_whose_outputs_have_one_name_stand_side_by_side(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_DEID_KEYS", "pseudonymous")
    for _ in range(2):
        keys = {execute(put(s3, f"in/{name}.dcm", OLD)).output["output"]["key"] for name in ("a", "b")}
    assert len(keys) == 2
    assert set(processed(s3)) == keys
    assert keys.isdisjoint({"in/a.dcm", "in/b.dcm"})


def test_what_the_line_did_not_write_is_never_replaced(s3: S3Client) -> None:
    s3.put_object(Bucket=PROCESSED, Key=KEY, Body=b"somebody's own")
    run = execute(put(s3, KEY, OLD))
    assert run.status == "SUCCEEDED"
    assert body(s3, PROCESSED, KEY) == b"somebody's own"
    assert run.output["output"]["key"] != KEY


def test_an_output_that_is_taken_away_between_look_and_write_is_written_again(s3: S3Client) -> None:
    execute(put(s3, KEY, OLD, "0A"))
    new = put(s3, KEY, NEW, "0B")
    writes: list[str] = []

    def between(**_: object) -> None:
        writes.append("write")
        if len(writes) == 2:
            s3.delete_object(Bucket=PROCESSED, Key=KEY)

    events = client("s3").meta.events
    events.register("before-call.s3.PutObject", between)
    try:
        run = execute(new)
    finally:
        events.unregister("before-call.s3.PutObject", between)
    assert (run.status, len(writes)) == ("SUCCEEDED", 3)
    assert _modality(s3) == "MR"


def test_whoever_is_always_overtaken_gives_up_for_now(s3: S3Client) -> None:
    reference = put(s3, KEY, OLD, "0A")
    with answered(client("s3"), "PutObject", "PreconditionFailed", 412):
        run = execute(reference)
    assert (run.error, run.passed[-1]) == ("Service unavailable", "Deidentify")


def test_names_that_are_all_taken_by_others_fail_with_what_to_do(s3: S3Client) -> None:
    reference = put(s3, KEY, OLD, "0A")
    beside = execute(reference)
    assert beside.status == "SUCCEEDED"
    s3.put_object(Bucket=PROCESSED, Key=KEY, Body=b"somebody's own")
    second = execute(reference).output["output"]["key"]
    s3.put_object(Bucket=PROCESSED, Key=second, Body=b"somebody's own")
    run = execute(reference)
    assert run.error == "Misconfigured"
    assert "processed bucket" in run.cause


def test_a_key_that_would_be_too_long_gives_way_to_the_new_uids(s3: S3Client) -> None:
    key = "/".join(["1CT1"] * 200) + ".dcm"
    run = execute(put(s3, key, OLD))
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["output"]["key"].startswith("2.25.")


def test_a_version_whose_object_was_deleted_meanwhile_replaces_nothing(s3: S3Client) -> None:
    execute(put(s3, KEY, NEW, ""))
    late = put(s3, KEY, OLD, "")
    s3.delete_object(Bucket=RAW, Key=KEY)
    run = execute(late)
    assert run.output["superseded"] is True
    assert _modality(s3) == "MR"


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        ("00", "01", True),
        ("01", "00", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),
        ("0a", "0B", True),
        ("0A", "0A01", True),
        ("0A01", "0A", False),
        ("0A", "0A00", False),
        ("1", "0F", False),
    ],
)
def test_sequencers_are_compared_as_s3_says(one: str, other: str, older: bool) -> None:  # noqa: FBT001 - the expectation
    assert is_older(one, other) is older
