"""The report's lines: what was done with each input, without a value or a name of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scanward.deidentify.engine import ENGINE_VERSION, Engine
from scanward.deidentify.profile import load
from scanward.deidentify.report import Cleaned, as_json
from scanward.entrypoints.cli.batch.plan import Outcome
from scanward.entrypoints.cli.batch.state import Fingerprints
from scanward.errors import Fault, JsonValue
from scanward.settings import Settings


class RowWriter:
    """Makes lines of one run. An input that got no output is named by the keyed hash of its path."""

    def __init__(self, settings: Settings, engine: Engine, fingerprints: Fingerprints) -> None:
        """Keep what every line says."""
        self._profile = load(settings.profile).name
        self._engine = engine
        self._fingerprints = fingerprints

    def delivered(self, output: str, cleaned: Cleaned, seconds: float) -> str:
        """Return the line of a de-identified object; `output` is its safe path, "" in a dry run."""
        row: dict[str, JsonValue] = {
            "outcome": Outcome.DEIDENTIFIED.value,
            "output": output,
            "seconds": round(seconds, 6),
        }
        row |= as_json(
            cleaned,
            profile=self._profile,
            policy_hash=self._engine.policy_hash,
            key_fingerprint=self._engine.fingerprint,
        )
        row["engine"] = ENGINE_VERSION
        return json.dumps(row)

    def refused(self, relative: str, outcome: Outcome, reason: str, faults: Sequence[Fault]) -> str:
        """Return the line of an input that got no output."""
        return refused_row(f"{self._fingerprints.path(relative):016x}", outcome, reason, faults)


def refused_row(input_key: str, outcome: Outcome, reason: str, faults: Sequence[Fault] = ()) -> str:
    """Return the line of an input that got no output."""
    row: dict[str, JsonValue] = {"outcome": outcome.value, "input_key": input_key, "reason": reason}
    if faults:
        row["faults"] = [fault.as_json() for fault in faults]
    return json.dumps(row)
