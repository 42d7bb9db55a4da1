"""A profile: which options of PS3.15 Annex E are on, and what a site wants beyond them; read from YAML."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydicom.datadict import tag_for_keyword

from scanward.deidentify import table
from scanward.errors import BadInput, Misconfigured

Action = Literal["X", "Z", "D", "K", "C", "U"]
Tag = str | int | tuple[int, int]

_HEX_DIGITS = 8


class Profile(BaseModel):
    """One profile. The options are those of PS3.15 E.3; `overrides` and `preserve` name single attributes.

    dates: `year` keeps the year only, `shift` moves by the patient's offset, `keep` keeps (E.3.6), `remove`
    is the Basic Profile's own. overrides: attribute to action, for a profile's author. preserve: attributes
    kept on a user's request, recorded as such.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    title: str = ""
    dates: Literal["year", "shift", "keep", "remove"] = "remove"
    ages: Literal["remove", "aggregate", "keep"] = "remove"
    patient_name: Literal["removed", "empty", "pseudonym"] = "removed"
    clean_descriptors: bool = False
    retain_patient_characteristics: bool = False
    retain_device_identity: bool = False
    retain_institution_identity: bool = False
    retain_uids: bool = False
    retain_safe_private: bool = False
    overrides: dict[str, Action] = Field(default_factory=dict)
    preserve: tuple[int, ...] = ()

    def preserving(self, tags: list[Tag] | tuple[Tag, ...], *, force: bool = False) -> Profile:
        """Return the profile with single attributes kept.

        Raises BadInput for what is no attribute, and for an identifier unless forced: names, IDs, dates,
        UIDs, free text; in other words whatever no option but a characteristic's, device's or institution's
        would keep.
        """
        numbers = tuple(sorted({tag_number(tag) for tag in tags} | set(self.preserve)))
        refused = [f"({n >> 16:04X},{n & 0xFFFF:04X})" for n in numbers if is_identifier(n)]
        if refused and not force:
            raise BadInput(f"{', '.join(refused)} identify people; they are preserved only by force")
        return self.model_copy(update={"preserve": numbers})


_PRESERVABLE = ("retain_patient_characteristics", "retain_device_identity", "retain_institution_identity")


def is_identifier(tag: int) -> bool:
    """Tell whether an attribute identifies people, so that it is preserved only by force."""
    if tag >> 16 & 1:
        return True
    row = table.load().find(tag)
    return row is not None and not any(row.options.get(option) == "K" for option in _PRESERVABLE)


def tag_number(tag: Tag) -> int:
    """Return a tag's number.

    From `PatientSex`, `(0008,0070)`, `00080070`, a number or a (group, element) pair.

    Raises BadInput if it names no attribute.
    """
    if isinstance(tag, int):
        return int(tag)
    if isinstance(tag, tuple):
        return (tag[0] << 16) | tag[1]
    digits = tag.strip().strip("()").replace(",", "").replace(" ", "")
    number = tag_for_keyword(tag.strip()) if tag.strip() else None
    if number is None and len(digits) == _HEX_DIGITS:
        number = int(digits, 16) if all(c in "0123456789abcdefABCDEF" for c in digits) else None
    if number is None:
        raise BadInput(
            "A tag is a keyword, (gggg,eeee), ggggeeee or a pair of numbers; one given is none of these"
        )
    return number


@lru_cache(maxsize=32)
def load(name_or_path: str | Path) -> Profile:
    """Load a shipped profile by name, or a user's by the path of its YAML file. Raises Misconfigured."""
    shipped = {entry.name.removesuffix(".yaml"): entry for entry in (table.DATA / "profiles").iterdir()}
    try:
        if str(name_or_path) in shipped:
            text = shipped[str(name_or_path)].read_text("utf-8")
        else:
            text = Path(name_or_path).read_text("utf-8")
        profile = Profile.model_validate(yaml.safe_load(text))
    except OSError:
        names = ", ".join(sorted(shipped))
        raise Misconfigured(f"no profile of that name and no such file; shipped profiles: {names}") from None
    except yaml.YAMLError:
        raise Misconfigured("the profile's file is not YAML") from None
    except ValidationError as error:
        where = ", ".join(".".join(map(str, fault["loc"])) or "the whole" for fault in error.errors())
        raise Misconfigured(f"the profile is not valid at: {where}") from None
    for keyword in profile.overrides:
        tag_number(keyword)
    return profile
