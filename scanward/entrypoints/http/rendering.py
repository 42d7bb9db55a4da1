"""HTML from templates; everything that is put into one is escaped."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from scanward import __version__

_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_STEP: Final = 1000


def render(template: str, **values: object) -> str:
    """Return a page."""
    return _ENVIRONMENT.get_template(template).render(version=__version__, **values)


def readable_bytes(count: float) -> str:
    """Return a size for people: `512 bytes`, `1.3 MB`."""
    power = 0
    while count >= _STEP and power < len(_UNITS) - 1:
        count, power = count / _STEP, power + 1
    return f"{count:.0f} {_UNITS[power]}" if power == 0 else f"{count:.1f} {_UNITS[power]}"


def readable_date(date: str) -> str:
    """Return a DICOM date (PS3.5 6.2, DA) as `2004-01-19`; whatever is not one stays as it is."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date  # noqa: PLR2004 -- YYYYMMDD


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("scanward.entrypoints.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(bytes=readable_bytes, date=readable_date)
