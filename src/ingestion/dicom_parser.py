"""The documented path of `DICOMParser`."""

from scanward.dicom.parser import DICOMParser

__all__ = ["DICOMParser"]
