from __future__ import annotations

import pytest


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Return whether checked-in results are to be rewritten."""
    return bool(request.config.getoption("--update"))
