from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from scripts.generate_docs import ROOT
from tests.e2e.running import environment

pytestmark = pytest.mark.integration

UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [
        UV,
        "build",
        "--wheel",
        "--offline",
        "--no-build-isolation",
        "--out-dir",
        target,
        ROOT,
    ]
    subprocess.run([*build, "--python", sys.executable], check=True, capture_output=True, timeout=120)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"scanward"}
    assert not [name for name in names if name.split("/")[0] in {"src", "tests", "storage"}]
    # Tables are as much a part of it as modules.
    assert "scanward/py.typed" in names
    assert "scanward/deidentify/data/ps315_e1_1_2026d.csv" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_the_wheel_alone_deidentifies_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    subprocess.run([UV, "venv", "--offline", "--python", sys.executable, fresh], check=True, timeout=60)
    install: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--python",
        fresh / "bin" / "python",
        wheel,
        "-c",
        ROOT / "requirements.txt",
    ]
    # What `make setup` has fetched lies in uv's cache; only a machine that has cleared it asks the network.
    if subprocess.run([*install, "--offline"], check=False, capture_output=True, timeout=120).returncode:
        subprocess.run(install, check=True, timeout=240)
    source = tmp_path / "in"
    source.mkdir()
    shutil.copy(str(get_testdata_file("CT_small.dcm")), source)
    run = subprocess.run(
        [fresh / "bin" / "scanward", "deidentify", source, tmp_path / "out", "--names", "preserve"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr.decode()
    (output,) = [path for path in (tmp_path / "out").rglob("*.dcm") if path.is_file()]
    assert dcmread(output).PatientIdentityRemoved == "YES"
