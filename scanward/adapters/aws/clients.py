"""Clients of AWS, one a service and process, made when they are first asked for."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError, ProfileNotFound
from botocore.loaders import Loader
from botocore.session import get_session

from scanward.errors import Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_medical_imaging import HealthImagingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# Only whole requests are retried; a body that is cut in the middle is resumed by its reader.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=5,
    read_timeout=60,
    signature_version="v4",
)
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))
# A URL that is signed in the other style names the global endpoint, which answers for one region only.
_SIGNER_CONFIG = _S3_CONFIG.merge(Config(s3={"addressing_style": "virtual"}))


@overload
def client(service: Literal["cloudwatch"]) -> CloudWatchClient: ...
@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["logs"]) -> CloudWatchLogsClient: ...
@overload
def client(service: Literal["medical-imaging"]) -> HealthImagingClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["sns"]) -> SNSClient: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
@overload
def client(service: Literal["stepfunctions"]) -> SFNClient: ...
@cache
def client(service: Any) -> Any:
    """Return this process's client; region, credentials and endpoint are found as boto3 finds them."""
    return new_client(service)


# A forked process must not speak on its parent's connections.
os.register_at_fork(after_in_child=client.cache_clear)  # type: ignore[attr-defined]  # overloads hide it


def new_client(
    service: Any,  # noqa: ANN401 - boto3 knows its clients by name only
    region_name: str | None = None,
    key_id: str | None = None,
    secret_key: str | None = None,
) -> Any:  # noqa: ANN401
    """Return a client of its own region and keys, as the documented handlers take them."""
    config = _S3_CONFIG if service == "s3" else _CONFIG
    return _made(service, region_name, key_id, secret_key, config)


def signing_client(
    region_name: str | None = None, key_id: str | None = None, secret_key: str | None = None
) -> S3Client:
    """Return a client of S3 whose presigned URLs name the region's own endpoint.

    Another endpoint than AWS's (AWS_ENDPOINT_URL) is addressed by path: its host may have no names below.
    """
    made: S3Client = new_client("s3", region_name, key_id, secret_key)
    host = urlsplit(made.meta.endpoint_url).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        made = _made("s3", region_name, key_id, secret_key, _SIGNER_CONFIG)
    return made


@cache
def _loader() -> Loader:
    """Return what has read botocore's own files; each client would read all services' regions again."""
    return Loader()


def _made(
    service: Any,  # noqa: ANN401 - as above
    region_name: str | None,
    key_id: str | None,
    secret_key: str | None,
    config: Config,
) -> Any:  # noqa: ANN401
    found = get_session()
    try:
        session = boto3.session.Session(botocore_session=found)
        found.register_component("data_loader", _loader())
        return session.client(
            service,
            region_name=region_name,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret_key,
            config=config,
        )
    except NoRegionError:
        raise Misconfigured("No AWS region is set: set AWS_DEFAULT_REGION, or one in the profile.") from None
    except ProfileNotFound:
        raise Misconfigured("There is no AWS profile of the name that AWS_PROFILE says.") from None
