"""The one module that picks adapters; it imports them when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanward.dicom.structure import Bounds
from scanward.ports import Ports
from scanward.ports.secrets import Secrets
from scanward.settings import Settings

if TYPE_CHECKING:
    from scanward.deidentify.engine import Engine
    from scanward.pipeline import Line


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
