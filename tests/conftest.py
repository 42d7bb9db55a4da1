"""Options of the whole test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites checked-in results (text dumps, outcome tables) instead of comparing with them."""
    parser.addoption("--update", action="store_true", help="rewrite checked-in results instead of comparing")
