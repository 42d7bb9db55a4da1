"""The line's steps on an object in S3: received, validated, de-identified, stored; each may be repeated."""
# ruff: noqa: PLC0415 - each function imports what its step needs: a cold start is short

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from scanward.adapters.aws.s3_opened import S3Opened
from scanward.dicom import structure
from scanward.dicom.structure import Structure
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.places import place_of
from scanward.entrypoints.aws_lambda.world import World
from scanward.errors import BadInput, Fault, InvalidDicom, TooLarge, ValidationFailed
from scanward.receive.part10 import DIRECTORY
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from scanward.deidentify.report import Cleaned
    from scanward.entrypoints.aws_lambda.delivery import Delivery

__all__ = ["Finished", "deidentify", "metadata_of", "opened", "receive", "reference_of", "validate"]

_HELD: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Finished:
    """An object that is through: where its output is, and what was done to it."""

    delivery: Delivery
    cleaned: Cleaned


@contextmanager
def opened(reference: Reference, world: World, meter: Meter) -> Iterator[S3Opened]:
    """Open an object of the raw side for a stage, and count what it was and what it cost.

    Raises NotFound, Refused or Unavailable; TooLarge with the command that does what a function cannot.
    """
    try:
        with world.raw.open(reference) as source:
            meter.add("BytesIn", source.size)
            try:
                _check_size(source, world)
                yield source
            finally:
                meter.add("BytesThroughFunction", source.fetched)
        meter.add("FilesProcessed")
    except (InvalidDicom, ValidationFailed):
        meter.add("FilesRejected")
        raise
    except TooLarge as error:
        raise TooLarge(f"{error.message} {_command(reference, world)}") from None


def receive(source: S3Opened, world: World) -> Structure:
    """Take an object through the gate, by range where it is large. Raises InvalidDicom with every fault."""
    found = structure.check(source.view, world.bounds)
    if found.is_directory:
        raise InvalidDicom(DIRECTORY.message, faults=(replace(DIRECTORY, severity="reject"),))
    return found


def validate(source: S3Opened, world: World) -> tuple[Fault, ...]:
    """Return the rules that an object breaks without harm. Raises ValidationFailed."""
    from scanward import pipeline

    return pipeline.judge(source.view, world.severities, world.bounds)


def deidentify(source: S3Opened, reference: Reference, world: World, meter: Meter) -> Finished:
    """Take the patient out and put the output where it belongs. Raises Quarantined."""
    from scanward.entrypoints.aws_lambda.delivery import deliver

    place = place_of(reference, world.aws)
    cleaned = world.engine.clean_source(source)
    delivery = deliver(cleaned, source, place, world)
    meter.add(
        "FilesSuperseded" if delivery.superseded else "BytesOut", 1 if delivery.superseded else cleaned.size
    )
    return Finished(delivery, cleaned)


def metadata_of(source: S3Opened, found: Structure) -> dict[str, Any]:
    """Return the five sections of metadata that api.md prints: a patient's values, for callers only."""
    from pydicom import dcmread

    from scanward.dicom.metadata import MetadataExtractor

    end = source.size
    if found.pixel_offset is not None and not found.deflated and source.size > _HELD:
        end = found.pixel_offset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(BytesIO(bytes(source.view[:end])), stop_before_pixels=True, force=True)
        except TooLarge:
            raise
        except Exception as error:  # noqa: BLE001 - pydicom raises what it likes, and its texts hold values
            raise InvalidDicom(f"pydicom cannot read the header ({type(error).__name__}).") from None
        return MetadataExtractor().extract_metadata(dataset)


def _check_size(source: S3Opened, world: World) -> None:
    most = world.bounds.object_bytes
    if source.size > most:
        raise TooLarge(
            f"The object has {source.size} bytes, more than the {most} of SCANWARD_AWS_MAX_OBJECT_BYTES."
        )


def _command(reference: Reference, world: World) -> str:
    """Return what does it elsewhere; the key is left to the reader, for this text ends in logs."""
    target = world.aws.processed_bucket or "PROCESSED-BUCKET"
    return (
        f"Run this on another machine, KEY being the one of the input and FOLDER where its output belongs: "
        f"scanward deidentify s3://{reference.bucket}/KEY s3://{target}/FOLDER/"
    )


def reference_of(event: Mapping[str, Any]) -> Reference:
    """Return the object of an event of the state machine. Raises BadInput."""
    given = event["reference"]
    if not isinstance(given, Mapping):
        raise BadInput("`reference` is an object with `bucket` and `key`.")
    return Reference.of(given)
