"""`scanward serve`: the application on a loopback address, with its worker processes beside it."""

from __future__ import annotations

import ipaddress
import resource
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from scanward import logs, wiring
from scanward.entrypoints import worker
from scanward.entrypoints.http.app import create_app
from scanward.entrypoints.http.protocol import PatientProtocol
from scanward.errors import Misconfigured
from scanward.ports import Ports
from scanward.settings import Settings

log = logs.logger(__name__)
_TOKEN_BYTES: Final = 24
_STOP_SECONDS: Final = 10
_HEAD_BYTES: Final = 32 << 10
_FILES: Final = 8192
_BACKLOG: Final = 1024


def run(settings: Settings, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until a signal; port 0 takes a free one. Raises Misconfigured, Unavailable or OutOfSpace."""
    with bind(host, port) as listening:
        ports = wiring.open_ports(settings)
        token = start_token(settings)
        _announce(listening, token)
        with worker.supervise(settings, ports) as supervisor:
            serve(listening, application(settings, ports, token, supervisor))


def start_token(settings: Settings) -> str:
    """Return the token of this start: the setting's, or a new one; "" asks for none."""
    return secrets.token_urlsafe(_TOKEN_BYTES) if settings.start_token is None else settings.start_token


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to loopback. Raises Misconfigured for another address, or a port taken."""
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    if not _is_loopback(address):
        raise Misconfigured(
            f"{host} is not a loopback address. Scanward has no accounts and no certificate yet, so that "
            "anybody who reaches it from the network could read identified images: serve on 127.0.0.1, and "
            "reach it from elsewhere through an SSH tunnel."
        )
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        # Whoever reads the address that is printed now may connect at once; uvicorn takes over the queue.
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise Misconfigured(f"port {port} of {host} cannot be bound: is another service on it?") from None
    return listening


def url_of(listening: socket.socket, token: str = "") -> str:
    """Return the address of a socket, with the token that opens it in a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/{f'?token={token}' if token else ''}"


def application(
    settings: Settings, ports: Ports, token: str, supervisor: worker.Supervisor | None = None
) -> FastAPI:
    """Return the application; `/ready` asks the supervisor, if there is one, for its workers."""

    def workers_alive() -> bool:
        return supervisor is None or supervisor.at_work

    return create_app(settings, ports, start_token=token, workers_alive=workers_alive)


def server_of(app: FastAPI, protocol: type[PatientProtocol] = PatientProtocol) -> uvicorn.Server:
    """Return the server: HTTP/1.1 only, bounded heads, no access log and no texts of its own."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_STOP_SECONDS,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
    )


def serve(listening: socket.socket, app: FastAPI) -> None:
    """Serve on a socket until a signal; requests under way are finished within their time."""
    _raise_file_limit()
    log.info("serving", operation="serve", status="started")
    with _signals_end_here():
        server_of(app).run(sockets=[listening])
    log.info("stopped", operation="serve")


@contextmanager
def _signals_end_here() -> Iterator[None]:
    """Let a signal end the server and no more: uvicorn raises it anew, which would skip the workers' end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _announce(listening: socket.socket, token: str) -> None:
    """Print the address that opens the page: to people, on standard output, never into the log."""
    print(f"Scanward is at {url_of(listening, token)}", flush=True)  # noqa: T201 -- this line is the command's output
    if not token:
        print(  # noqa: T201 -- as above
            "WARNING: SCANWARD_START_TOKEN is empty: every program and every user of this machine can read "
            "identified images without a token.",
            file=sys.stderr,
            flush=True,
        )
        log.warning("no start-up token is asked", operation="serve", status="started")


def _raise_file_limit() -> None:
    """Idle peers cost a socket each: let there be enough of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
