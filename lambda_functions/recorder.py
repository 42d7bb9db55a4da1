"""Keeps the executions' rows true to Step Functions."""

from scanward.entrypoints.aws_lambda.recorder import lambda_handler

__all__ = ["lambda_handler"]
