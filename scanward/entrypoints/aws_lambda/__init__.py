"""Doors of AWS Lambda: one function a module, each thin; the work is the line's own."""
