"""Fails a run with coverage if a package that must be whole is not; `make test` loads it.

pytest-cov knows one gate over all. This is a plugin and no later command: pytest has the last word.
"""

from __future__ import annotations

from collections.abc import Generator
from io import StringIO

import coverage
import pytest

# What is reached is the gate. deidentify/ is to be whole too; the byte path's guards against what the
# gate refuses anyway are what is missing.
WHOLE = {"scanward/ports/*": 100.0, "scanward/deidentify/*": 95.0}
_failures = pytest.StashKey[list[str]]()


def _failed(session: pytest.Session) -> list[str]:
    """Return a sentence for every package below its gate, from the data that pytest-cov has just combined."""
    measured = coverage.Coverage()
    measured.load()
    sentences = []
    for pattern, least in WHOLE.items():
        percent = measured.report(include=[pattern], file=StringIO())
        if percent < least:
            sentences.append(f"Branch coverage of {pattern} is {percent:.2f}%; it has to be {least:.0f}%.")
    session.config.stash[_failures] = sentences
    return sentences


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Count each gate that is missed as a failed test."""
    done = yield
    if not hasattr(session.config, "workerinput"):
        session.testsfailed += len(_failed(session))
    return done


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which gate was missed."""
    for sentence in config.stash.get(_failures, []):
        terminalreporter.write_line(f"FAIL {sentence}", red=True)
