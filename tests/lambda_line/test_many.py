"""Five hundred uploads, each message up to three times and shuffled: five hundred results, none twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanward.adapters.aws.clients import client
from scanward.dicom.structure import check
from scanward.entrypoints.aws_lambda import starter
from tests.lambda_line.conftest import FILES
from tests.lambda_line.states import execute
from tests.lambda_line.uploads import body, versions
from tests.lambda_start.events import batch, failed, s3_event
from tests.lambda_start.stack import PROCESSED, RAW, REGION, SUCCEEDS, TABLE, Stack, running

pytestmark = pytest.mark.unit

UPLOADS = 500
BROKEN = 7
UID = b"1.3.6.1.4.1.5962.1.1.4.1.1.20040826185059.5457"
MR = (FILES / "MR_small.dcm").read_bytes()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    forget: Any = client
    with running() as made:
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
            "SCANWARD_KEY_FILE": str(tmp_path / "site.key"),
            "SCANWARD_AWS_RAW_BUCKET": RAW,
            "SCANWARD_AWS_PROCESSED_BUCKET": PROCESSED,
            "SCANWARD_AWS_EXECUTIONS_TABLE": TABLE,
            "SCANWARD_AWS_STATE_MACHINE_ARN": made.machine,
            "SCANWARD_AWS_NAMING_SECRET_ARN": made.naming_secret,
        }.items():
            monkeypatch.setenv(name, value)
        # Moto's machine takes the input and ends; the states are walked by this test.
        made.machine_now(SUCCEEDS)
        forget.cache_clear()
        starter._starter.cache_clear()  # noqa: SLF001 - Lambda keeps it for its process
        yield made
    forget.cache_clear()
    starter._starter.cache_clear()  # noqa: SLF001 - as above


def _upload(number: int) -> bytes:
    """Return an object of its own instance; every hundredth is broken."""
    content = MR.replace(UID, b"1.3.6.1.4.1.5962.1.1.4.1.1.%019d" % (10**18 + number))
    return content[:-BROKEN] if number % 100 == 0 else content


def test_many_uploads_end_with_as_many_results(stack: Stack) -> None:
    chance = random.Random(7)  # noqa: S311 - a shuffle that is the same in every run
    references = [stack.put(f"site/{number:03}.dcm", _upload(number)) for number in range(UPLOADS)]
    messages = [s3_event(one) for one in references for _ in range(chance.randint(1, 3))]
    chance.shuffle(messages)
    assert len(messages) > 1.8 * UPLOADS

    for start in range(0, len(messages), 10):
        answer = starter.lambda_handler(batch(*messages[start : start + 10]), None)
        assert failed(answer) == []
    names = stack.names()
    assert len(names) == len(set(names)) == UPLOADS

    # Step Functions may run a task again too, whenever it does not hear of its end.
    turns = [name for name in names for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(turns)
    ended: dict[str, set[str]] = {}
    for name in turns:
        told = stack.settled(name)
        run = execute(json.loads(told["input"])["reference"], name)
        ended.setdefault(run.status, set()).add(name)

    s3 = stack.clients.s3
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=PROCESSED)
    outputs = [one["Key"] for page in pages for one in page.get("Contents", ())]
    instances = {check(memoryview(body(s3, PROCESSED, key))).instance_uid for key in outputs}
    assert {status: len(names) for status, names in ended.items()} == {"SUCCEEDED": 495, "FAILED": 5}
    assert len(outputs) == len(instances) == 495
    assert versions(s3, PROCESSED) == 495
    quarantined = s3.list_objects_v2(Bucket=RAW, Prefix="quarantine/")["Contents"]
    assert {one["Key"].split("/")[1] for one in quarantined} == ended["FAILED"]
