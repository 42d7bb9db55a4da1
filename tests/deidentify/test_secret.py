from __future__ import annotations

import os
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from scanward.deidentify import secret
from scanward.errors import BadInput, Misconfigured
from tests.deidentify.objects import SECRET

pytestmark = pytest.mark.unit


def test_first_use_makes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "config" / "site.key"
    made = secret.load_or_create(path)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret.load_or_create(path) == made
    assert list(path.parent.iterdir()) == [path]


def test_of_eight_processes_that_come_first_all_get_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        made = set(pool.map(secret.load_or_create, [path] * 32))
    assert len(made) == 1


def test_a_secret_that_another_made_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "site.key"

    def late(_: int) -> bytes:
        secret.import_secret(path, secret.encode(SECRET))
        return bytes(32)

    monkeypatch.setattr(os, "urandom", late)
    assert secret.load_or_create(path) == SECRET


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    secret.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match="0600"):
        secret.load(path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match="backup"):
        secret.load_or_create(path)


def test_a_folder_that_cannot_hold_it_is_named_as_such(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(Misconfigured):
        secret.load_or_create(blocked / "site.key")
    with pytest.raises(Misconfigured):
        secret.import_secret(blocked / "site.key", secret.encode(SECRET))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Misconfigured):
        secret.load(tmp_path / "loop")


def test_a_folder_that_cannot_be_made_is_told() -> None:
    nowhere = Path("/proc/scanward-nowhere/site.key")
    with pytest.raises(Misconfigured, match="cannot be made"):
        secret.load_or_create(nowhere)
    with pytest.raises(Misconfigured, match="cannot be written"):
        secret.import_secret(nowhere, secret.encode(SECRET))


def test_it_cannot_be_made_where_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere" / "deep")
    with pytest.raises(Misconfigured):
        secret.load_or_create(tmp_path / "gone" / "site.key")


def test_an_exported_secret_is_imported_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    assert secret.import_secret(path, f"  {secret.encode(SECRET)}") == SECRET
    assert secret.load(path) == SECRET
    assert secret.import_secret(path, secret.encode(SECRET)) == SECRET


def test_an_import_never_replaces_another_secret(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    secret.load_or_create(path)
    with pytest.raises(Misconfigured, match="another secret"):
        secret.import_secret(path, secret.encode(SECRET))


@pytest.mark.parametrize("text", ["", "scanward-key-1:00:AAAA", "scanward-key-1:0123456789abcdef:ü", "a:b:c"])
def test_a_damaged_export_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        secret.decode(text)


def test_a_changed_letter_of_an_export_is_noticed() -> None:
    line = secret.encode(SECRET)
    with pytest.raises(BadInput):
        secret.decode(line.replace("A", "B", 1) if "A" in line else line[:-3])


def test_derived_keys_differ_by_purpose_and_show_nothing_of_the_secret() -> None:
    keys = {secret.derive(SECRET, purpose) for purpose in ("links", "sessions", "crosswalk", "fingerprint")}
    assert len(keys) == 4
    assert SECRET not in keys
    assert len(secret.fingerprint(SECRET)) == 16
