"""Watches an import of HealthImaging; scanward comes by the layer."""  # noqa: INP001 - zipped alone

from scanward.entrypoints.aws_lambda.import_monitor import lambda_handler

__all__ = ["lambda_handler"]
