"""What a worker does whose outputs go to S3: it delivers as the functions do, so both may work on one bucket.

A repeat finds each output by its metadata and changes nothing. From S3 to S3 the pixels of large objects are
copied inside S3; what cannot be read by range is fetched into a file first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

from scanward.adapters.aws.s3_objects import Head, S3Objects
from scanward.adapters.aws.s3_opened import S3Opened
from scanward.deidentify.bytepath_source import FileSource
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.aws_lambda.delivery import Delivery, deliver
from scanward.entrypoints.aws_lambda.places import Place
from scanward.entrypoints.aws_lambda.world import World
from scanward.entrypoints.cli.batch.address import address
from scanward.entrypoints.cli.batch.bucket import fetched, open_pinned
from scanward.entrypoints.cli.batch.limit import TookTooLong, limited
from scanward.entrypoints.cli.batch.opening import Source
from scanward.entrypoints.cli.batch.plan import Entry, Plan
from scanward.entrypoints.cli.batch.rows import RowWriter
from scanward.entrypoints.cli.batch.work import Finished, Worker
from scanward.errors import InvalidDicom, TooLarge
from scanward.receive.s3_event import Reference
from scanward.settings import AwsSettings

_SLOWER = 4  # how much longer than a disk a network may take


class _InS3(Source):
    """An object that is read by range."""

    def __init__(self, opened: S3Opened) -> None:
        """Take an opened object."""
        self.opened = opened
        self.size = opened.size

    @property
    def view(self) -> memoryview:
        return self.opened.view

    def head(self, length: int) -> bytes:
        return self.opened.read(0, length)


class _OnDisk(Source):
    """A file as the source of an output in S3: none of it is there to be copied."""

    def __init__(self, descriptor: int, size: int, ref: Reference) -> None:
        """Borrow a descriptor; `ref` is what the output says it was made of."""
        super().__init__(descriptor, size)
        self.ref = ref

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of a range; fewer at the file's end."""
        return FileSource(self.fileno(), self.size).read(offset, length)


class _Newest:
    """What stands for the raw bucket where inputs are files: the file that is there is its newest version."""

    ref = Reference("", "")

    def head(self, _: Reference) -> Head:
        """Return the file that is under way."""
        return Head(self.ref.size, self.ref.etag, self.ref.version_id)


class _FileWorld(World):
    """The functions' world where inputs are files."""

    @cached_property
    def raw(self) -> S3Objects:
        # Of the raw bucket the delivery asks only what is the newest.
        return cast("S3Objects", _Newest())


class BucketWorker(Worker):
    """Engine and outputs of a plan whose OUT is in S3."""

    def __init__(self, plan: Plan) -> None:
        """Open the functions' world with this run's settings."""
        super().__init__(plan)
        self._delivered: list[Delivery] = []
        self._world = self._open_world()

    def _open_world(self) -> World:
        world = (World if self._plan.in_bucket else _FileWorld)(self._plan.settings, AwsSettings())
        self.engine = world.engine
        self._rows = RowWriter(self._plan.settings, self.engine, self.fingerprints)
        return world

    def _clean(self, entry: Entry) -> Cleaned:
        if not self._plan.in_bucket:
            with self._opener.open(entry) as file:
                ref = Reference("", entry.relative, f"{entry.size}-{entry.version}", size=entry.size)
                cast("_Newest", self._world.raw).ref = ref
                return self._through_disk(entry, _OnDisk(file.fileno(), file.size, ref))
        try:
            with open_pinned(self._plan, entry) as opened:
                cleaned = self._timed(_InS3(opened))
                self._put(entry, cleaned, opened)
                return cleaned
        except TooLarge:
            with fetched(self._plan, entry) as (file, pin):
                return self._through_disk(entry, _OnDisk(file.fileno(), pin.size, pin))

    def _through_disk(self, entry: Entry, source: _OnDisk) -> Cleaned:
        cleaned = self._timed(source)
        # The delivery reads ranges of its source and asks for its reference: this has both.
        self._put(entry, cleaned, cast("S3Opened", source))
        return cleaned

    def _timed(self, source: Source) -> Cleaned:
        seconds = _SLOWER * self._plan.settings.limit_seconds(source.size)
        try:
            with limited(seconds):
                return self._guarded(source)
        except TookTooLong:
            self._world = self._open_world()
            raise InvalidDicom(f"it took longer than {seconds:.3g} s") from None

    def _cleaned(self, source: Source) -> Cleaned:
        if isinstance(source, _InS3):
            return self.engine.clean_source(source.opened)
        return super()._cleaned(source)

    def _put(self, entry: Entry, cleaned: Cleaned, source: S3Opened) -> None:
        if not self._plan.dry:
            self._delivered.append(deliver(cleaned, source, self._place(entry), self._world))

    def _place(self, entry: Entry) -> Place:
        """Return where an output goes; of one object the whole key is typed, and is made safe as a whole."""
        target = address(self._plan.target)
        if not self._plan.output_name:
            return Place(target.bucket, target.prefix, entry.relative)
        if self._plan.names == "pseudonymous":
            return Place(target.bucket, target.prefix, self._plan.output_name)
        return Place(target.bucket, "", target.prefix + self._plan.output_name)

    def _names(self, finished: Sequence[Finished]) -> list[str]:
        if self._plan.dry:
            return [""] * len(finished)
        delivered, self._delivered = self._delivered, []
        return [one.key for one in delivered]
