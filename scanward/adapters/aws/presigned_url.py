"""The documented `PresignedUrlHandler`: time-limited URLs of S3, by signature version 4 only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from scanward.adapters.aws import checks
from scanward.adapters.aws.clients import signing_client
from scanward.adapters.aws.failures import code_of
from scanward.adapters.aws.operation import operation
from scanward.errors import BadInput

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_SECONDS: Final = 7 * 24 * 3600
_DICOM: Final = "application/dicom"
_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class PresignedUrlHandler:
    """Makes URLs that let whoever holds them read or write one object of one bucket, for a limited time.

    A URL signed with a role's temporary keys ends with these keys, if that is sooner.
    """

    def __init__(
        self,
        bucket_name: str,
        region_name: str = "us-east-1",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
    ) -> None:
        """Sign for one bucket, in the bucket's own region. Without keys, boto3 looks for credentials."""
        self.bucket_name = bucket_name
        self.region_name = region_name
        self.s3_client: S3Client = signing_client(region_name, aws_access_key_id, aws_secret_access_key)

    def generate_download_url(
        self,
        object_key: str,
        expiration_seconds: int = 3600,
        response_content_type: str | None = None,
        response_content_disposition: str | None = None,
    ) -> dict[str, str]:
        """Return `url`, `expires_in` and `object_key` of a GET that S3 answers with these headers.

        Raises BadInput: 1 to 604,800 seconds, and headers that cannot be forged.
        """
        with operation(self.generate_download_url, "Download URL generated", "URL") as details:
            wanted: dict[str, Any] = {}
            if response_content_type is not None:
                wanted["ResponseContentType"] = checks.content_type(response_content_type)
            if response_content_disposition is not None:
                wanted["ResponseContentDisposition"] = checks.content_disposition(
                    response_content_disposition
                )
            signed = self._signed("get_object", object_key, expiration_seconds, wanted)
            details["expires_in"] = expiration_seconds
            return signed

    def generate_upload_url(
        self,
        object_key: str,
        expiration_seconds: int = 3600,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> dict[str, str]:
        """Return `url`, `expires_in` and `object_key` of a PUT.

        Content type and metadata are signed: the uploader must send the same `Content-Type` and
        `x-amz-meta-…` headers, or S3 refuses. Raises BadInput.
        """
        with operation(self.generate_upload_url, "Upload URL generated", "URL") as details:
            wanted: dict[str, Any] = {}
            if content_type is not None:
                wanted["ContentType"] = checks.content_type(content_type)
            if metadata:
                wanted["Metadata"] = checks.user_metadata(metadata)
            signed = self._signed("put_object", object_key, expiration_seconds, wanted)
            details["expires_in"] = expiration_seconds
            return signed

    def generate_batch_download_urls(
        self,
        object_keys: Sequence[str],
        expiration_seconds: int = 3600,
    ) -> dict[str, dict[str, str]]:
        """Return what `generate_download_url` returns for each key, by key. Raises BadInput."""
        with operation(self.generate_batch_download_urls, "Download URLs generated", "URLs") as details:
            if isinstance(object_keys, str) or not isinstance(object_keys, Sequence):
                raise BadInput("A batch is a list of object keys, not one text.")
            details["urls"] = len(object_keys)
            return {key: self._signed("get_object", key, expiration_seconds, {}) for key in object_keys}

    def validate_object_exists(self, object_key: str) -> bool:
        """Return whether the object is there. False for a missing object only.

        Raises Refused where asking is denied (S3 denies too what is missing, to a role that may not list),
        NotFound for a missing bucket, Unavailable, Misconfigured.
        """
        with operation(self.validate_object_exists, "Object looked for", "object") as details:
            details["exists"] = self._exists(object_key)
            return bool(details["exists"])

    def generate_secure_download_url(
        self,
        object_key: str,
        expiration_seconds: int = 3600,
        validate_exists: bool = True,  # noqa: FBT001, FBT002 - the documented signature
    ) -> dict[str, str] | None:
        """Return a URL that saves the object as a DICOM file of its own name, or None if it is not there."""
        with operation(self.generate_secure_download_url, "Secure URL generated", "object") as details:
            wanted = {
                "ResponseContentType": _DICOM,
                "ResponseContentDisposition": checks.disposition(
                    checks.object_key(object_key).rpartition("/")[2] or "object.dcm"
                ),
            }
            # The URL comes first, so that a wrong lifetime is told whether or not the object is there.
            signed = self._signed("get_object", object_key, expiration_seconds, wanted)
            details["exists"] = self._exists(object_key) if validate_exists else "not asked"
            return signed if details["exists"] else None

    def _signed(self, verb: str, key: str, seconds: int, wanted: dict[str, Any]) -> dict[str, str]:
        url = self.s3_client.generate_presigned_url(
            verb,
            Params={"Bucket": self.bucket_name, "Key": checks.object_key(key), **wanted},
            ExpiresIn=_lifetime(seconds),
        )
        return {"url": url, "expires_in": str(seconds), "object_key": key}

    def _exists(self, key: str) -> bool:
        try:
            self.s3_client.head_object(Bucket=self.bucket_name, Key=checks.object_key(key))
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            # A HEAD has no body to say what is missing: this one raises if it is the bucket.
            self.s3_client.head_bucket(Bucket=self.bucket_name)
            return False
        return True


def _lifetime(seconds: int) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_SECONDS:
        raise BadInput(
            f"A presigned URL lives for 1 to {LONGEST_SECONDS} whole seconds (7 days, the bound of signature "
            "version 4)."
        )
    return seconds
