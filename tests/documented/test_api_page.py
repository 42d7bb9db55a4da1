"""docs/API.md: every Python example runs, in order; every class, call and key that it names is there."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import boto3
import pytest
from pydicom.data import get_testdata_file

from src.delivery.presigned_url_handler import PresignedUrlHandler
from src.monitoring.cloudwatch_handler import CloudWatchHandler
from src.orchestration.step_functions import StepFunctionsHandler
from src.storage.s3_handler import S3Handler

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws", "_folder", "log_lines")]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_run_in_order_as_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("image.dcm").write_bytes(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())
    Path("state_machines").symlink_to(ROOT / "state_machines")
    boto3.client("s3", "us-east-1").create_bucket(Bucket="medical-imaging-pipeline-dev-raw-dicom")
    names: dict[str, object] = {"__name__": "example"}

    for number, code in enumerate(EXAMPLES, 1):
        exec(compile(code, f"docs/API.md, example {number}", "exec"), names)  # noqa: S102 - running the page is the test

    said = capsys.readouterr()
    key, url, status, *greetings = said.out.splitlines()
    assert key == f"patient123/study456/image001.dcm {Path('image.dcm').stat().st_size}"
    assert Path("downloaded.dcm").read_bytes() == Path("image.dcm").read_bytes()
    assert re.fullmatch(r"https://\S+ 600", url)
    assert status == "RUNNING"
    assert greetings == [
        "{'statusCode': 200, 'body': {'greeting': 'Hello world'}}",
        "{'statusCode': 404, 'error': 'Not found', 'message': 'There is nobody to greet.', 'details': {}}",
    ]
    line = json.loads(said.err.splitlines()[-1])
    assert (line["logger"], line["request_id"], line["details"]) == ("example", "r-1", {"bytes": 1024})


@pytest.mark.parametrize(
    "handler",
    [S3Handler, PresignedUrlHandler, CloudWatchHandler, StepFunctionsHandler],
    ids=lambda one: one.__name__,
)
def test_each_call_stands_on_the_page_with_its_parameters_and_defaults(handler: type) -> None:
    section = PAGE.split(f"### {handler.__name__}\n")[1].split("\n### ")[0]
    calls = {
        name: method
        for name, method in inspect.getmembers(handler, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }

    for name, method in calls.items():
        taken = [one for one in inspect.signature(method).parameters.values() if one.name != "self"]
        written = ", ".join(
            one.name if one.default is one.empty else f"{one.name}={spelled(one.default)}" for one in taken
        )
        called = f"{handler.__name__}({written})" if name == "__init__" else f".{name}({written})"
        assert f"{called}` |" in section


def spelled(default: object) -> str:
    return json.dumps(default) if isinstance(default, str) else repr(default)
