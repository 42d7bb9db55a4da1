"""The documented path of `S3Handler`."""

from scanward.adapters.aws.s3_handler import S3Handler

__all__ = ["S3Handler"]
