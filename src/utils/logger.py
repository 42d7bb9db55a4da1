"""The path of the structured log in the README's tree: `configure()` once, `logger(__name__)` a module."""

from scanward.logs import bound, configure, logger

__all__ = ["bound", "configure", "logger"]
