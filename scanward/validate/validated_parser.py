"""Parsing that answers for what it returns: gate, rules and metadata model in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydicom import Dataset

from scanward.dicom.metadata import MetadataExtractor
from scanward.dicom.parser import DICOMParser
from scanward.dicom.structure import check, open_object
from scanward.errors import Fault, Severity, ValidationFailed
from scanward.validate.rules import raise_rejected, validate
from scanward.validate.schemas import DICOMMetadataModel

__all__ = ["Validated", "ValidatedParser"]


@dataclass(frozen=True, slots=True)
class Validated:
    """A data set that passed, its metadata, and the rules that it breaks without harm."""

    dataset: Dataset
    metadata: DICOMMetadataModel
    warnings: tuple[Fault, ...]


class ValidatedParser:
    """Parses objects and refuses those that break a rule of severity "reject"."""

    def __init__(self, severities: Mapping[str, Severity] | None = None) -> None:
        """Take severities by rule over the defaults, as the setting `rules` does."""
        self._severities = severities or {}
        self._parser = DICOMParser()

    def parse_file(self, file_path: str | Path) -> Validated:
        """Return what a file holds. Raises InvalidDicom, and ValidationFailed with every fault."""
        with open_object(file_path) as opened:
            faults = self._faults(opened.view)
        return _validated(self._parser.parse_file(file_path), faults)

    def parse_bytes(self, dicom_bytes: bytes) -> Validated:
        """Return what an object in memory holds. Raises as `parse_file` does."""
        faults = self._faults(memoryview(dicom_bytes))
        return _validated(self._parser.parse_bytes(dicom_bytes), faults)

    def _faults(self, view: memoryview) -> tuple[Fault, ...]:
        structure = check(view)
        faults = structure.warnings + validate(view, structure, self._severities)
        raise_rejected(faults)
        return faults


def _validated(dataset: Dataset, faults: tuple[Fault, ...]) -> Validated:
    sections = MetadataExtractor().extract_metadata(dataset)
    try:
        return Validated(dataset, DICOMMetadataModel(**sections), faults)
    except ValidationError as error:
        fields = [".".join(map(str, place["loc"])) for place in error.errors(include_input=False)]
    raise ValidationFailed(f"Metadata without a valid {', '.join(fields)}", faults=faults)
