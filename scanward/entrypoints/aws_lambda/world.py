"""What the functions work with, made once a process and when it is first asked for: a cold start is short."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from scanward import wiring
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom.structure import Bounds
from scanward.entrypoints.cli.batch.naming import Naming
from scanward.errors import Severity
from scanward.ports.secrets import Secrets
from scanward.settings import AwsSettings, Settings
from scanward.validate import severities_of

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
        return wiring.open_bounds(self.settings)

    @cached_property
    def severities(self) -> Mapping[str, Severity]:
        """Return each rule's severity. Raises Misconfigured."""
        return severities_of(self.settings.rules)

    @cached_property
    def keys(self) -> Keys:
        """Return the pseudonyms' keys. Raises Misconfigured, Refused or Unavailable."""
        secret = self._secrets.site_secret()
        return Keys(secret, self.settings.domain, digits=self.settings.patient_id_digits)

    @cached_property
    def engine(self) -> Engine:
        """Return the engine. Raises BadInput for a tag to preserve that identifies people, and as `keys`."""
        profile = load(self.settings.profile).preserving(tuple(_TAGS.findall(self.aws.preserve_tags)))
        return Engine(profile, self.keys, bounds=self.bounds)

    @cached_property
    def naming(self) -> Naming:
        """Return what names outputs."""
        return Naming(self.settings.deid_keys, self.keys)

    @property
    def _secrets(self) -> Secrets:
        if not self.aws.site_secret_arn:
            return wiring.open_secrets(self.settings)
        from scanward.adapters.aws.secrets_manager import SecretsManagerSecrets  # noqa: PLC0415 - one function of the four needs it

        return SecretsManagerSecrets(self.aws.site_secret_arn)


_known: list[World] = []


def world() -> World:
    """Return this process's world; a new one where a setting has changed, as between two tests."""
    settings, aws = Settings(), AwsSettings()
    if not _known or (_known[0].settings, _known[0].aws) != (settings, aws):
        _known[:] = [World(settings, aws)]
    return _known[0]
