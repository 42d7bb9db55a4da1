from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.e2e.needles import PEOPLE, found, needles
from tests.e2e.planted import DELIVERED, Planted, inflated, plant
from tests.e2e.running import scanward

pytestmark = pytest.mark.integration

PROFILES = ("hipaa-safe-harbor", "basic", "research", "limited-data-set")
KEEP_TIMES = frozenset({"research", "limited-data-set"})
KEEP_DATES = frozenset({"limited-data-set"})


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted]]:
    folder = tmp_path_factory.mktemp("planted")
    return folder, plant(folder, PEOPLE)


def wanted(profile: str) -> tuple[bytes, ...]:
    return needles(PEOPLE, times_kept=profile in KEEP_TIMES, dates_kept=profile in KEEP_DATES)


def everything_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield f"the name {len(name)} long", name.encode()
        if path.is_file():
            yield name, inflated(path.read_bytes())


def without_given_names(said: bytes, files: list[Planted]) -> bytes:
    """Take out the paths that the person at the terminal has typed or sees in the folder anyway."""
    for file in files:
        said = said.replace(file.name.encode(), b"")
    return said


def leaks(
    run: subprocess.CompletedProcess[bytes], target: Path, report: Path, files: list[Planted], profile: str
) -> dict[str, list[bytes]]:
    places = dict(everything_below(target))
    places["report"] = report.read_bytes()
    places["stdout"] = without_given_names(run.stdout, files)
    places["stderr"] = without_given_names(run.stderr, files)
    hidden = wanted(profile)
    return {place: hits for place, body in places.items() if (hits := found(body, hidden))}


def test_the_needles_are_found_in_what_goes_in(source: tuple[Path, list[Planted]]) -> None:
    for file in source[1]:
        person = next(person for person in PEOPLE if person.patient_id.encode() in inflated(file.body))
        hits = found(inflated(file.body), needles([person]))
        assert len(hits) > len(set(person.words())) * 0.6, file.kind


@pytest.mark.parametrize("names", ["safe", "pseudonymous"])
@pytest.mark.parametrize("profile", PROFILES)
def test_no_planted_identifier_comes_out_of_a_folder(
    profile: str, names: str, source: tuple[Path, list[Planted]], tmp_path: Path
) -> None:
    folder, files = source
    target, report = tmp_path / "out", tmp_path / "report.jsonl"
    run = scanward(
        *("deidentify", folder, target, "--profile", profile, "--names", names),
        *("--report", report, "--jobs", "1"),
        home=tmp_path / "home",
        log_level="DEBUG",
    )
    assert run.returncode == 1, run.stderr[-2000:].decode()
    assert leaks(run, target, report, files, profile) == {}
    # An empty folder would hold no needle either.
    delivered = [path for path in target.rglob("*") if path.is_file() and b"DICM" in path.read_bytes()[:132]]
    assert len(delivered) >= len(DELIVERED) * len(PEOPLE)


def test_pixels_come_out_as_they_went_in(source: tuple[Path, list[Planted]], tmp_path: Path) -> None:
    folder, files = source
    target = tmp_path / "out"
    scanward("deidentify", folder, target, "--names", "preserve", "--jobs", "1", home=tmp_path / "home")
    for file in files:
        if file.kind in DELIVERED - {"RTSTRUCT"}:
            before, after = dcmread(folder / file.name), dcmread(target / file.name)
            assert after.PixelData == before.PixelData, file.kind


def test_a_dry_run_tells_nothing_and_writes_nothing(
    source: tuple[Path, list[Planted]], tmp_path: Path
) -> None:
    folder, files = source
    run = scanward("deidentify", folder, tmp_path / "out", "--dry-run", home=tmp_path / "home")
    assert run.returncode == 1
    assert found(without_given_names(run.stdout + run.stderr, files), wanted("hipaa-safe-harbor")) == []
    assert not (tmp_path / "out").exists()
