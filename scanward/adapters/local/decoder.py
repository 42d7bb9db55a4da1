"""Codecs in child processes of bounded time and memory, killed and replaced (design §6)."""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scanward import logs
from scanward.adapters.local.decoder_wire import ANSWER, DONE, REFUSED, TASK
from scanward.errors import Unavailable
from scanward.ports.decoder import Recode, Render, Undecodable

log = logs.logger(__name__)
_CHILD: Final = "scanward.adapters.local.decoder_child"
# Codecs' threads would take each other's processors; several children do better.
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many children there are at most, and what each may take; waiting: for a child to be free."""

    children: int = 2
    seconds: int = 20
    memory: int = 2 << 30
    waiting: float = 60.0


class _Broken(Exception):
    """A child ended before its answer. late: because its time was over."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


class ChildDecoder:
    """A pool of children, started when they are needed; one that breaks takes only its own task along."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Start nothing yet."""
        self._bounds = bounds or Bounds()
        self._free: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._children = [_Child(self._bounds) for _ in range(self._bounds.children)]
        for child in self._children:
            self._free.put(child)

    def run(self, task: Recode | Render) -> bytes:
        """Return what a task makes. Raises Undecodable, and Unavailable if no child becomes free."""
        packed = pickle.dumps(task)
        try:
            child = self._free.get(timeout=self._bounds.waiting)
        except queue.Empty:
            raise Unavailable("All decoders are busy; try again.") from None
        try:
            return self._tried(child, packed)
        finally:
            self._free.put(child)

    def _tried(self, child: _Child, packed: bytes) -> bytes:
        """Ask a second time if a child ends by itself: it may have been killed from outside."""
        for _ in range(_TRIES):
            try:
                return child.ask(packed)
            except _Broken as broken:
                log.warning("decoder replaced", operation="decode", reason="late" if broken.late else "ended")
                if broken.late:
                    raise Undecodable("The frame takes longer to decode than it may.") from None
        raise Undecodable("The frame cannot be decoded: its codec breaks on it.")

    def close(self) -> None:
        """End all children."""
        for child in self._children:
            child.end()

    def processes(self) -> list[int]:
        """Return the process ids of the children that run."""
        return [
            child.process.pid for child in self._children if child.process and child.process.poll() is None
        ]


class _Child:
    """One process at a time, asked by one thread at a time."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, packed: bytes) -> bytes:
        """Return the child's answer. Raises Undecodable or _Broken."""
        process = self._running()
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        # What is killed closes its pipes, so that nobody waits for it any more.
        watch = threading.Timer(self._bounds.seconds, kill)
        watch.daemon = True
        watch.start()
        try:
            status, body = self._exchange(process, packed)
        except (OSError, EOFError):
            self.end()
            raise _Broken(late=late.is_set()) from None
        finally:
            watch.cancel()
        if status == DONE:
            return body
        if status == REFUSED:
            raise Undecodable(body.decode())
        raise Undecodable("The frame cannot be decoded: its codestream is damaged or too large.")

    def _exchange(self, process: subprocess.Popen[bytes], packed: bytes) -> tuple[int, bytes]:
        tasks, answers = process.stdin, process.stdout
        if tasks is None or answers is None:
            raise EOFError
        tasks.write(TASK.pack(len(packed), self._bounds.seconds))
        tasks.write(packed)
        tasks.flush()
        head = answers.read(ANSWER.size)
        if len(head) < ANSWER.size:
            raise EOFError
        status, size = ANSWER.unpack(head)
        if size > self._bounds.memory:
            raise EOFError
        body = answers.read(size)
        if len(body) < size:
            raise EOFError
        return status, body

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                [sys.executable, "-I", "-m", _CHILD, str(self._bounds.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
        return self.process

    def end(self) -> None:
        """Kill the process, if there is one, and let go of its pipes."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # What was still to be written goes nowhere.
                with suppress(OSError):
                    pipe.close()
