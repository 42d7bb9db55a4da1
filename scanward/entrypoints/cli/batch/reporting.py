"""The report: JSON lines that travel with the outputs, the last one a summary."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from scanward.entrypoints.cli.batch.plan import Outcome
from scanward.errors import BadInput


class Report:
    """Lines of this run behind those of earlier runs whose outputs still stand; in place at the run's end."""

    def __init__(self, path: Path, *, stands: Callable[[str], bool]) -> None:
        """Take over the lines of earlier runs. Raises BadInput if the report cannot be written there."""
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._known: set[str] = set()
        try:
            self._take_over(stands)
            self._file: TextIO = self._partial.open("a", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"The report cannot be written: {os.strerror(error.errno or 0)}.") from None

    def __contains__(self, output: str) -> bool:
        """Say whether an output has a line from an earlier run."""
        return output in self._known

    def add(self, line: str) -> None:
        """Append one line."""
        self._file.write(line + "\n")

    def flush(self) -> None:
        """Hand the lines to the system, so that a kill of this process loses none of a finished batch."""
        self._file.flush()

    def close(self, summary: Mapping[str, object]) -> None:
        """Append the summary and give the report its name."""
        self.add(json.dumps({"summary": summary}))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        _drop_superseded(self._partial)
        self._partial.replace(self._path)

    def leave(self) -> None:
        """Close a report that is to be continued."""
        self._file.close()

    def _take_over(self, stands: Callable[[str], bool]) -> None:
        kept = self._path.with_name(f"{self._path.name}.kept")
        with kept.open("w", encoding="utf-8") as file:
            for earlier in (self._path, self._partial):
                for output, line in _delivered(earlier):
                    if stands(output):
                        self._known.add(output)
                        file.write(line)
        kept.replace(self._partial)


def _delivered(path: Path) -> Iterator[tuple[str, str]]:
    """Yield output and line of what an earlier report says was delivered; a line cut short is none."""
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            yield from ((output, line) for line in lines if (output := _output(line)))


def _output(line: str) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        return ""
    delivered = isinstance(row, dict) and row.get("outcome") == Outcome.DEIDENTIFIED.value
    return str(row.get("output", "")) if delivered else ""


def _drop_superseded(path: Path) -> None:
    """Keep the last line of each output: an input that changed was done again."""
    with path.open(encoding="utf-8") as lines:
        outputs = [_output(line) for line in lines]
    last = {output: number for number, output in enumerate(outputs) if output}
    if len(last) == sum(map(bool, outputs)):
        return
    kept = path.with_name(f"{path.name}.kept")
    with path.open(encoding="utf-8") as lines, kept.open("w", encoding="utf-8") as file:
        numbered = enumerate(lines)
        file.writelines(line for number, line in numbered if last.get(outputs[number], number) == number)
    kept.replace(path)
