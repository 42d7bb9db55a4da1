"""The site's secret in AWS Secrets Manager."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import code_of, translated
from scanward.deidentify.secret import LENGTH, SiteSecrets, decode_digits
from scanward.errors import BadInput, Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_NOT_THERE = "ResourceNotFoundException"
_WHAT = "site's secret"
_FIRST = "scanward-first-value-of-the-site-secret"
"""The token of the first value. A second one under the same token is refused, so that of many processes that
come first, one makes the secret."""


class SecretsManagerSecrets(SiteSecrets):
    """Secrets from one secret of Secrets Manager: 64 hex digits, an exported line, or 32 bytes.

    A secret that exists without a value gets one at first use; the secret itself is the stack's to make.
    """

    def __init__(self, arn: str, manager: SecretsManagerClient | None = None) -> None:
        """Remember where the secret is; nothing is read or made yet."""
        super().__init__(self._read_or_make)
        self._arn = arn
        self._given = manager

    @property
    def exists(self) -> bool:
        """Return whether the secret has a value. Raises Refused or Unavailable."""
        return self._value() is not None

    @property
    def _manager(self) -> SecretsManagerClient:
        return self._given or client("secretsmanager")

    def _read_or_make(self) -> bytes:
        found = self._value()
        if found is None:
            self._make()
            found = self._value()
        if found is None:
            raise Misconfigured(
                "The site's secret was given a value that does not appear; look at it in AWS."
            )
        return found

    def _value(self) -> bytes | None:
        """Return the current value, None if there is none. Raises Misconfigured for what is no secret."""
        with translated(_WHAT):
            try:
                answer = self._manager.get_secret_value(SecretId=self._arn)
            except ClientError as error:
                if code_of(error) != _NOT_THERE:
                    raise
                return None
        try:
            return _decoded(answer.get("SecretString"), answer.get("SecretBinary", b""))
        except BadInput:
            raise Misconfigured(
                "What Secrets Manager holds as the site's secret is none: 64 hex digits are needed."
            ) from None

    def _make(self) -> None:
        """Give the secret its first value, unless another process was quicker."""
        with translated(_WHAT):
            try:
                self._manager.put_secret_value(
                    SecretId=self._arn, ClientRequestToken=_FIRST, SecretString=os.urandom(LENGTH).hex()
                )
            except ClientError as error:
                if code_of(error) == _NOT_THERE:
                    raise Misconfigured(
                        "There is no such secret in Secrets Manager: deploy the stack, or set "
                        "SCANWARD_AWS_SITE_SECRET_ARN to the right one."
                    ) from None
                if code_of(error) != "ResourceExistsException":
                    raise


def _decoded(text: str | None, raw: bytes) -> bytes:
    if text is not None:
        return decode_digits(text.strip())
    if len(raw) != LENGTH:
        raise BadInput(f"a site's secret has {LENGTH} bytes")
    return raw
