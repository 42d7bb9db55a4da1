"""What the functions work with, made once a process and when it is first asked for: a cold start is short.

The engine, its profile and pydicom's dictionary take most of a second to import, and only two functions
need them.
"""
# ruff: noqa: PLC0415 - each function imports what it needs, when it needs it

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from scanward import wiring
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.dicom.structure import Bounds
from scanward.errors import BadInput, Misconfigured, Severity
from scanward.settings import AwsSettings, Settings

if TYPE_CHECKING:
    from scanward.deidentify.engine import Engine
    from scanward.deidentify.keys import Keys
    from scanward.entrypoints.naming import Naming

__all__ = ["World", "world"]

_TAGS: Final = re.compile(r"\([0-9A-Fa-f]{4},\s*[0-9A-Fa-f]{4}\)|[^\s,;]+")


@dataclass(frozen=True)
class World:
    """One process's settings and what follows from them. For one thread at a time, as Lambda calls."""

    settings: Settings
    aws: AwsSettings

    @cached_property
    def raw(self) -> S3Objects:
        """Return what reads uploads and writes quarantine."""
        return S3Objects(kms_key=self.aws.raw_kms_key, simple_bytes=self.aws.simple_bytes)

    @cached_property
    def processed(self) -> S3Objects:
        """Return what reads and writes outputs."""
        return S3Objects(kms_key=self.aws.processed_kms_key, simple_bytes=self.aws.simple_bytes)

    @cached_property
    def bounds(self) -> Bounds:
        """Return the bounds of one object."""
        return replace(wiring.open_bounds(self.settings), object_bytes=self.aws.max_object_bytes)

    @cached_property
    def severities(self) -> Mapping[str, Severity]:
        """Return each rule's severity. Raises Misconfigured."""
        from scanward.validate import severities_of

        return severities_of(self.settings.rules)

    @cached_property
    def keys(self) -> Keys:
        """Return the pseudonyms' keys. Raises Misconfigured, Refused or Unavailable."""
        from scanward.deidentify.keys import Keys

        # The stack's secret where SCANWARD_AWS_SITE_SECRET_ARN is set, else the key file.
        secret = wiring.open_secrets(self.settings).site_secret()
        return Keys(secret, self.settings.domain, digits=self.settings.patient_id_digits)

    @cached_property
    def engine(self) -> Engine:
        """Return the engine. Raises Misconfigured, also for a tag to preserve that identifies people."""
        from scanward.deidentify.engine import Engine
        from scanward.deidentify.profile import load

        tags = tuple(_TAGS.findall(self.aws.preserve_tags))
        try:
            profile = load(self.settings.profile).preserving(tags)
        except BadInput as error:
            raise Misconfigured(f"SCANWARD_AWS_PRESERVE_TAGS: {error.message}.") from None
        return Engine(profile, self.keys, bounds=self.bounds)

    @cached_property
    def naming(self) -> Naming:
        """Return what names outputs."""
        from scanward.entrypoints.naming import Naming

        return Naming(self.settings.deid_keys, self.keys)


_known: list[World] = []


def world() -> World:
    """Return this process's world; a new one where a setting has changed, as between two tests."""
    settings, aws = Settings(), AwsSettings()
    if not _known or (_known[0].settings, _known[0].aws) != (settings, aws):
        _known[:] = [World(settings, aws)]
    return _known[0]
