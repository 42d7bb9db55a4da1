"""Tables of settings and of policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import NamedTuple

from pydicom.datadict import dictionary_VR, keyword_for_tag
from rich.table import Table

from scanward.deidentify import table as standard
from scanward.deidentify.policy import Policy
from scanward.deidentify.profile import Profile, load
from scanward.entrypoints.cli.configuration import shown
from scanward.entrypoints.cli.console import out, print_json
from scanward.settings import Settings

_CT = "1.2.840.10008.5.1.4.1.1.2"


class _PolicyRow(NamedTuple):
    tag: str
    keyword: str
    basic: str
    action: str
    does: str


def show_settings(settings: Settings, changed: frozenset[str], *, json: bool) -> None:
    """Print every setting with its source."""
    rows = list(shown(settings, changed))
    if json:
        print_json([asdict(row) for row in rows])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Setting", "Value", "From", "Meaning"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.value, row.source, row.description)
    out().print(table)


def show_profiles(*, json: bool) -> None:
    """Print the shipped profiles."""
    folder = standard.DATA / "profiles"
    names = sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )
    profiles = [load(name) for name in names]
    if json:
        print_json([profile.model_dump(mode="json") for profile in profiles])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Profile", "Dates", "Ages", "Name", "Options", "Title"):
        table.add_column(column, overflow="fold")
    for profile in profiles:
        options = ", ".join(_options(profile)) or "-"
        table.add_row(profile.name, profile.dates, profile.ages, profile.patient_name, options, profile.title)
    out().print(table)


def show_policy(name: str, *, json: bool) -> None:
    """Print a profile's action for every row of Table E.1-1. Raises Misconfigured for an unknown profile."""
    profile = load(name)
    rows = list(_policy_rows(Policy(profile)))
    if json:
        print_json({"profile": profile.model_dump(mode="json"), "rows": [row._asdict() for row in rows]})
        return
    console = out()
    console.print(f"{profile.name}: {profile.title}", style="bold")
    table = Table(box=None, pad_edge=False)
    for column in ("Tag", "Attribute", "PS3.15", "Action", "What happens"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        "X/Z/D and the like are settled by the attribute's type in the object's IOD; shown: CT Image.",
        style="dim",
    )


def _options(profile: Profile) -> Iterator[str]:
    for name, value in profile:
        if value is True:
            yield name.replace("_", " ")


def _policy_rows(policy: Policy) -> Iterator[_PolicyRow]:
    table = policy.table
    for tag, row in sorted(table.rows.items()):
        rule = policy.decide((tag,), _vr(tag), _CT)
        how = "" if rule.how.value == "none" else f" ({rule.how.value})"
        text = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        yield _PolicyRow(
            text, row.keyword or keyword_for_tag(tag), row.basic, rule.action, f"{rule.do.value}{how}"
        )


def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "UN"
