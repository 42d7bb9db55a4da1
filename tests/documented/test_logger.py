"""The structured log has the printed form, and what the printed query asks for is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.storage.s3_handler import S3Handler
from src.utils import logger
from tests.documented.printed import code_of

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws")]

PRINTED: dict[str, Any] = json.loads(code_of("Logging: format").replace("{...}", "{}"))


def test_an_upload_s_line_is_the_printed_one(
    tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    handler = S3Handler("test-bucket")
    handler.s3_client.create_bucket(Bucket="test-bucket")
    (tmp_path / "a.dcm").write_bytes(b"DICM")

    handler.upload_file(str(tmp_path / "a.dcm"), "a.dcm")

    (line,) = log_lines()
    assert list(line) == list(PRINTED)
    same = ("level", "module", "function", "message", "operation", "status")
    assert {name: line[name] for name in same} == {name: PRINTED[name] for name in same}
    assert [type(value) for value in line.values()] == [type(value) for value in PRINTED.values()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


def test_an_error_is_found_by_the_printed_query(log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise ValueError("Doe^John")  # noqa: TRY301 - what is logged is an exception
    except ValueError:
        with logger.bound(request_id="r-1"):
            logger.logger("own").exception("failed", operation="upload_file")

    (line,) = log_lines()
    assert {"level", "operation", "status", "details"} <= set(line)
    assert (line["level"], line["operation"], line["request_id"]) == ("ERROR", "upload_file", "r-1")
    assert "Doe" not in json.dumps(line)
