"""AWS's refusals as our errors: by code only, because its texts hold keys and values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from scanward.errors import BadInput, Misconfigured, NotFound, Refused, ScanwardError, Unavailable

_MISSING = frozenset({
    "404", "ExecutionDoesNotExist", "NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound",
    "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "ResourceNotFoundException",
    "StateMachineDoesNotExist",
})  # fmt: skip
_REFUSED = frozenset({
    "401", "403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "AllAccessDisabled",
    "KMS.AccessDeniedException", "UnauthorizedOperation",
})  # fmt: skip
_CREDENTIALS = frozenset({
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
_TRANSIENT = frozenset({
    "BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch",  # a body that was changed on its way
    "InternalError", "InternalFailure", "InternalServerError", "LimitExceededException", "OperationAborted",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestTimeout",
    "RequestTimeTooSkewed", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "TransactionConflictException",
})  # fmt: skip
_SERVER_ERROR = 500


def code_of(error: ClientError) -> str:
    """Return AWS's error code, such as NoSuchKey."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our error for AWS's. `what` names the thing asked for, without a patient's value."""
    try:
        yield
    except ClientError as error:
        raise _of(error, what) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise Misconfigured("No AWS credentials were found; configure them as for the AWS CLI.") from None
    except ParamValidationError:
        raise BadInput(f"What was asked of {what} is not what AWS takes; check names and types.") from None
    except BotoCoreError as error:
        raise Unavailable(f"AWS did not answer for {what} ({type(error).__name__}); try again.") from None


def _of(error: ClientError, what: str) -> ScanwardError:
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING:
        return NotFound(f"There is no {what} ({code}).")
    if code in _REFUSED:
        return Refused(f"AWS denies access to {what} ({code}); check the role's policy and the key's.")
    if code in _CREDENTIALS:
        return Misconfigured(f"AWS does not accept the credentials ({code}).")
    if code in _TRANSIENT or status >= _SERVER_ERROR:
        return Unavailable(f"AWS could not answer for {what} ({code}); try again.")
    return Misconfigured(f"AWS refused what was asked of {what} ({code}).")
