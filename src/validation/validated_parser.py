"""The path of the validating parser in the README's tree."""

from scanward.validate.validated_parser import Validated, ValidatedParser

__all__ = ["Validated", "ValidatedParser"]
