"""The one module that picks adapters; it imports them when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from scanward.dicom.structure import Bounds
from scanward.errors import Misconfigured
from scanward.ports import Executions, Ports
from scanward.ports.decoder import Decoder
from scanward.ports.secrets import Secrets
from scanward.settings import AwsSettings, Settings

if TYPE_CHECKING:
    from scanward.adapters.aws.backfill import Backfill
    from scanward.adapters.aws.executions import DynamoExecutions
    from scanward.adapters.aws.s3_objects import S3Objects
    from scanward.deidentify.engine import Engine
    from scanward.pipeline import Line


Engines = Literal["local", "aws"]

WORKER_MODULES = ("scanward.adapters.local.opening", "sqlalchemy.dialects.sqlite")
"""What every worker will import: the process that they are forked from does it once for all."""


def open_ports(settings: Settings, *, sweep: bool = True) -> Ports:
    """Open a site: store, catalog (upgraded if older), key; sweep what a crash left.

    The sweep is left out while another process has the store open. Raises Misconfigured, Unavailable
    or OutOfSpace.
    """
    from scanward.adapters.local import opening

    if settings.object_store:
        return _open_on_s3(settings, sweep=sweep)
    return opening.open_local(settings, open_secrets(settings), sweep=sweep)


def _open_on_s3(settings: Settings, *, sweep: bool) -> Ports:
    """Open a site whose objects are in S3; everything else is as it is without."""
    from scanward.adapters.local import opening

    with _needing_aws():
        from scanward.adapters.aws.clients import signing_client
        from scanward.adapters.aws.links import S3Links
        from scanward.adapters.aws.object_store import S3ObjectStore
        from scanward.adapters.aws.s3_objects import S3Objects

    bucket, prefix = s3_place(settings.object_store)
    objects = S3Objects(kms_key=settings.object_store_kms_key)
    staging = opening.open_staging(settings)
    store = S3ObjectStore(objects, bucket, prefix, staging)
    store.require_bucket()
    remote = opening.Remote(store, staging)
    ports = opening.open_local(settings, open_secrets(settings), sweep=sweep, remote=remote)
    if sweep:
        store.abort_stale()
    return replace(ports, links=S3Links(ports.links, store, signing_client(), ports.clock))


def s3_place(address: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`; the prefix ends with a slash or is empty.

    Raises Misconfigured.
    """
    bucket, _, path = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise Misconfigured("SCANWARD_OBJECT_STORE is of the form s3://bucket/prefix.")
    prefix = path.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def open_objects() -> S3Objects:
    """Return a command's way to read objects in S3."""
    with _needing_aws():
        from scanward.adapters.aws.s3_objects import S3Objects
    return S3Objects()


@contextmanager
def _needing_aws() -> Iterator[None]:
    """Say what to install where AWS's library is asked for and missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"boto3", "botocore"}:
            raise
        raise Misconfigured("This needs AWS's library: install scanward[aws].") from None


def open_secrets(settings: Settings) -> Secrets:
    """Return where the site's secret is kept; nothing is read or made yet."""
    from scanward.adapters.local.secrets import FileSecrets

    arn = AwsSettings().site_secret_arn
    if not arn:
        return FileSecrets(settings.key_file)
    with _needing_aws():
        from scanward.adapters.aws.secrets_manager import SecretsManagerSecrets
    return SecretsManagerSecrets(arn)


def open_bounds(settings: Settings) -> Bounds:
    """Return the bounds of one object."""
    return Bounds(
        object_bytes=settings.max_object_bytes,
        inflated_bytes=settings.max_inflated_bytes,
        inflate_ratio=settings.max_inflate_ratio,
    )


def open_decoder() -> Decoder:
    """Return where codecs run: in children, which are started when something is to be decoded."""
    from scanward.adapters.local.decoder import ChildDecoder

    return ChildDecoder()


def open_engine(settings: Settings, secrets: Secrets | None = None) -> Engine:
    """Return a de-identification engine of the site's profile, key and domain; one a process."""
    from scanward.deidentify.engine import Engine
    from scanward.deidentify.keys import Keys
    from scanward.deidentify.profile import load

    secret = (secrets or open_secrets(settings)).site_secret()
    keys = Keys(secret, settings.domain, digits=settings.patient_id_digits)
    return Engine(load(settings.profile), keys, bounds=open_bounds(settings))


def open_line(settings: Settings, ports: Ports) -> Line:
    """Return what an object meets on its way, for one worker. Raises Misconfigured, also for a wrong rule."""
    from scanward.pipeline import Line
    from scanward.validate import severities_of

    severities = severities_of(settings.rules)
    return Line(ports, open_engine(settings, ports.secrets), severities, open_bounds(settings))


def open_executions(engine: Engines, settings: Settings, aws: AwsSettings | None = None) -> Executions:
    """Return the executions of this machine's line or of the one on AWS. Raises Misconfigured."""
    if engine == "local":
        return open_ports(settings, sweep=False).executions
    return open_aws_executions(aws or AwsSettings())


def open_aws_executions(aws: AwsSettings) -> DynamoExecutions:
    """Return the executions on AWS, with the objects that its starter ignored. Raises Misconfigured."""
    from scanward.adapters.aws.opening import open_executions

    return open_executions(aws)


def open_backfill(aws: AwsSettings) -> Backfill:
    """Return the machine that sends a whole bucket through the line on AWS. Raises Misconfigured."""
    from scanward.adapters.aws.backfill import Backfill

    return Backfill(aws.backfill_arn, aws.raw_bucket)
