"""Orthanc's DICOMweb plugin finds, retrieves and stores here as it does at any archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors import orthanc

pytestmark = pytest.mark.integration


@pytest.mark.skipif(bool(orthanc.why_not()), reason=orthanc.why_not() or "it can be played")
def test_orthanc_finds_retrieves_and_stores(tmp_path: Path) -> None:
    assert orthanc.played(tmp_path) == {
        "found": [200, True],
        "retrieved": [200, True],
        "sent": [200, True],
    }
