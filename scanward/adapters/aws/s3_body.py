"""Bodies of S3 that end too early: resumed by another ranged read, which botocore does not do by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from scanward.adapters.aws.failures import code_of, translated
from scanward.errors import Misconfigured, NotFound, Unavailable
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHANGED = frozenset({"412", "PreconditionFailed"})
_DELETED = frozenset({"405", "MethodNotAllowed"})  # what S3 says of a version that is a delete marker
_OVERTAKEN = _CHANGED | {"409", "ConditionalRequestConflict"}
_TRIES = 5
_PAUSE = 0.1
_CHUNK = 256 << 10
_ENOUGH = 8 << 20  # bytes that came since the last cut, so that a long body may be cut more than five times


class Overtaken(Unavailable):
    """Another write came first, so that a conditional one changed nothing; look again at what is there."""


class Source(TypedDict):
    """How one version of an object is asked for."""

    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    IfMatch: NotRequired[str]


def pinned(ref: Reference) -> Source:
    """Return the parameters that read exactly this version, or else nothing."""
    source = Source(Bucket=ref.bucket, Key=ref.key)
    if ref.version_id:
        source["VersionId"] = ref.version_id
    if ref.etag:
        source["IfMatch"] = f'"{ref.etag}"'
    return source


@contextmanager
def reading() -> Iterator[None]:
    """Raise our errors for a read of a pinned version: Unavailable if it is no longer the one there."""
    with translated("object"):
        try:
            yield
        except ClientError as error:
            if code_of(error) == "InvalidObjectState":
                raise Misconfigured(
                    "The object is archived: restore it with `aws s3api restore-object`, then redrive."
                ) from None
            if code_of(error) in _DELETED:
                raise NotFound("The version says that the object was deleted.") from None
            if code_of(error) not in _CHANGED:
                raise
            raise Unavailable("The object was replaced while it was read; try again.") from None


@contextmanager
def writing() -> Iterator[None]:
    """Raise our errors for a write: Overtaken if its condition does not hold."""
    with translated("output"):
        try:
            yield
        except ClientError as error:
            code = code_of(error)
            if code in _OVERTAKEN:
                raise Overtaken("Another write came first; look again at what is there.") from None
            if code == "NoSuchUpload":
                raise Unavailable("The upload was ended by another; try again.") from None
            raise


def chunks(s3: S3Client, ref: Reference, offset: int, length: int) -> Iterator[bytes]:
    """Yield a range in chunks, resumed where a body is cut; less than `length` only at the object's end.

    Raises Unavailable after five cuts without progress, or if the object is no longer the pinned one.
    """
    position, end = offset, offset + length
    tries, since = _TRIES, 0
    while position < end:
        try:
            answer = _get(s3, ref, position, end)
            if answer is None:
                return
            for chunk in _wanted(answer, position, end):
                position += len(chunk)
                since += len(chunk)
                yield chunk
        except (HTTPClientError, IncompleteReadError):
            tries, since = (_TRIES if since >= _ENOUGH else tries) - 1, 0
            if not tries:
                raise Unavailable("S3 cut the object's body again and again; try again.") from None
            time.sleep(_PAUSE * 2 ** (_TRIES - tries - 1))
        else:
            return


def _wanted(answer: Any, start: int, end: int) -> Iterator[bytes]:  # noqa: ANN401 - botocore's answer
    """Yield a range of an answer's body: all of it, unless the store overlooked the range (RFC 9110 14.2)."""
    body = answer["Body"].iter_chunks(_CHUNK)
    if "ContentRange" in answer or (not start and answer["ContentLength"] <= end):
        yield from body
        return
    at = 0
    for chunk in body:
        piece = chunk[max(start - at, 0) : max(end - at, 0)]
        at += len(chunk)
        if piece:
            yield piece
        if at >= end:
            answer["Body"].close()
            return


def _get(s3: S3Client, ref: Reference, start: int, end: int) -> Any:  # noqa: ANN401 - botocore's answer
    """Ask for a range; None where the object ends before it."""
    with reading():
        try:
            if not start and end == ref.size:
                # Of a whole body botocore compares the checksum that S3 keeps.
                return s3.get_object(**pinned(ref))
            return s3.get_object(**pinned(ref), Range=f"bytes={start}-{end - 1}")
        except ClientError as error:
            if code_of(error) not in {"InvalidRange", "416"}:
                raise
            return None
