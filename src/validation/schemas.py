"""The documented path of the metadata models."""

from pydantic import ValidationError

from scanward.validate.schemas import (
    AcquisitionModel,
    DICOMMetadataModel,
    ImageModel,
    PatientModel,
    SeriesModel,
    StudyModel,
)

__all__ = [
    "AcquisitionModel",
    "DICOMMetadataModel",
    "ImageModel",
    "PatientModel",
    "SeriesModel",
    "StudyModel",
    "ValidationError",
]
