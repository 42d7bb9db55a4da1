"""One emulator and one stack a process; what starts them is what the demo uses too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.machine import Account, Emulator
from tests.emulator.stack import Stack, deploy, publish_layer


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    with Emulator() as emulator:
        yield emulator.account


@pytest.fixture(scope="session")
def layer(account: Account) -> str:
    """Return the ARN of the layer that all functions share."""
    return publish_layer(account)


@pytest.fixture(scope="session")
def stack(account: Account, layer: str) -> Stack:
    return deploy(account, layer)
