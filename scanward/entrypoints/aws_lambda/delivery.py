"""Puts an output so that events may come twice, at once and in any order.

An output bears, as its metadata, a keyed hash of its source and version, S3's sequencer and the release of
profile, key and engine. It is replaced only under If-Match, so that whoever was overtaken looks again: a
repeat changes nothing, and an older version never takes a newer one's place.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from scanward.adapters.aws.s3_objects import Head, Overtaken
from scanward.adapters.aws.s3_opened import S3Opened
from scanward.deidentify.keys import Keys
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.aws_lambda.places import Place
from scanward.entrypoints.aws_lambda.world import World
from scanward.errors import Misconfigured, NotFound, Unavailable
from scanward.receive.s3_event import Reference
from scanward.store.keys import pseudonymous_name, with_suffix
from scanward.store.outgoing import check_output

__all__ = ["Delivery", "Origin", "deliver", "is_older"]

_TRIES: Final = 8
_PAUSE: Final = 0.05
_PREFIX: Final = "scanward-"
_DIGITS: Final = 32
_LONGEST_KEY: Final = 1024  # bytes, S3's own bound


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an output stands; `superseded` if that is the output of a newer version."""

    bucket: str
    key: str
    version_id: str
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What an output was made of. source, version: keyed hashes; release: of profile, key and engine."""

    source: str
    version: str
    sequencer: str
    release: str

    def as_metadata(self) -> dict[str, str]:
        """Return it as an object's metadata; none of it tells whose object it is."""
        return {f"{_PREFIX}{name}": value for name, value in asdict(self).items() if value}

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Origin | None:
        """Read an object's metadata; None if the line did not write that object."""
        told = {name: metadata.get(f"{_PREFIX}{name}", "") for name in cls.__slots__}
        return cls(**told) if told["source"] else None


def deliver(cleaned: Cleaned, source: S3Opened, place: Place, world: World) -> Delivery:
    """Put an output, unless it is there already or a newer version's is.

    Raises Quarantined if the output does not pass the gate, Unavailable if others were quicker 8 times.
    """
    check_output(cleaned.pieces, source.read, world.bounds)
    origin = _origin(source.ref, world)
    key = _key(cleaned, source, place, world)
    try:
        return _deliver(cleaned, source, origin, (place.bucket, key), world)
    except _Foreign:
        # Another object's output has this name: ours goes beside it, by a name that no other object gets.
        folder, slash, name = key.rpartition("/")
        beside = f"{folder}{slash}{with_suffix(name, world.keys.text('collision', place.relative, digits=8))}"
    try:
        return _deliver(cleaned, source, origin, (place.bucket, beside), world)
    except _Foreign:
        raise Misconfigured(
            "Objects that the line did not write have the output's names in the processed bucket."
        ) from None


def is_older(one: str, other: str) -> bool:
    """Tell whether a sequencer came before another of the same key: hex digits, the shorter one padded."""
    length = max(len(one), len(other))
    return one.casefold().ljust(length, "0") < other.casefold().ljust(length, "0")


class _Foreign(Exception):
    """The name belongs to the output of another object."""


def _deliver(
    cleaned: Cleaned, source: S3Opened, origin: Origin, target: tuple[str, str], world: World
) -> Delivery:
    there: Head | None = None
    for attempt in range(_TRIES):
        if there is not None:
            standing = Origin.of(there.metadata)
            if standing is None or standing.source != origin.source:
                raise _Foreign
            is_same = (standing.version, standing.release) == (origin.version, origin.release)
            if is_same or not _is_newer(origin, standing, source, world):
                return Delivery(*target, there.version_id, superseded=standing.version != origin.version)
        head = _put(cleaned, source, origin, target, there, world)
        if head is not None:
            return Delivery(*target, head.version_id)
        time.sleep(random.uniform(0, _PAUSE * attempt))  # noqa: S311 - spreads who were quicker; no secret
        there = _head(world, target)
    raise Unavailable("Others wrote this output again and again; try again.")


def _put(
    cleaned: Cleaned,
    source: S3Opened,
    origin: Origin,
    target: tuple[str, str],
    there: Head | None,
    world: World,
) -> Head | None:
    """Write over what is there, or where nothing is; None if that is no longer so."""
    try:
        return world.processed.put_pieces(
            cleaned.pieces,
            source,
            *target,
            metadata=origin.as_metadata(),
            if_match=there.etag if there else "",
            if_none_match=there is None,
        )
    except Overtaken:
        return None
    except NotFound:
        # What was to be replaced is gone; without that, it is the bucket that is not there.
        if there is None:
            raise
        return None


def _head(world: World, target: tuple[str, str]) -> Head | None:
    try:
        return world.processed.head(Reference(*target))
    except NotFound:
        return None


def _is_newer(origin: Origin, standing: Origin, source: S3Opened, world: World) -> bool:
    """Tell whether our version may take the place of the standing output's, which is the same object's."""
    if standing.version == origin.version:
        return True  # the same version under a new profile, key or engine
    if origin.sequencer and standing.sequencer:
        return not is_older(origin.sequencer, standing.sequencer)
    # A hand or a listing started it, without a sequencer: only the version that S3 shows now is the newest.
    # Looked at after the output was, so that a still newer one will find that output changed.
    try:
        current = world.raw.head(Reference(source.ref.bucket, source.ref.key))
    except NotFound:
        return False
    return (current.version_id, current.etag) == (source.ref.version_id, source.ref.etag)


def _origin(pinned: Reference, world: World) -> Origin:
    keys: Keys = world.keys
    name = f"{pinned.bucket}\n{pinned.key}"
    version = pinned.version_id or pinned.etag
    return Origin(
        source=keys.text("output-source", name, digits=_DIGITS),
        version=keys.text("output-version", f"{name}\n{version}", digits=_DIGITS),
        sequencer=pinned.sequencer,
        release=world.engine.release,
    )


def _key(cleaned: Cleaned, source: S3Opened, place: Place, world: World) -> str:
    parts = world.naming.parts(place.relative, _Headed(source), cleaned)
    key = place.prefix + "/".join(parts)
    if len(key.encode()) > _LONGEST_KEY:
        new = cleaned.replaced
        key = place.prefix + "/".join(pseudonymous_name(new.study_uid, new.series_uid, new.instance_uid))
    return key


@dataclass(frozen=True, slots=True)
class _Headed:
    """An object as the names' shield looks at it."""

    source: S3Opened

    @property
    def view(self) -> memoryview:
        return self.source.view

    def head(self, length: int) -> bytes:
        return self.source.read(0, length)
