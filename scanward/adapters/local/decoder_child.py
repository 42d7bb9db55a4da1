"""The process in which codecs run: one task after another, each in bounds, until nobody asks any more.

It holds no secret and no file of the archive. What breaks it breaks only it: the service starts another.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import sys
from pathlib import Path
from typing import BinaryIO, Final

from scanward.adapters.local.decoder_encoders import recoded
from scanward.adapters.local.decoder_pictures import rendered
from scanward.adapters.local.decoder_wire import ANSWER, DONE, FAILED, REFUSED, TASK
from scanward.ports.decoder import Recode, Render, Undecodable

_IDLE_SECONDS: Final = 120


def main() -> None:
    """Answer tasks from standard input. argv: the bytes of memory that may be taken."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with os.fdopen(os.dup(1), "wb") as answers, Path(os.devnull).open("wb") as nowhere:
        # A library that prints must not write into an answer.
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        while _answered(sys.stdin.buffer, answers):
            pass


def _answered(tasks: BinaryIO, answers: BinaryIO) -> bool:
    if not select.select([tasks], [], [], _IDLE_SECONDS)[0]:
        return False
    head = tasks.read(TASK.size)
    if len(head) < TASK.size:
        return False
    size, seconds = TASK.unpack(head)
    packed = tasks.read(size)
    if len(packed) < size:
        return False
    _bound_time(seconds)
    status, body = _outcome(packed)
    answers.write(ANSWER.pack(status, len(body)))
    answers.write(body)
    answers.flush()
    return True


def _bound_time(seconds: int) -> None:
    """Let the next task have so many seconds of processor time; the kernel ends what takes more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _outcome(packed: bytes) -> tuple[int, bytes]:
    try:
        # What comes here was packed by the service that started this process, and by nobody else.
        task: Recode | Render = pickle.loads(packed)  # noqa: S301 - as said above
        return DONE, _made(task)
    except Undecodable as error:
        return REFUSED, error.message.encode()
    except Exception as error:  # noqa: BLE001 - a door: codecs raise what they like, MemoryError too
        return FAILED, type(error).__name__.encode()


def _made(task: Recode | Render) -> bytes:
    return recoded(task) if isinstance(task, Recode) else rendered(task)


if __name__ == "__main__":
    main()
