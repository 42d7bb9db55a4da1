"""One emulator and one stack a process; what starts them is what the demo uses too."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.emulator.deploying import deploy, publish_layer
from tests.emulator.machine import Account, Emulator
from tests.emulator.stack import Stack


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the emulator's log beside a failure: what the functions said stands there."""
    report = yield
    account = getattr(item, "funcargs", {}).get("account") or getattr(
        getattr(item, "funcargs", {}).get("stack"), "account", None
    )
    if report.failed and call.when == "call" and account is not None:
        report.sections.append(("the emulator's log", account.log.read_text(errors="replace")[-6000:]))
    return report
