"""Settings for a command: the environment, and on top of it what the command line says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import ValidationError

from scanward.errors import BadInput
from scanward.settings import AwsSettings, Settings

_SECRET = frozenset({"start_token"})
PREFIX = "SCANWARD_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as `scanward config show` tells it."""

    name: str
    value: str
    source: str
    description: str


def read_settings(**changed: object) -> Settings:
    """Return the settings. Raises BadInput with every setting that is wrong, without its value."""
    try:
        return Settings(**{name: value for name, value in changed.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks each
    except ValidationError as error:
        problems = "; ".join(_problem(one["loc"], one["type"]) for one in error.errors())
        raise BadInput(f"A setting is wrong: {problems}.") from None


def read_aws_settings() -> AwsSettings:
    """Return where the line is on AWS. Raises BadInput as above."""
    try:
        return AwsSettings()
    except ValidationError as error:
        problems = "; ".join(_problem(("aws_" + str(one["loc"][0]),), one["type"]) for one in error.errors())
        raise BadInput(f"A setting is wrong: {problems}.") from None


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    return f"{PREFIX}{str(location[0]).upper()} ({kind.replace('_', ' ')})"


def shown(settings: Settings, changed: frozenset[str] = frozenset()) -> Iterator[Setting]:
    """Yield every setting with where it comes from; secrets are hidden."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        variable = f"{PREFIX}{name.upper()}"
        if name in changed:
            source = "command line"
        else:
            source = variable if variable in os.environ or variable.lower() in os.environ else "default"
        yield Setting(variable, _value_text(name, value), source, field.description or "")


def _value_text(name: str, value: object) -> str:
    if name in _SECRET:
        return "(none)" if value is None else "(empty)" if not value else "(set, hidden)"
    if name == "database_url" and value:
        parts = urlsplit(str(value))
        return parts._replace(
            netloc=f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}", query=""
        ).geturl()
    return str(value)
