"""`scanward backup` and `scanward restore`, as their user runs them."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scanward.adapters.local.backup_key import read_key
from scanward.adapters.local.backup_seal import SealedReader
from scanward.deidentify import secret
from scanward.errors import BadInput
from tests.cli.running import Person, command, environment, scanward, write_ct, write_folder

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a site that has taken six files through its line and quarantined one."""
    write_folder(tmp_path / "in", 5)
    write_ct(tmp_path / "in" / "own.dcm", 1, Person())
    (tmp_path / "in" / "broken.dcm").write_bytes(write_ct(tmp_path / "cut.dcm", 2).read_bytes()[:900])
    run = scanward(tmp_path, "ingest", tmp_path / "in", "--data", tmp_path / "data")
    assert run.returncode == 1, run.stderr
    return tmp_path


def told(home: Path, *arguments: object, **changed: str) -> tuple[int, dict[str, Any]]:
    run = scanward(home, *arguments, "--json", **changed)
    assert run.stdout, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return run.returncode, found


def backed_up(home: Path, name: str = "backup") -> Path:
    new = () if (home / "key").exists() else ("--new-key",)
    code, found = told(home, "backup", home / name, "--key-file", home / "key", *new, "--data", home / "data")
    assert code == 0, found
    return home / name


def restored(home: Path, name: str = "again") -> subprocess.CompletedProcess[str]:
    return scanward(home, "restore", home / "backup", "--key-file", home / "key", "--data", home / name)


def rows_of(data: Path) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for name in ("catalog", "deid"):
        with sqlite3.connect(data / f"{name}.sqlite") as connection:
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall():
                found[f"{name}.{table}"] = sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - our own names
    return found


def objects_of(data: Path) -> dict[str, bytes]:
    store = data / "store"
    files = (path for zone in ("raw", "deid", "quarantine") for path in (store / zone).rglob("*"))
    return {str(path.relative_to(store)): path.read_bytes() for path in files if path.is_file()}


def everything(reader: SealedReader) -> bytes:
    content = bytearray()
    try:
        while True:
            content += reader.read(1)
    except BadInput:
        return bytes(content)


def test_what_is_restored_is_equal_row_by_row_and_byte_by_byte(home: Path) -> None:
    backed_up(home)
    run = restored(home)
    assert run.returncode == 0, run.stderr
    assert rows_of(home / "again") == rows_of(home / "data")
    assert objects_of(home / "again") == objects_of(home / "data")
    assert any(name.startswith("quarantine/") for name in objects_of(home / "again"))
    assert told(home, "check", "--data", home / "again")[0] == 0
    assert not (home / "again" / "restoring").exists()


def test_a_restored_site_goes_on_where_it_was(home: Path) -> None:
    backed_up(home)
    restored(home)
    again = scanward(home, "ingest", home / "in", "--data", home / "again", "--json")
    assert [row["outcome"] for row in map(json.loads, again.stdout.splitlines()[:-1])].count(
        "deidentified"
    ) == 0
    write_ct(home / "more" / "new.dcm", 77, Person())
    assert scanward(home, "ingest", home / "more", "--data", home / "again").returncode == 0


def test_a_backup_shows_nothing_of_a_patient_and_holds_no_secret(home: Path) -> None:
    path = backed_up(home)
    stream = path.read_bytes()
    for word in (*Person().secrets, b"MRN-7700000", b"instances", b"own.dcm"):
        assert word not in stream
    with path.open("rb") as file:
        reader = SealedReader(file, read_key(home / "key"))
        content = everything(reader)
    assert b"Zwiebelfisch" in content  # so that the search below is one that can find
    key = secret.load(next(home.rglob("site.key")))
    for form in (key, key.hex().encode(), secret.encode(key).split()[-1].encode()):
        assert form not in content
        assert form not in stream
    assert path.stat().st_mode & 0o777 == 0o600


def test_verify_says_yes_to_a_whole_backup_and_no_to_any_other(home: Path) -> None:
    path = backed_up(home)
    verify = ("backup", path, "--verify", "--key-file", home / "key")
    code, found = told(home, *verify)
    assert (code, found["objects"], found["findings"]) == (0, 13, [])
    whole = path.read_bytes()
    for changed in (
        whole[:-1],
        whole[: len(whole) // 2],
        whole[:40],
        b"",
        whole + b"\0",
        whole[:5000] + bytes([whole[5000] ^ 4]) + whole[5001:],
    ):
        path.write_bytes(changed)
        run = scanward(home, *verify)
        assert run.returncode == 2, run.stdout
        assert restored(home).returncode == 2
        assert not any((home / "again").iterdir())


def test_another_key_opens_nothing(home: Path) -> None:
    path = backed_up(home)
    (home / "word").write_text("correct horse battery staple")
    (home / "word").chmod(0o600)
    run = scanward(home, "backup", path, "--verify", "--key-file", home / "word")
    assert run.returncode == 2
    assert "does not open this backup (made with a key of its own)" in run.stderr


def test_nothing_is_ever_overwritten(home: Path) -> None:
    path = backed_up(home)
    before = path.read_bytes()
    again = scanward(home, "backup", path, "--key-file", home / "key", "--data", home / "data")
    assert again.returncode == 2
    assert path.read_bytes() == before
    rows, objects = rows_of(home / "data"), objects_of(home / "data")
    run = restored(home, "data")
    assert run.returncode == 3
    assert "not empty" in run.stderr
    assert (rows_of(home / "data"), objects_of(home / "data")) == (rows, objects)


def test_a_folder_gets_a_backup_named_by_its_time(home: Path) -> None:
    (home / "backups").mkdir()
    _, found = told(
        home, "backup", home / "backups", "--key-file", home / "key", "--new-key", "--data", home / "data"
    )
    assert [str(path) for path in (home / "backups").iterdir()] == [found["file"]]


def test_a_restore_wants_the_site_s_key_and_names_it(home: Path) -> None:
    path = backed_up(home)
    kept = next(home.rglob("site.key"))
    fingerprint = secret.fingerprint(secret.load(kept))
    other = {"SCANWARD_KEY_FILE": str(home / "elsewhere" / "site.key")}
    restore = ("restore", path, "--key-file", home / "key", "--data", home / "again")
    none = scanward(home, *restore, **other)
    assert none.returncode == 3
    assert fingerprint in none.stderr
    assert not (home / "elsewhere" / "site.key").exists()
    assert scanward(home, "key", "show", **other).returncode == 0
    another = scanward(home, *restore, **other)
    assert another.returncode == 3
    assert fingerprint in another.stderr
    assert not any((home / "again").iterdir())


def test_what_was_damaged_or_missing_is_named_and_the_rest_is_kept(home: Path) -> None:
    raw = sorted(path for path in (home / "data" / "store" / "raw").rglob("*") if path.is_file())
    raw[0].chmod(0o600)
    raw[0].write_bytes(raw[0].read_bytes()[:-1] + b"\x55")
    raw[1].unlink()
    arguments = ("backup", home / "backup", "--key-file", home / "key", "--new-key", "--data", home / "data")
    code, found = told(home, *arguments)
    wrong = [
        {"what": "damaged", "zone": "raw", "key": raw[0].name},
        {"what": "missing", "zone": "raw", "key": raw[1].name},
    ]
    assert code == 1
    assert sorted(found["findings"], key=str) == sorted(wrong, key=str)
    code, found = told(home, "restore", home / "backup", "--key-file", home / "key", "--data", home / "again")
    assert code == 1
    assert sorted(found["findings"], key=str) == sorted(wrong, key=str)
    assert objects_of(home / "again") == objects_of(home / "data")


def test_a_full_disk_leaves_no_backup_and_no_half_a_site(home: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    def limited(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments, "--key-file", home / "key"),
            capture_output=True,
            text=True,
            env=environment(home),
            timeout=120,
            preexec_fn=limit,
            check=False,
        )

    shutil.copytree(home / "data", home / "site")
    run = limited("backup", home / "full", "--new-key", "--data", home / "site")
    assert (run.returncode, "full" in run.stderr) == (3, True), run.stderr
    assert not list(home.glob("full*"))
    backed_up(home)
    run = limited("restore", home / "backup", "--data", home / "again")
    assert run.returncode == 3, run.stderr
    assert not any((home / "again").iterdir())
    assert restored(home).returncode == 0


KILLED = """
import os, signal, sys
from scanward.entrypoints.cli.keeping.showing_progress import Bar
seen = []
def moved(self, size):
    seen.append(size)
    if len(seen) == 7:
        os.kill(os.getpid(), signal.SIGKILL)
Bar.moved = moved
from scanward.entrypoints.cli import main
main()
"""


def test_a_kill_in_the_middle_leaves_no_valid_backup_and_no_site(home: Path) -> None:
    def killed(*arguments: object) -> int:
        words = [sys.executable, "-c", KILLED, *map(str, arguments), "--key-file", str(home / "key")]
        return subprocess.run(words, env=environment(home), timeout=120, check=False).returncode

    assert killed("backup", home / "backup", "--new-key", "--data", home / "data") == -signal.SIGKILL
    assert not (home / "backup").exists()
    left = home / "backup.part"
    assert left.exists()
    assert scanward(home, "backup", left, "--verify", "--key-file", home / "key").returncode == 2
    backed_up(home)
    assert not left.exists()
    assert killed("restore", home / "backup", "--data", home / "again") == -signal.SIGKILL
    assert [path.name for path in (home / "again").iterdir()] == ["restoring"]
    assert "broken off" in restored(home).stderr
    shutil.rmtree(home / "again" / "restoring")
    assert restored(home).returncode == 0


def test_a_backup_while_files_come_in_is_one_moment_s_state(home: Path) -> None:
    write_folder(home / "stream", 150)
    words = command("ingest", home / "stream", "--data", home / "data")
    with subprocess.Popen(words, env=environment(home), stdout=subprocess.DEVNULL) as coming:
        first = backed_up(home)
        counts: list[tuple[int, dict[str, Any]]] = []
        while coming.poll() is None:
            counts.append(
                told(
                    home,
                    "backup",
                    home / f"b{len(counts)}",
                    "--key-file",
                    home / "key",
                    "--data",
                    home / "data",
                )
            )
        assert coming.returncode == 0
    assert counts
    assert all(code == 0 for code, _ in counts)
    shutil.copy(home / f"b{len(counts) // 2}", first)
    run = restored(home)
    assert run.returncode == 0, run.stderr
    assert told(home, "check", "--data", home / "again")[0] == 0
    assert scanward(home, "ingest", home / "stream", "--data", home / "again").returncode == 0
    deid = "deid.instances"
    names = [{row[0] for row in rows_of(home / data)[deid]} for data in ("again", "data")]
    assert names[0] == names[1]
