"""The layer is built, inspected and imported alone, as Lambda does; publishing calls a recorder."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "terraform" / "scripts" / "build_lambda_layer.sh"
PACKER = SCRIPT.with_name("layer.py")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
ONLY_THE_LAYER = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
for path in sys.argv[2:]:
    handler = runpy.run_path(path)["lambda_handler"]
    assert callable(handler), path
import scanward.deidentify.engine, scanward.validate, scanward.logs, scanward.adapters.aws.clients
assert scanward.__file__.startswith(sys.argv[1]), scanward.__file__
import boto3
services = "cloudwatch dynamodb logs medical-imaging s3 secretsmanager sns sqs stepfunctions"
for service in services.split():
    boto3.session.Session().client(service, region_name="eu-central-1")
"""


def _build(output: Path, *options: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        [SCRIPT, "--output", output, *options],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environment,
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("native")
    built = _build(output, "--platform", "native", "--python", RUNNING)
    assert built.returncode == 0, built.stderr
    (found,) = output.glob("*.zip")
    return found


def _unpacked(layer: Path, folder: Path) -> Path:
    with zipfile.ZipFile(layer) as archive:
        archive.extractall(folder)
    return folder / "python"


def test_every_function_starts_with_nothing_but_the_layer_and_python_itself(
    native: Path, tmp_path: Path
) -> None:
    folder = _unpacked(native, tmp_path)
    functions = sorted(
        str(path)
        for path in (*ROOT.glob("lambda_functions/*.py"), *ROOT.glob("phase1_ingestion/lambda_*.py"))
        if path.name != "__init__.py"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", ONLY_THE_LAYER, str(folder), *functions],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-central-1"},
    )
    assert ran.returncode == 0, ran.stderr


def test_the_layer_holds_compiled_code_and_no_tests_or_samples(native: Path) -> None:
    names = zipfile.ZipFile(native).namelist()
    assert any(name.endswith(".pyc") for name in names)
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyi")]
    assert not [name for name in names if "/test_files/" in name]
    assert {name.split("/")[0] for name in names} == {"python"}
    assert {"python/lambda_upload_handler.py", "python/lambda_import_monitor.py"} <= set(names)
    assert not [name for name in names if name.startswith("python/scanward/entrypoints/http")]


def test_the_same_files_make_the_same_zip(native: Path, tmp_path: Path) -> None:
    folder = _unpacked(native, tmp_path / "a")
    again = tmp_path / "again.zip"
    machine = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    subprocess.run(
        [sys.executable, PACKER, "pack", folder, again, "--python", RUNNING, "--architecture", machine],
        check=True,
        timeout=120,
        capture_output=True,
    )
    assert again.read_bytes() == native.read_bytes()


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_layers_for_lambda_hold_its_machine_s_code_under_its_limit(
    architecture: str, tmp_path: Path
) -> None:
    built = _build(tmp_path, "--architecture", architecture)
    assert built.returncode == 0, built.stderr
    (layer,) = tmp_path.glob("*.zip")
    infos = zipfile.ZipFile(layer).infolist()
    assert sum(info.file_size for info in infos) < 250_000_000
    assert layer.stat().st_size < 50_000_000
    native = [info.filename for info in infos if ".so" in info.filename]
    assert any("_pydantic_core.cpython-312" in name for name in native)
    listed = layer.with_suffix(".txt").read_text(encoding="utf-8").split()
    assert any(line.startswith("pydicom==3.") for line in listed)


@pytest.mark.parametrize(
    ("python", "architecture", "told"),
    [("3.12", "sparc", "invalid choice"), ("3.9", "x86_64", "built for Python")],
)
def test_a_layer_of_another_python_or_machine_is_refused(
    native: Path, tmp_path: Path, python: str, architecture: str, told: str
) -> None:
    folder = _unpacked(native, tmp_path)
    ran = _pack(folder, tmp_path, python, architecture)
    assert ran.returncode != 0
    assert told in ran.stderr
    assert not (tmp_path / "layer.zip").exists()


def test_native_code_of_the_other_machine_is_refused(native: Path, tmp_path: Path) -> None:
    folder = _unpacked(native, tmp_path)
    other = "x86_64" if platform.machine() in {"aarch64", "arm64"} else "arm64"
    ran = _pack(folder, tmp_path, RUNNING, other)
    assert ran.returncode != 0
    assert f"no shared object for {other}" in ran.stderr


def _pack(folder: Path, target: Path, python: str, architecture: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (
            *(sys.executable, PACKER, "pack", folder, target / "layer.zip"),
            *("--python", python, "--architecture", architecture),
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_publishing_writes_the_layer_s_arn_into_the_parameter_that_phase_1_reads(
    tmp_path: Path,
) -> None:
    (tmp_path / "bin").mkdir()
    recorder = tmp_path / "bin" / "aws"
    recorder.write_text(
        f'#!/bin/bash\necho "$@" >> {tmp_path}/calls\n'
        '[ "$1" = lambda ] && echo arn:aws:lambda:eu-central-1:123456789012:layer:l:7\nexit 0\n'
    )
    recorder.chmod(0o755)
    built = _build(tmp_path, "--publish", path=str(tmp_path / "bin"))
    assert built.returncode == 0, built.stderr
    published, put = (tmp_path / "calls").read_text().splitlines()
    assert "publish-layer-version --layer-name medical-imaging-pipeline-layer" in published
    assert "--compatible-architectures x86_64" in published
    assert "put-parameter --name /medical-imaging-pipeline/layer-arn --type String --overwrite" in put
    assert "--value arn:aws:lambda:eu-central-1:123456789012:layer:l:7" in put


def test_one_parameter_cannot_be_given_two_layers(tmp_path: Path) -> None:
    ran = _build(tmp_path, "--publish", "--architecture", "x86_64", "--architecture", "arm64")
    assert ran.returncode == 2
    assert "one architecture" in ran.stderr


def test_the_layer_s_list_is_what_the_lock_says(tmp_path: Path) -> None:
    committed = PACKER.with_name("layer-requirements.txt").read_text(encoding="utf-8")
    copy = tmp_path / "terraform" / "scripts" / SCRIPT.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(SCRIPT.read_bytes())
    for name in ("pyproject.toml", "uv.lock", ".venv", "README.md"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["bash", copy, "--lock"], check=True, timeout=60, capture_output=True)
    renewed = copy.with_name("layer-requirements.txt").read_text(encoding="utf-8")
    assert renewed == committed, "run terraform/scripts/build_lambda_layer.sh --lock"
