"""The emulator of AWS as one process: started on a free port of loopback, gone with who started it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools/emulator/bin/python"
AWS = ROOT / ".tools/awscli/bin/aws"
REGION = "us-east-1"
ACCOUNT = "000000000000"
_START_SECONDS = 60
# The checkout is on the launcher's path only: what the functions import has to come by their layer.
_LAUNCH = (
    "import pathlib, sys; folder, root = sys.argv.pop(), sys.argv.pop(); sys.path.insert(0, root); "
    "from tests.emulator import launcher; launcher.main(pathlib.Path(folder))"
)
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, read_timeout=120, connect_timeout=5)


@dataclass(frozen=True)
class Account:
    """Where the emulator answers, and the keys of its account's root."""

    endpoint: str
    key_id: str
    secret_key: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return what a program needs to find the emulator, and nothing of this machine's own account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 knows its clients by name only
        """Return a client with these keys, made once."""
        return _client(self, service)

    def aws(self, *arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the command line of AWS as a person does, on the emulator."""
        return subprocess.run(
            [str(AWS), "--endpoint-url", self.endpoint, *map(str, arguments)],
            env={"PATH": os.environ["PATH"], **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


class Emulator:
    """MiniStack with IAM enforced and its data in a temporary folder; a context manager."""

    def __init__(self) -> None:
        """Choose a folder, a port and keys; nothing runs yet."""
        self.folder = Path(tempfile.mkdtemp(prefix="scanward-aws-"))
        self._log = self.folder / "emulator.log"
        self._port = _free_port()
        keys = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)
        self.account = Account(f"http://127.0.0.1:{self._port}", *keys, self._log)

    def __enter__(self) -> Self:
        """Start it and return when it answers."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-c", _LAUNCH, ROOT, self.folder],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.PIPE,  # its end is the sign to end
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and remove its data."""
        self.stop()

    @property
    def process_id(self) -> int:
        """Return the emulator's process."""
        return self._process.pid

    def stop(self) -> None:
        """End it, and the workers of its functions."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        # The functions see this environment too, so nothing else of this process's goes in.
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_HOST": "localhost",
            "AUTH": "true",
            # It would listen on more ports, and not on loopback only.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
            "SFN_WAIT_SCALE": "0.2",  # retries wait a fifth of what the definition says
            "LOG_LEVEL": "INFO",
            "AWS_ACCESS_KEY_ID": self.account.key_id,
            "AWS_SECRET_ACCESS_KEY": self.account.secret_key,
        }

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=2):
                return
            time.sleep(0.05)
        raise RuntimeError(f"The emulator did not start:\n{self._log.read_text()[-4000:]}")


@cache
def _client(account: Account, service: str) -> Any:  # noqa: ANN401
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]  # the stubs want a literal
        region_name=REGION,
        endpoint_url=account.endpoint,
        aws_access_key_id=account.key_id,
        aws_secret_access_key=account.secret_key,
        config=_CONFIG,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
