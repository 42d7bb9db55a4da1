"""Holds an object against the rules."""

from scanward.entrypoints.aws_lambda.handlers import ValidationHandler

__all__ = ["lambda_handler"]

lambda_handler = ValidationHandler()
