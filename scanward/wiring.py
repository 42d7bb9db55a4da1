"""The one module that picks adapters; it imports them when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scanward.dicom.structure import Bounds
from scanward.ports import Executions, Ports
from scanward.ports.secrets import Secrets
from scanward.settings import AwsSettings, Settings

if TYPE_CHECKING:
    from scanward.adapters.aws.backfill import Backfill
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

    return opening.open_local(settings, sweep=sweep)


def open_secrets(settings: Settings) -> Secrets:
    """Return where the site's secret is kept; nothing is read or made yet."""
    from scanward.adapters.local.secrets import FileSecrets

    return FileSecrets(settings.key_file)


def open_bounds(settings: Settings) -> Bounds:
    """Return the bounds of one object."""
    return Bounds(
        object_bytes=settings.max_object_bytes,
        inflated_bytes=settings.max_inflated_bytes,
        inflate_ratio=settings.max_inflate_ratio,
    )


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
    from scanward.adapters.aws.opening import open_executions as on_aws

    return on_aws(aws or AwsSettings())


def open_backfill(aws: AwsSettings) -> Backfill:
    """Return the machine that sends a whole bucket through the line on AWS. Raises Misconfigured."""
    from scanward.adapters.aws.backfill import Backfill

    return Backfill(aws.backfill_arn, aws.raw_bucket)
