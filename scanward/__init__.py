"""Scanward takes DICOM objects in, checks them, takes the patient out, keeps them and hands them out."""

__version__ = "0.1.0"
