"""The Lambda layer for the running Python, of what `.venv` has installed: no network, made once a lock.

The emulator runs handlers in its own interpreter, which is of this release. What goes in and what is taken
away is said by terraform/scripts, which build the layers of a deployment: the tests run the same files.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import re
import shutil
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from terraform.scripts import layer as deployed

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "terraform/scripts/layer-requirements.txt"


def build(path: Path) -> Path:
    """Write the layer to `path` and return it; the dependencies' part is made once for a lock file."""
    shutil.copyfile(_dependencies(), path)
    with zipfile.ZipFile(path, "a", compresslevel=1) as archive:
        for file in _sources():
            archive.write(file, Path("python") / file.relative_to(ROOT), zipfile.ZIP_DEFLATED)
    return path


def _sources() -> list[Path]:
    package = ROOT / "scanward"
    doors = {package / "entrypoints" / door for door in deployed.DOORS}
    return sorted(
        file
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not doors & set(file.parents)
    )


def _dependencies() -> Path:
    own = [REQUIREMENTS, Path(__file__), Path(str(deployed.__file__)), ROOT / "uv.lock"]
    own += sorted(ROOT.glob("phase1_ingestion/lambda_*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in own) + sys.version.encode())
    cached = ROOT / f".tools/layer-{digest.hexdigest()[:16]}.zip"
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        tree = Path(folder) / "python"
        for name in re.findall(r"^([\w.-]+)==", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE):
            _copy(metadata.distribution(name), tree)
        deployed.tidy(tree, ROOT)
        shutil.rmtree(tree / "scanward")
        # A layer is mounted read-only and its files' times are not kept: bytecode that is not checked again.
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(tree, quiet=2, stripdir=folder, invalidation_mode=unchecked)
        packed = Path(folder) / "layer.zip"
        with zipfile.ZipFile(packed, "w", compresslevel=1) as archive:
            for file in sorted(tree.rglob("*")):
                archive.write(file, file.relative_to(folder), zipfile.ZIP_DEFLATED)
        for stale in cached.parent.glob("layer-*.zip"):
            if stale != cached:  # another run may have just made the same one
                stale.unlink(missing_ok=True)
        packed.replace(cached)
    return cached


def _copy(distribution: metadata.Distribution, tree: Path) -> None:
    for file in distribution.files or ():
        if file.as_posix().startswith("../"):
            continue
        target = tree / file.as_posix()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(os.fspath(file.locate()), target)
