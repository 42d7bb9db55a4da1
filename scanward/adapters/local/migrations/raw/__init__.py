"""Revisions of schema `raw`."""
