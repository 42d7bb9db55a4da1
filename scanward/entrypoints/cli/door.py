"""The door of the command line: every error becomes a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys

from scanward.entrypoints.cli import stopping
from scanward.errors import BadInput, NotFound, ScanwardError

PARTLY = 1
USAGE = 2
STOPPED = 3
INTERRUPTED = 130


def main() -> None:
    """Run the program: exit code 0, 1 partly, 2 usage, 3 stopped by its surroundings, 130 by a signal."""
    stopping.listen()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        return _run(arguments)
    except ScanwardError as error:
        _complain(error)
        return USAGE if isinstance(error, BadInput | NotFound) else STOPPED
    except KeyboardInterrupt:
        _say("Stopped. What is done is kept; run the same command again to go on.")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the door: a library's text may hold a patient's value
        _say(f"Something went wrong inside: {type(error).__name__} at {_place(error)}.")
        return STOPPED


def _run(arguments: list[str]) -> int:
    from scanward.entrypoints.cli.app import command  # noqa: PLC0415 - worker processes import this module too

    try:
        command().main(args=arguments, prog_name="scanward")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        if code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return code
    return 0


def _complain(error: ScanwardError) -> None:
    _say(error.message if error.message.endswith(".") else f"{error.message}.")
    for fault in error.faults:
        if fault.message != error.message:
            _say(
                f"  {fault.path} {fault.message} [{fault.rule}{f', {fault.clause}' if fault.clause else ''}]"
            )


def _say(sentence: str) -> None:
    sys.stderr.write(f"scanward: {sentence}\n")


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        "?" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    )
