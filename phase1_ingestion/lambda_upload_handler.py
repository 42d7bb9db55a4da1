"""Takes an upload into HealthImaging; scanward comes by the layer."""  # noqa: INP001 - zipped alone

from scanward.entrypoints.aws_lambda.upload_handler import lambda_handler

__all__ = ["lambda_handler"]
