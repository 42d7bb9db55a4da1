"""The documented path of `StepFunctionsHandler`."""

from scanward.adapters.aws.step_functions import StepFunctionsHandler

__all__ = ["StepFunctionsHandler"]
