"""A real server on a free loopback port, in a thread of the test's process, and raw sockets to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pydicom

from scanward import wiring
from scanward.entrypoints.http import server
from scanward.entrypoints.http.app import create_app
from scanward.entrypoints.http.protocol import PatientProtocol
from scanward.entrypoints.http.service import Limits
from scanward.ports import Ports
from scanward.settings import Settings

TOKEN = "a-token-of-the-tests"
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CT = (FILES / "CT_small.dcm").read_bytes()
MR = (FILES / "MR_small.dcm").read_bytes()


@dataclass(frozen=True)
class Served:
    """A running server: its address, its ports, and a client that holds the token."""

    address: tuple[str, int]
    ports: Ports
    settings: Settings
    client: httpx.Client = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def upload(self, *files: tuple[str, bytes]) -> httpx.Response:
        return self.client.post("/uploads", files=[("files", (name, content)) for name, content in files])

    def staged(self) -> list[Path]:
        """Return the temporary files of uploads under way, once those that are over are gone."""
        folder = self.settings.data / "store" / "staging"
        for _ in range(100):
            left = [path for path in folder.iterdir() if not path.name.startswith(".")]
            if not left:
                break
            time.sleep(0.02)
        return left

    def raw(self, head: str, body: bytes = b"") -> socket.socket:
        """Return a socket on which a request was sent as it stands, with Host and token."""
        peer = socket.create_connection(self.address, timeout=20)
        lines = [head, f"Host: {self.address[0]}:{self.address[1]}", f"Authorization: Bearer {TOKEN}"]
        peer.sendall("\r\n".join(lines).replace("\n\n", "\n").encode() + b"\r\n" + body)
        return peer


def settings_for(folder: Path, **changes: object) -> Settings:
    return Settings.model_validate(
        {
            "data": folder / "data",
            "key_file": folder / "key" / "site.key",
            "free_space_bytes": 0,
            "workers": 0,
            **changes,
        }
    )


@contextmanager
def serving(
    settings: Settings,
    *,
    token: str = TOKEN,
    limits: Limits | None = None,
    protocol: type[PatientProtocol] = PatientProtocol,
) -> Iterator[Served]:
    ports = wiring.open_ports(settings)
    listening = server.bind("127.0.0.1", 0)
    running = server.server_of(create_app(settings, ports, start_token=token, limits=limits), protocol)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    host, port = listening.getsockname()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=f"http://{host}:{port}", headers=headers, timeout=30) as client:
            yield Served((host, port), ports, settings, client)
    finally:
        running.should_exit = True
        thread.join(30)
        listening.close()


def answer_of(peer: socket.socket) -> bytes:
    """Return all that a peer answers until it closes or is silent."""
    received = b""
    try:
        while chunk := peer.recv(65536):
            received += chunk
            head, _, body = received.partition(b"\r\n\r\n")
            if body and f"content-length: {len(body)}".encode() in head.lower():
                break
    except (TimeoutError, ConnectionError):
        pass
    finally:
        peer.close()
    return received


def form(*files: tuple[str, bytes], boundary: str = "edge") -> bytes:
    """Return a multipart body."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()
