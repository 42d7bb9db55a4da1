"""`make demo-aws`: the line on AWS without an account, on an emulator; ONCE=1 takes all down at the end.

Every upload is expected to end as the same object ends on one machine; anything else is exit code 1.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pydicom
from rich.console import Console

from scanward import pipeline
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom.structure import DEFAULT
from scanward.entrypoints.aws_lambda.starter_choice import is_named_dicom
from scanward.errors import ScanwardError
from scripts.demo_aws_watch import IGNORED, Way, watch
from src.delivery.presigned_url_handler import PresignedUrlHandler
from tests.emulator.deploying import deploy, publish_layer
from tests.emulator.machine import AWS, REGION, Emulator
from tests.emulator.stack import Stack

PLACE = "patient123/study456"
SHIPPED = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm",
    "image_dfl.dcm", "liver_1frame.dcm", "rtdose.dcm", "rtplan.dcm", "rtplan_truncated.dcm",
    "MR_truncated.dcm", "SC_rgb_jpeg.dcm", "test-SR.dcm", "waveform_ecg.dcm", "no_meta.dcm", "README.txt",
)  # fmt: skip
"""Of pydicom's files: many transfer syntaxes, two that were cut, three that may name people, one text."""
_SECONDS = 180.0
_SCANWARD = Path(sys.executable).with_name("scanward")
_console = Console()


def main() -> int:
    """Run the demo; return 0 if everything came out as expected."""
    once = bool(os.environ.get("ONCE"))
    began = time.monotonic()
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        _say(f"An emulator of AWS answers at {emulator.account.endpoint}, with IAM enforced.")
        stack = deploy(emulator.account, publish_layer(emulator.account))
        _say(f"cloudformation/pipeline.yaml is deployed after {time.monotonic() - began:.1f} s.\n")
        ways = _upload_and_watch(stack, Path(folder))
        good = _as_expected(ways, Path(folder)) and _download(stack, ways, Path(folder))
        if not once:
            _stay(stack)
    return 0 if good else 1


def _upload_and_watch(stack: Stack, folder: Path) -> list[Way]:
    uploads = folder / "uploads"
    uploads.mkdir()
    for path in _files():
        shutil.copyfile(path, uploads / path.name)
    line = [
        str(AWS),
        "s3",
        "cp",
        str(uploads),
        f"s3://{stack.raw}/{PLACE}/",
        "--recursive",
        "--only-show-errors",
    ]
    _say(f"$ aws {shlex.join(line[1:])}")
    sent = stack.account.aws(*line[1:])
    if sent.returncode:
        raise SystemExit(sent.stderr)
    keys = [f"{PLACE}/{path.name}" for path in sorted(uploads.iterdir())]
    return watch(stack, keys, _console, _SECONDS)


def _files() -> Iterator[Path]:
    shipped = Path(pydicom.__file__).parent / "data/test_files"
    yield from (shipped / name for name in SHIPPED)
    own = os.environ.get("DIR")
    if own:
        yield from (path for path in sorted(Path(own).rglob("*")) if path.is_file())


def _as_expected(ways: list[Way], folder: Path) -> bool:
    engine = Engine(load("hipaa-safe-harbor"), Keys(bytes(32), "default"))
    good = True
    for way in ways:
        body = (folder / "uploads" / way.key.rpartition("/")[2]).read_bytes()
        expected = _expected(way.key, body, engine)
        if way.outcome != expected:
            good = False
            _say(f"{way.key} ended as {way.outcome!r}; on one machine it ends as {expected!r}.")
    if good:
        _say(f"\nAll {len(ways)} ended as they do on one machine.")
    return good


def _expected(key: str, body: bytes, engine: Engine) -> str:
    if not is_named_dicom(key) and body[128:132] != b"DICM":
        return IGNORED
    try:
        pipeline.judge(memoryview(body), {}, DEFAULT)
        engine.clean(memoryview(body))
    except ScanwardError as error:
        return error.error
    return "SUCCEEDED"


def _download(stack: Stack, ways: list[Way], folder: Path) -> bool:
    """Fetch a result by a presigned link, without credentials, and compare it with its original."""
    way = next(way for way in ways if way.key.endswith("CT_small.dcm"))
    os.environ.update(stack.account.environment)
    handler = PresignedUrlHandler(stack.processed, REGION)
    link = handler.generate_secure_download_url(way.output_key, expiration_seconds=600)
    if link is None:
        _say(f"There is no {way.output_key} in the processed bucket.")
        return False
    downloaded = folder / "downloaded.dcm"
    with urllib.request.urlopen(link["url"], timeout=30) as answer:  # noqa: S310 - the emulator's own address
        downloaded.write_bytes(answer.read())
    _say(f"\n{way.output_key} came by a presigned link of 10 minutes. Beside its original:")
    run = subprocess.run(
        [_SCANWARD, "verify", folder / "uploads/CT_small.dcm", downloaded],
        check=False,
        capture_output=True,
        text=True,
    )
    _say("\n".join(run.stdout.splitlines()[-2:]) + run.stderr)
    return run.returncode == 0


def _stay(stack: Stack) -> None:
    """Print what to try by hand, and wait for Ctrl-C."""
    names = {
        "RAW_BUCKET": stack.raw,
        "PROCESSED_BUCKET": stack.processed,
        "STATE_MACHINE": stack.machine,
        "INGESTION_FUNCTION": stack.outputs["IngestionFunctionName"],
    }
    aws = f"{AWS} --endpoint-url {stack.account.endpoint}"
    lines = [
        *(f"export {name}={shlex.quote(value)}" for name, value in (stack.environment | names).items()),
        "",
        f"{aws} s3 cp scan.dcm s3://$RAW_BUCKET/{PLACE}/image001.dcm",
        f"{aws} s3 ls s3://$PROCESSED_BUCKET/{PLACE}/ --recursive",
        f"{aws} stepfunctions list-executions --state-machine-arn $STATE_MACHINE --max-results 10",
        f"{aws} logs filter-log-events --log-group-name /aws/lambda/$INGESTION_FUNCTION",
        f"{_SCANWARD} executions list --engine aws",
    ]
    _say("\nTo try by hand, in another terminal (docs/USER_GUIDE.md, On AWS, has more):\n")
    for line in lines:
        _console.print(line, highlight=False, soft_wrap=True, markup=False)
    _say("\nIt stays up until Ctrl-C.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _say("\nTaken down; nothing of it is left.")


def _say(text: str) -> None:
    _console.print(text, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
