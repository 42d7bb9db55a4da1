"""Takes a new object through the gate."""

from scanward.entrypoints.aws_lambda.handlers import IngestionHandler

__all__ = ["lambda_handler"]

lambda_handler = IngestionHandler()
