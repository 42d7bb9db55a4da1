"""What a worker does: a batch of inputs through the engine, named, written, counted. One engine a thread."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.report import Cleaned
from scanward.deidentify.secret import derive
from scanward.dicom.structure import check
from scanward.entrypoints.cli.batch.limit import TookTooLong, limited
from scanward.entrypoints.cli.batch.opening import Opener, Source
from scanward.entrypoints.cli.batch.outputs import Outputs
from scanward.entrypoints.cli.batch.plan import Entry, Note, Outcome, Plan, Row, Tally
from scanward.entrypoints.cli.batch.rows import RowWriter
from scanward.entrypoints.cli.batch.state import Fingerprints
from scanward.entrypoints.naming import Naming
from scanward.errors import BadInput, InvalidDicom, Misconfigured, Quarantined, ScanwardError, Unavailable
from scanward.receive.part10 import DICOMDIR_CLASS, DIRECTORY
from scanward.store.ending import unexpected
from scanward.wiring import open_engine, open_secrets

_COMMIT = 100  # outputs that are open at once, so that file descriptors never run out
_NOT_DICOM = frozenset({"not-dicom", "empty"})
_DIRECTORY_UID = f"{DICOMDIR_CLASS}\0".encode()
_META_BYTES = 512
_EXISTS = "an output of this name is there that no run of ours wrote; --force replaces it"
_CUT = "another program cut it short while it was read"
_local = threading.local()


@dataclass(slots=True)
class Finished:
    """One cleaned object between its writing and its naming."""

    entry: Entry
    cleaned: Cleaned
    seconds: float


class Worker:
    """Engine, names and outputs of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Read the site's secret and open the engine. Raises Misconfigured if it is another's secret."""
        secret = site_secret(plan)
        self._plan = plan
        self.engine: Engine = open_engine(plan.settings)
        self._keys = keys = Keys(secret, plan.settings.domain, digits=plan.settings.patient_id_digits)
        self._opener = Opener(plan)
        self._naming = Naming(plan.names, keys)
        self._suffix = partial(keys.text, "collision", digits=8)
        self.fingerprints = Fingerprints(derive(secret, "resume"), policy(plan, self.engine))
        self._outputs = Outputs(plan)
        self._rows = RowWriter(plan.settings, self.engine, self.fingerprints)

    def serves(self, plan: Plan) -> bool:
        """Say whether this worker is the plan's; another run of the same plan is taken over."""
        if plan == self._plan:
            return True
        if replace(self._plan, run=plan.run) != plan:
            return False
        self._plan, self._outputs = plan, Outputs(plan)
        return True

    def run(self, entries: Sequence[Entry]) -> Tally:
        """Take a batch through; outputs are durable and named when this returns."""
        started = time.perf_counter()
        tally = Tally(files=len(entries), bytes=sum(entry.size for entry in entries))
        changes: Counter[tuple[tuple[str, str], ...]] = Counter()
        try:
            for start in range(0, len(entries), _COMMIT):
                self._part(entries[start : start + _COMMIT], tally, changes)
        finally:
            self._outputs.discard()
        _count_changes(changes, tally)
        tally.seconds = time.perf_counter() - started
        return tally

    def _part(
        self, entries: Sequence[Entry], tally: Tally, changes: Counter[tuple[tuple[str, str], ...]]
    ) -> None:
        finished = []
        for entry in entries:
            begun = time.perf_counter()
            try:
                cleaned = self._clean(entry)
            except BadInput as error:
                self._refuse(tally, entry, _outcome(error), error)
            except OSError as error:
                self._note(
                    tally, entry, Outcome.REJECTED, f"it cannot be read: {os.strerror(error.errno or 0)}"
                )
            else:
                finished.append(Finished(entry, cleaned, time.perf_counter() - begun))
        for one, output in zip(finished, self._names(finished), strict=True):
            self._deliver(tally, one, output)
            changes[one.cleaned.changes] += 1

    def _clean(self, entry: Entry) -> Cleaned:
        with self._opener.open(entry) as source:
            cleaned, parts = self._in_time(entry, source)
            if not self._plan.dry:
                hashes = self.fingerprints.path(entry.relative), self.fingerprints.version(entry)
                suffix = partial(self._suffix, entry.relative)
                try:
                    self._outputs.write(parts, cleaned.pieces, source.fileno(), hashes, suffix)
                except Unavailable:
                    if os.fstat(source.fileno()).st_size >= source.size:
                        raise
                    raise InvalidDicom(_CUT) from None
            return cleaned

    def _in_time(self, entry: Entry, source: Source) -> tuple[Cleaned, tuple[str, ...]]:
        """Clean and name one object within its time; what it left half done in memories goes with them."""
        seconds = self._plan.settings.limit_seconds(source.size)
        try:
            with limited(seconds):
                cleaned = self._guarded(source)
                name = self._plan.output_name
                return cleaned, (name,) if name else self._naming.parts(entry.relative, source, cleaned)
        except TookTooLong:
            self.engine = open_engine(self._plan.settings)
            self._naming = Naming(self._plan.names, self._keys)
            raise InvalidDicom(f"it took longer than {seconds:.3g} s") from None
        except Unavailable:
            raise InvalidDicom(_CUT) from None

    def _guarded(self, source: Source) -> Cleaned:
        """Clean one object; whatever else goes wrong is the object's own fault, told by type and place."""
        try:
            return self._cleaned(source)
        except BadInput:
            _refuse_directory(source)
            raise
        except (ScanwardError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - this is the door that keeps the batch going
            raise InvalidDicom(f"the engine could not take it: {unexpected(error).message}") from None

    def _cleaned(self, source: Source) -> Cleaned:
        return self.engine.clean_file(source.fileno(), source.size)

    def _names(self, finished: Sequence[Finished]) -> list[str]:
        return [""] * len(finished) if self._plan.dry else self._outputs.commit()

    def _deliver(self, tally: Tally, one: Finished, output: str) -> None:
        if not output and not self._plan.dry:
            self._note(tally, one.entry, Outcome.REJECTED, _EXISTS)
            return
        tally.outcomes[Outcome.DEIDENTIFIED] += 1
        tally.sop_classes[one.cleaned.sop_class_uid] += 1
        tally.warnings.update(fault.rule for fault in one.cleaned.warnings)
        if self._plan.rows:
            tally.rows.append(Row(one.entry.relative, self._rows.delivered(output, one.cleaned, one.seconds)))

    def _refuse(self, tally: Tally, entry: Entry, outcome: Outcome, error: BadInput) -> None:
        self._note(tally, entry, outcome, error.message, error)

    def _note(
        self, tally: Tally, entry: Entry, outcome: Outcome, reason: str, error: BadInput | None = None
    ) -> None:
        tally.outcomes[outcome] += 1
        tally.notes.append(Note(entry.relative, outcome, reason))
        if self._plan.rows:
            faults = error.faults if error else ()
            tally.rows.append(
                Row(entry.relative, self._rows.refused(entry.relative, outcome, reason, faults))
            )


def run_batch(plan: Plan, entries: Sequence[Entry]) -> Tally:
    """Run a batch in whatever process or thread this is; a plan's engine is opened once in each."""
    return worker_of(plan).run(entries)


def worker_of(plan: Plan) -> Worker:
    """Return this thread's worker for a plan; the engine stays open from one run of it to the next."""
    worker: Worker | None = getattr(_local, "worker", None)
    if worker is None or not worker.serves(plan):
        worker = _local.worker = _new_worker(plan)
    return worker


def _new_worker(plan: Plan) -> Worker:
    if not plan.to_bucket:
        return Worker(plan)
    from scanward.entrypoints.cli.batch.delivering import BucketWorker  # noqa: PLC0415 - boto3 is slow to import

    return BucketWorker(plan)


def site_secret(plan: Plan) -> bytes:
    """Return the site's secret as this machine has it. Raises Misconfigured if it is not the run's."""
    secrets = open_secrets(plan.settings)
    if not secrets.exists:
        raise Misconfigured("A worker has no key file; give each machine the same SCANWARD_KEY_FILE.")
    if secrets.fingerprint() != plan.fingerprint:
        raise Misconfigured("A worker has another site's secret; give each machine the same key file.")
    return secrets.site_secret()


def policy(plan: Plan, engine: Engine) -> str:
    """Return what an output and its name depend on besides the input."""
    return f"{engine.release} {plan.names}"


def _outcome(error: BadInput) -> Outcome:
    if isinstance(error, Quarantined):
        return Outcome.QUARANTINED
    rules = {fault.rule for fault in error.faults if fault.severity == "reject"}
    return Outcome.SKIPPED if rules and rules <= _NOT_DICOM | {"dicomdir"} else Outcome.REJECTED


def _refuse_directory(source: Source) -> None:
    """Say of a DICOMDIR that it is one: it lists the patients of a medium, and is no object (PS3.10 8.6)."""
    try:
        directory = check(source.view).is_directory
    except (InvalidDicom, Unavailable):
        directory = _DIRECTORY_UID in source.head(_META_BYTES)
    if directory:
        raise InvalidDicom(DIRECTORY.message, faults=(replace(DIRECTORY, severity="reject"),)) from None


def _count_changes(changes: Counter[tuple[tuple[str, str], ...]], tally: Tally) -> None:
    for paths, count in changes.items():
        for tag in {path.rpartition(".")[2] for path, action in paths if action != "P"}:
            tally.changed[tag] += count
