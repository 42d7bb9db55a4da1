"""Starts an execution for each new object of the raw bucket."""

from scanward.entrypoints.aws_lambda.starter import lambda_handler

__all__ = ["lambda_handler"]
