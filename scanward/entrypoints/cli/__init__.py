"""The command line, for people at a terminal and programs with `--json`. May know everything below it."""

from scanward.entrypoints.cli.door import main

__all__ = ["main"]
