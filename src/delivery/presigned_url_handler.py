"""The documented path of `PresignedUrlHandler`."""

from scanward.adapters.aws.presigned_url import PresignedUrlHandler

__all__ = ["PresignedUrlHandler"]
