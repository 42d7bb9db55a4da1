from __future__ import annotations

from collections.abc import Iterator

import pytest

from scanward.adapters.aws.clients import client
from scanward.entrypoints.aws_lambda import recorder, starter
from tests.lambda_start.stack import PROCESSED, RAW, REGION, TABLE, Stack, running


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running() as made:
        yield made


@pytest.fixture
def functions(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Give the functions their settings, as the templates do; what they keep between calls is forgotten."""
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "SCANWARD_AWS_RAW_BUCKET": RAW,
        "SCANWARD_AWS_PROCESSED_BUCKET": PROCESSED,
        "SCANWARD_AWS_EXECUTIONS_TABLE": TABLE,
        "SCANWARD_AWS_STATE_MACHINE_ARN": stack.machine,
        "SCANWARD_AWS_NAMING_SECRET_ARN": stack.naming_secret,
        "SCANWARD_AWS_TOPIC_ARN": stack.topic,
    }.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield stack
    _forget()


def _forget() -> None:
    client.cache_clear()  # type: ignore[attr-defined]  # its overloads hide the cache
    starter._starter.cache_clear()  # noqa: SLF001 - Lambda keeps it for its process
    recorder._recorder.cache_clear()  # noqa: SLF001 - as above
