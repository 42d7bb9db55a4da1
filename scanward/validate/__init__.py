"""Names every fault of an object at once, by rules that a site may harden; knows the object, no port."""

from scanward.validate.rulebook import severities_of
from scanward.validate.rules import raise_rejected, validate

__all__ = ["raise_rejected", "severities_of", "validate"]
