"""Takes the patient out of an object and puts the output."""

from scanward.entrypoints.aws_lambda.handlers import DeidentificationHandler

__all__ = ["lambda_handler"]

lambda_handler = DeidentificationHandler()
