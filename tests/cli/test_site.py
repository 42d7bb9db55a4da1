from __future__ import annotations

import json
import stat
from pathlib import Path

import pydicom
import pytest

from scanward import __version__
from scanward.entrypoints.cli.doctoring.disks import encryption, permissions
from scanward.entrypoints.cli.linking import lifetime
from scanward.errors import BadInput
from tests.cli.running import REAL, scanward, write_ct

pytestmark = pytest.mark.integration


def test_version_help_and_an_unknown_command(tmp_path: Path) -> None:
    assert scanward(tmp_path, "--version").stdout.strip() == f"scanward {__version__}"
    for command in (
        "deidentify",
        "serve",
        "worker",
        "ingest",
        "executions",
        "link",
        "verify",
        "config",
        "key",
        "doctor",
    ):
        assert command in scanward(tmp_path, "--help").stdout
        assert scanward(tmp_path, command, "--help").returncode == 0
    assert scanward(tmp_path, "nonesuch").returncode == 2


def test_the_settings_are_shown_with_their_source_and_without_secrets(tmp_path: Path) -> None:
    changed = {
        "SCANWARD_START_TOKEN": "hush-hush",
        "SCANWARD_DATABASE_URL": "postgresql+pg8000://me:hush@db.example:5433/images",
    }
    run = scanward(tmp_path, "config", "show", "--json", **changed)
    shown = {one["name"]: one for one in json.loads(run.stdout)}
    assert "hush" not in run.stdout + scanward(tmp_path, "config", "show", **changed).stdout
    assert shown["SCANWARD_START_TOKEN"]["source"] == "SCANWARD_START_TOKEN"
    assert shown["SCANWARD_PROFILE"] == {
        "name": "SCANWARD_PROFILE",
        "value": "hipaa-safe-harbor",
        "source": "default",
        "description": "Profile name or the path of a YAML file.",
    }
    assert "db.example:5433" in shown["SCANWARD_DATABASE_URL"]["value"]


def test_a_wrong_setting_is_named_without_its_value(tmp_path: Path) -> None:
    run = scanward(tmp_path, "config", "show", SCANWARD_WORKERS="Zwiebelfisch")
    assert run.returncode == 2
    assert "SCANWARD_WORKERS" in run.stderr
    assert "Zwiebelfisch" not in run.stderr


def test_a_key_travels_by_export_and_import_and_never_overwrites(tmp_path: Path) -> None:
    made = json.loads(scanward(tmp_path / "a", "key", "show", "--json").stdout)
    assert scanward(tmp_path / "a", "key", "export", tmp_path / "copy").returncode == 0
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert scanward(tmp_path / "a", "key", "export", tmp_path / "copy").returncode == 2
    assert scanward(tmp_path / "b", "key", "import", tmp_path / "copy").returncode == 0
    assert (
        json.loads(scanward(tmp_path / "b", "key", "show", "--json").stdout)["fingerprint"]
        == made["fingerprint"]
    )
    scanward(tmp_path / "c", "key", "show")
    refused = scanward(tmp_path / "c", "key", "import", tmp_path / "copy")
    assert refused.returncode == 3
    assert "another secret" in refused.stderr
    (tmp_path / "bad").write_text("no key")
    assert scanward(tmp_path / "d", "key", "import", tmp_path / "bad").returncode == 2
    assert (tmp_path / "copy").read_text() not in scanward(tmp_path / "a", "key", "show").stdout


def test_the_doctor_finds_what_is_open_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    run = scanward(tmp_path, "doctor", "--data", data, "--json")
    graded = {one["subject"]: one for one in json.loads(run.stdout)}
    assert run.returncode == 1
    assert graded["Data folder"]["grade"] == "wrong"
    assert graded["Key"]["grade"] == "unknown"
    data.chmod(0o700)
    scanward(tmp_path, "key", "show")
    run = scanward(tmp_path, "doctor", "--data", data, "--json")
    graded = {one["subject"]: one for one in json.loads(run.stdout)}
    assert run.returncode == 0
    assert {graded[name]["grade"] for name in ("Data folder", "Key file", "Key", "Free space")} == {"good"}
    key = tmp_path / ".config" / "scanward" / "site.key"
    assert "wrong" not in scanward(tmp_path, "doctor", "--data", data).stdout
    key.chmod(0o644)
    assert scanward(tmp_path, "doctor", "--data", data).returncode == 1


def test_the_doctor_says_when_postgresql_does_not_answer(tmp_path: Path) -> None:
    url = "postgresql+pg8000://u:p@127.0.0.1:9/x"
    run = scanward(tmp_path, "doctor", "--data", tmp_path / "data", "--json", SCANWARD_DATABASE_URL=url)
    graded = {one["subject"]: one for one in json.loads(run.stdout)}
    assert graded["PostgreSQL"]["grade"] == "wrong"
    assert run.returncode == 1


@pytest.mark.unit
def test_an_encrypted_disk_is_known_through_the_layers_above_it(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    block = tmp_path / "sys" / "dev" / "block"
    volume, crypt = tmp_path / "sys" / "dm-1", tmp_path / "sys" / "dm-0"
    for folder in (block, volume / "slaves", crypt / "dm"):
        folder.mkdir(parents=True)
    (block / f"{device >> 8 & 0xFFF}:{device & 0xFF}").symlink_to(volume)
    (volume / "slaves" / "dm-0").symlink_to(crypt)
    assert encryption(tmp_path, tmp_path / "sys").grade == "warning"
    (crypt / "dm" / "uuid").write_text("CRYPT-LUKS2-0123-x")
    assert encryption(tmp_path, tmp_path / "sys").grade == "good"
    assert encryption(tmp_path, tmp_path / "elsewhere").grade == "unknown"
    assert permissions("x", tmp_path / "nothing", 0o700).grade == "unknown"


@pytest.mark.unit
def test_lifetimes_are_read_with_their_unit() -> None:
    assert [lifetime(text).total_seconds() for text in ("30s", "15m", "1h", "7d")] == [30, 900, 3600, 604800]
    for text in ("", "1", "h", "1w", "-1h", "1.5h"):
        with pytest.raises(BadInput):
            lifetime(text)


def test_profiles_are_listed_and_one_is_shown_row_by_row(tmp_path: Path) -> None:
    listed = json.loads(scanward(tmp_path, "profiles", "list", "--json").stdout)
    assert {"basic", "hipaa-safe-harbor", "research"} <= {one["name"] for one in listed}
    shown = json.loads(scanward(tmp_path, "profiles", "show", "basic", "--json").stdout)
    rows = {row["keyword"]: row for row in shown["rows"]}
    assert rows["PatientID"]["basic"] == "Z/D"
    assert rows["StudyInstanceUID"]["action"] == "U"
    assert "PatientBirthDate" in scanward(tmp_path, "profiles", "show", "basic").stdout


def test_verify_tells_what_changed_and_what_is_left(tmp_path: Path) -> None:
    original = write_ct(tmp_path / "in" / "a.dcm")
    assert scanward(tmp_path, "deidentify", original, tmp_path / "out.dcm").returncode == 0
    run = scanward(tmp_path, "verify", original, tmp_path / "out.dcm", "--json")
    found = json.loads(run.stdout)
    assert run.returncode == 0, run.stdout
    assert found["pixels"] == "identical"
    assert found["identifiers_left"] == []
    assert {"keyword": "PatientID", "path": "(0010,0020)", "what": "changed"} in found["differences"]
    shown = scanward(tmp_path, "verify", original, tmp_path / "out.dcm")
    assert "PatientName" in shown.stdout
    assert "Zwiebelfisch" not in shown.stdout
    assert "Zwiebelfisch" in scanward(tmp_path, "verify", original, tmp_path / "out.dcm", "--values").stdout


def test_verify_finds_an_identifier_anywhere_in_the_processed_bytes(tmp_path: Path) -> None:
    original = write_ct(tmp_path / "in" / "a.dcm")
    scanward(tmp_path, "deidentify", original, tmp_path / "out.dcm")
    leaking = pydicom.dcmread(tmp_path / "out.dcm")
    leaking.add_new(0x00091001, "UN", b"seen by zwiebelfisch ")
    leaking.add_new(0x00090010, "LO", "MAKER")
    leaking.save_as(tmp_path / "leak.dcm", enforce_file_format=True)
    run = scanward(tmp_path, "verify", original, tmp_path / "leak.dcm", "--json")
    assert run.returncode == 1
    assert [one["keyword"] for one in json.loads(run.stdout)["identifiers_left"]] == ["PatientName"]
    assert scanward(tmp_path, "verify", original, original).returncode == 1
    (tmp_path / "text").write_text("no DICOM at all, but long enough to be looked at by the gate")
    assert scanward(tmp_path, "verify", original, tmp_path / "text").returncode == 2


def test_verify_reads_deflated_and_big_endian_objects(tmp_path: Path) -> None:
    for name in ("image_dfl.dcm", "MR_small_bigendian.dcm"):
        source = REAL / name
        run = scanward(tmp_path, "deidentify", source, tmp_path / name)
        if run.returncode == 0:
            assert scanward(tmp_path, "verify", source, tmp_path / name).returncode == 0, name
