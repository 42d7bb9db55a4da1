"""Names of executions: a keyed hash of the object's version, so that a name tells nobody what it names.

The key is a secret of its own: whoever may name executions cannot make pseudonyms, and the other way round.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import translated
from scanward.errors import BadInput, Misconfigured
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_DIGITS = 40
_LEAST_KEY = 16
_OF_ATTEMPT = re.compile(rf"([0-9a-f]{{{_DIGITS}}})-([1-9][0-9]{{0,5}})")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_UNVERSIONED = "null"  # S3's version of what was there before the bucket kept versions


def naming_key(secret_arn: str, secrets: SecretsManagerClient | None = None) -> bytes:
    """Read the naming key. Raises Misconfigured, Refused, NotFound or Unavailable."""
    if not secret_arn:
        raise Misconfigured("SCANWARD_AWS_NAMING_SECRET_ARN is not set; that secret names executions.")
    with translated("naming secret"):
        answer = (secrets or client("secretsmanager")).get_secret_value(SecretId=secret_arn)
    key = answer["SecretString"].encode() if "SecretString" in answer else answer["SecretBinary"]
    if len(key) < _LEAST_KEY:
        raise Misconfigured(f"The naming secret is too short; it needs at least {_LEAST_KEY} bytes.")
    return key


def execution_name(key: bytes, reference: Reference, attempt: int = 1) -> str:
    """Return the name of an object version's execution: 40 hex digits, `-<attempt>` from the second on.

    Where a bucket keeps no versions the ETag stands for the version, so that other bytes are another name.
    """
    version = "" if reference.version_id == _UNVERSIONED else reference.version_id
    named = json.dumps([reference.bucket, reference.key, version or reference.etag.strip('"')])
    digits = hmac.new(key, named.encode(), hashlib.sha256).hexdigest()[:_DIGITS]
    return attempt_name(digits, attempt)


def attempt_name(execution_id: str, attempt: int) -> str:
    """Return the name that Step Functions knows an attempt by."""
    return execution_id if attempt == 1 else f"{execution_id}-{attempt}"


def split_name(name: str) -> tuple[str, int]:
    """Return id and attempt of a name or of an execution's ARN. Raises BadInput for what is no name.

    An execution that somebody started by hand, under a name of his own, is its own first attempt.
    """
    last = name.rpartition(":")[2]
    if not _NAME.fullmatch(last):
        raise BadInput("An execution's name is at most 80 letters, digits, `-` and `_`.")
    found = _OF_ATTEMPT.fullmatch(last)
    return (found[1], int(found[2])) if found else (last, 1)
