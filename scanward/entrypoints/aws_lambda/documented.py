"""What only the documented answers need: metadata held against the models, and the names of removed tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydicom.datadict import keyword_for_tag

from scanward.errors import BadInput, Fault, ValidationFailed
from scanward.validate.schemas import AcquisitionModel, ImageModel, PatientModel, SeriesModel, StudyModel

__all__ = ["removed_tags", "valid_metadata"]

_RULE: Final = "metadata-form"


class _Sections(BaseModel):
    """`DICOMMetadataModel` as the handler's printed input has it: without an image if none is given."""

    model_config = ConfigDict(hide_input_in_errors=True)

    patient: PatientModel
    study: StudyModel
    series: SeriesModel
    image: ImageModel | None = None
    acquisition: AcquisitionModel | None = None


def valid_metadata(given: object) -> dict[str, Any]:
    """Return metadata as the models read it, what was not given left out. Raises ValidationFailed."""
    if not isinstance(given, Mapping):
        raise BadInput("`metadata` is an object with the sections patient, study and series.")
    try:
        return _Sections.model_validate(dict(given)).model_dump(exclude_unset=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    faults = tuple(Fault(_RULE, _words(one["type"]), path=".".join(map(str, one["loc"]))) for one in found)
    named = ", ".join(fault.path for fault in faults)
    raise ValidationFailed(f"Metadata without a valid {named}", faults=faults)


def removed_tags(changes: Sequence[tuple[str, str]]) -> list[str]:
    """Return what was removed, emptied or replaced: keywords in tag order, private tags as `(gggg,eeee)`."""
    texts = {path.rpartition(".")[2] for path, action in changes if action != "P"}
    tags = sorted(int(text[1:5] + text[6:10], 16) for text in texts)
    return [keyword_for_tag(tag) or f"({tag >> 16:04x},{tag & 0xFFFF:04x})" for tag in tags]


def _words(kind: str) -> str:
    return "is missing" if kind == "missing" else f"does not have the form of the model ({kind})"
