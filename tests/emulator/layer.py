"""The Lambda layer for the running Python: scanward and what its functions import, from `.venv`.

The emulator runs handlers in its own interpreter, which is this one's release. The layers that a deployment
uses are made by terraform/scripts/build_lambda_layer.sh for AWS's Python.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
ROOTS = (
    "pydicom",
    "pydantic",
    "pydantic-settings",
    "structlog",
    "pyyaml",
    "cryptography",
    "aws-lambda-powertools",
    "boto3",
)
"""What the functions import; the command line's, the service's and the catalog's packages stay out."""
_LEFT_OUT = ("pydicom/data/test_files/", "__pycache__/")


def build(path: Path) -> Path:
    """Write the layer to `path` and return it; the dependencies' part is made once for a lock file."""
    shutil.copyfile(_dependencies(), path)
    with zipfile.ZipFile(path, "a", compresslevel=1) as archive:
        for file in _sources():
            archive.write(file, Path("python") / file.relative_to(ROOT), zipfile.ZIP_DEFLATED)
    return path


def _sources() -> list[Path]:
    files = sorted((ROOT / "scanward").rglob("*"))
    return [file for file in files if file.is_file() and "__pycache__" not in file.parts]


def _dependencies() -> Path:
    own = (ROOT / "uv.lock").read_bytes() + Path(__file__).read_bytes() + sys.version.encode()
    cached = ROOT / f".tools/layer-{hashlib.sha256(own).hexdigest()[:16]}.zip"
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        tree = Path(folder) / "python"
        for name in sorted(_closure()):
            _copy(metadata.distribution(name), tree)
        # A layer is mounted read-only and its files' times are not kept: bytecode that is not checked again.
        compileall.compile_dir(
            tree, quiet=2, stripdir=folder, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        packed = Path(folder) / "layer.zip"
        with zipfile.ZipFile(packed, "w", compresslevel=1) as archive:
            for file in sorted(tree.rglob("*")):
                archive.write(file, file.relative_to(folder), zipfile.ZIP_DEFLATED)
        for stale in cached.parent.glob("layer-*.zip"):
            if stale != cached:  # another run may have just made the same one
                stale.unlink(missing_ok=True)
        packed.replace(cached)
    return cached


def _closure() -> set[str]:
    wanted, found = [Requirement(name) for name in ROOTS], set[str]()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name not in found:
            found.add(name)
            wanted += _requirements(name)
    return found


def _requirements(name: str) -> list[Requirement]:
    given = [Requirement(line) for line in metadata.requires(name) or ()]
    return [line for line in given if line.marker is None or line.marker.evaluate({"extra": ""})]


def _copy(distribution: metadata.Distribution, tree: Path) -> None:
    for file in distribution.files or ():
        name = file.as_posix()
        if name.startswith("../") or any(part in name for part in _LEFT_OUT):
            continue
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(os.fspath(file.locate()), target)
