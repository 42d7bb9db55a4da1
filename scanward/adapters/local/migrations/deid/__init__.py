"""Revisions of schema `deid`."""
