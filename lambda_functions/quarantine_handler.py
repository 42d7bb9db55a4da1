"""Keeps an object that is at fault itself, with its reason."""

from scanward.entrypoints.aws_lambda.quarantine import QuarantineHandler

__all__ = ["lambda_handler"]

lambda_handler = QuarantineHandler()
