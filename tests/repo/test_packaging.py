from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

import scanward
from scripts.generate_docs import ROOT

pytestmark = pytest.mark.unit

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# MIT needs permissive parts; MPL-2.0 binds its own files only, and those are not changed here.
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2.0|0BSD|Unlicense|CC0"
    r"|Zlib|HPND)\b",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|GNU|SSPL|EUPL|Affero)\b", re.IGNORECASE)


def locked() -> list[str]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return sorted(package["name"] for package in lock["package"] if package["name"] != "scanward")


def licence(name: str) -> str:
    fields = metadata(name)
    classified = [line for line in fields.get_all("Classifier") or [] if line.startswith("License ::")]
    stated = [_named(text.strip()) for text in fields.get_all("License") or [] if text.strip()]
    return " ; ".join([*(fields.get_all("License-Expression") or []), *stated, *classified])


def _named(text: str) -> str:
    """Some packages put the licence's whole text into the field: its first line names it, but for MIT's."""
    if "Permission is hereby granted, free of charge, to any person obtaining a copy" in text:
        return "MIT"
    return text.splitlines()[0]


@pytest.mark.parametrize("name", locked())
def test_every_locked_dependency_has_a_permissive_licence(name: str) -> None:
    try:
        stated = licence(name)
    except PackageNotFoundError:
        pytest.skip("locked for another platform or Python")
    assert PERMISSIVE.search(stated), stated
    assert not COPYLEFT.search(stated) or " OR " in stated, stated


def test_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert scanward.__version__ == version
    assert re.search(
        rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_requirements_are_what_the_lock_exports(tmp_path: Path) -> None:
    subprocess.run(["scripts/export_requirements.sh", str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text(), f"{name}: run `make lock`"


def test_requirements_name_no_host_and_no_path() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert not re.search(
            r"https?:|file:|--(extra-)?index|--find|^-e", (ROOT / name).read_text(), re.MULTILINE
        )


def test_no_dependency_is_taken_for_a_platform_or_a_host_by_url() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    assert [line for group in groups for line in group if "@" in line] == []
