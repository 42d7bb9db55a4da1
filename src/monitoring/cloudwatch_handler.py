"""The documented path of `CloudWatchHandler`."""

from scanward.adapters.aws.cloudwatch import CloudWatchHandler

__all__ = ["CloudWatchHandler"]
