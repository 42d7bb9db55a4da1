"""Links to objects in S3: ours in every way, but the bytes come from S3 by an address of five minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scanward.adapters.aws.failures import translated
from scanward.adapters.aws.object_store import S3ObjectStore
from scanward.errors import Refused
from scanward.ports.links import Grant, Links
from scanward.ports.object_store import Zone

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from scanward.ports.clock import Clock

LONGEST_ADDRESS = 300
"""Seconds; so long a link still works that was taken back with the key it was signed with."""


class S3Links:
    """Makes and checks links as `signed` does, and says where in S3 the object of a link is."""

    def __init__(self, signed: Links, store: S3ObjectStore, s3: S3Client, clock: Clock) -> None:
        """Take what signs our links, and what signs S3's addresses."""
        self._signed = signed
        self._store = store
        self._s3 = s3
        self._clock = clock

    def make(self, zone: Zone, key: str, lifetime: timedelta, method: str = "GET") -> str:
        """Return a URL-safe token. Raises BadInput beyond 7 days, at zero, and for quarantine."""
        return self._signed.make(zone, key, lifetime, method)

    def check(self, token: str, method: str) -> Grant:
        """Return the grant. Raises Refused if forged, expired or for another method."""
        return self._signed.check(token, method)

    def address(self, grant: Grant) -> str:
        """Return an address of S3, for 300 s at most and never longer than the link. Raises NotFound."""
        left = int((grant.expires - self._clock.now()).total_seconds())
        if left < 1:
            raise Refused("The link has expired.")
        pin, _ = self._store.pin(grant.zone, grant.key)
        wanted = {"Bucket": pin.bucket, "Key": pin.key}
        if grant.method == "GET":
            wanted["ResponseContentType"] = "application/dicom"
            wanted["ResponseContentDisposition"] = f'attachment; filename="{grant.key[:16]}.dcm"'
        with translated("object"):
            return self._s3.generate_presigned_url(
                "head_object" if grant.method == "HEAD" else "get_object",
                Params=wanted,
                ExpiresIn=min(left, LONGEST_ADDRESS),
            )
