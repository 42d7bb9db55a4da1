"""Implementations of the ports; the only place that knows a disk, a database or a cloud."""
