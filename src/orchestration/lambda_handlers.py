"""The documented path of the Lambda handlers and of their decorator."""

from scanward.entrypoints.aws_lambda.handlers import (
    DeidentificationHandler,
    IngestionHandler,
    ValidationHandler,
)
from scanward.entrypoints.aws_lambda.wrapper import lambda_handler_wrapper

__all__ = ["DeidentificationHandler", "IngestionHandler", "ValidationHandler", "lambda_handler_wrapper"]
