"""A PostgreSQL server of one test session: in a temporary folder, on a free loopback port."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text


@dataclass(frozen=True)
class Server:
    port: int
    password: str

    def url(self, database: str) -> str:
        return f"postgresql://scanward:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"site_{secrets.token_hex(6)}"
        engine = create_engine(
            self.url("postgres").replace("postgresql:", "postgresql+pg8000:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    assert program, "PostgreSQL is missing; `make setup` installs it"
    return Path(program).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Start a server as user postgres if this is root (it refuses to run as root), else as oneself."""
    programs, password = _programs(), secrets.token_hex(8)
    as_user: list[str | Path] = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="scanward-postgresql-"))
    try:
        word = folder / "password"
        word.write_text(password)
        if as_user:
            for path in (folder, word):
                shutil.chown(path, "postgres", "postgres")
        server = Server(_free_port(), password)
        cluster = folder / "cluster"
        access: list[str | Path] = ["-U", "scanward", "-A", "scram-sha-256", "--pwfile", word]
        text_form = ["-E", "UTF8", "--locale", "C.UTF-8"]
        _run([*as_user, programs / "initdb", "-D", cluster, *access, *text_form])
        options = f"-p {server.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        control: list[str | Path] = [*as_user, programs / "pg_ctl", "-D", cluster, "-w", "-l", folder / "log"]
        _run([*control, "-o", options, "start"])
        try:
            yield server
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
