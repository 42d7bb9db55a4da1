"""The documented de-identifier: takes the patient out of a data set in memory or of a file.

What is removed, emptied or replaced is not listed here: it is Table E.1-1 of PS3.15 in
`scanward/deidentify/data/ps315_e1_1_*.csv`, read under the profile
`scanward/deidentify/data/profiles/*.yaml`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from scanward.deidentify import profile as profiles
from scanward.deidentify import secret as site
from scanward.deidentify.keys import Keys
from scanward.deidentify.memory import clean_in_memory
from scanward.deidentify.policy import Policy
from scanward.deidentify.profile import Tag
from scanward.dicom.pieces import Piece, write_pieces
from scanward.dicom.structure import open_object
from scanward.settings import Settings

__all__ = ["Deidentifier"]


class Deidentifier:
    """De-identifies under one profile and the site's secret; refuses what cannot be proven clean."""

    def __init__(
        self,
        preserve_tags: Sequence[Tag] | None = None,
        *,
        profile: str | Path | profiles.Profile = "hipaa-safe-harbor",
        secret: bytes | None = None,
        domain: str | None = None,
        force_preserve: bool = False,
    ) -> None:
        """Choose profile and key.

        preserve_tags: attributes to keep on top of the profile, as `PatientSex`, `(0008,0070)`, `00080070`
        or (group, element); None: the diagnostic attributes that the profile keeps anyway. An identifier is
        refused (BadInput) unless `force_preserve`; either way the output records it. secret: 32 bytes;
        None: the site's.
        """
        chosen = profile if isinstance(profile, profiles.Profile) else profiles.load(profile)
        self.profile = chosen.preserving(tuple(preserve_tags or ()), force=force_preserve)
        self._given = secret
        self._domain = domain
        self._policy = Policy(self.profile)

    def deidentify_dataset(
        self, dataset: Dataset, patient_id: str | None = None
    ) -> tuple[Dataset, list[str]]:
        """Return a de-identified copy and what was removed, emptied or replaced: keywords in tag order.

        Private attributes are named `(gggg,eeee)`. The input is not changed. patient_id: the new PatientID;
        None: a keyed pseudonym. Raises InvalidDicom and Quarantined.
        """
        new, changes = clean_in_memory(dataset, self._policy, self._keys_for(patient_id))
        if patient_id is not None and "PatientID" not in new:
            new.PatientID = patient_id
        return new, _names(changes)

    def deidentify_file(
        self, input_path: str | Path, output_path: str | Path, patient_id: str | None = None
    ) -> list[str]:
        """De-identify a DICOM file into another; return what `deidentify_dataset` names.

        The output appears whole or not at all. Raises InvalidDicom if the gate refuses the input, and
        Quarantined.
        """
        from scanward.deidentify.engine import Engine  # noqa: PLC0415 - the byte path is loaded when a file comes

        engine = Engine(self.profile, self._keys_for(patient_id))
        with open_object(Path(input_path)) as opened:
            cleaned = engine.clean(opened.view)
            _write(cleaned.pieces, opened.fileno(), Path(output_path))
        return _names(cleaned.changes)

    def _keys_for(self, patient_id: str | None) -> Keys:
        settings = self._settings
        domain = settings.domain if self._domain is None else self._domain
        return Keys(self._secret, domain, digits=settings.patient_id_digits, patient_id=patient_id or "")

    @cached_property
    def _settings(self) -> Settings:
        return Settings.model_validate({})

    @cached_property
    def _secret(self) -> bytes:
        return site.load_or_create(self._settings.key_file) if self._given is None else self._given


def _names(changes: Sequence[tuple[str, str]]) -> list[str]:
    """Return the attributes of a report's paths, each once, in tag order."""
    texts = {path.rpartition(".")[2] for path, action in changes if action != "P"}
    tags = sorted(int(text[1:5] + text[6:10], 16) for text in texts)
    return [keyword_for_tag(tag) or f"({tag >> 16:04x},{tag & 0xFFFF:04x})" for tag in tags]


def _write(pieces: Sequence[Piece], source: int, path: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".scanward-", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write_pieces(pieces, source, file.fileno())
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
