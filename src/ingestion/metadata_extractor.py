"""The documented path of `MetadataExtractor`."""

from scanward.dicom.metadata import MetadataExtractor

__all__ = ["MetadataExtractor"]
