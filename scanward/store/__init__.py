"""Keeps objects: names and zones, what comes in and what goes out. The only stage that writes objects."""
