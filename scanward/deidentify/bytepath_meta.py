"""Preamble and file meta on the byte path: those of one scanner differ in the instance UID alone."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.deidentify.bytepath_source import Irregular
from scanward.deidentify.meta import file_meta
from scanward.dicom.structure import Bounds, prologue
from scanward.dicom.structure.coding import KINDS
from scanward.dicom.structure.prologue import META_CLASS, META_INSTANCE
from scanward.dicom.structure.syntaxes import TransferSyntax
from scanward.errors import InvalidDicom

_MAGIC = 128
_MOST = 512
_SHORTEST_FILLER = 32


@dataclass(frozen=True, slots=True)
class Meta:
    """What the file meta says; `instance` is its raw instance UID, `offset` where the data set begins."""

    syntax: TransferSyntax
    sop_class_uid: str
    instance: bytes
    offset: int


class MetaReader:
    """Reads prologues; remembers those it has seen by all of their bytes but the instance UID's value."""

    def __init__(self, bounds: Bounds) -> None:
        """Begin with none."""
        self._bounds = bounds
        self._known: dict[tuple[bytes, bytes], tuple[TransferSyntax, str]] = {}
        # Where the instance UID's length stands, and how many bytes of meta follow it: as in the last object.
        self._place = 0
        self._rest = 0

    def read(self, head: bytes) -> Meta:
        """Return what the meta says. Raises Irregular for whatever the gate might refuse or warn of."""
        value = self._place + 2
        length = int.from_bytes(head[self._place : value], "little")
        stop = value + length
        offset = stop + self._rest
        known = self._known.get((head[_MAGIC:value], head[stop:offset])) if self._place else None
        if known is None:
            return self._learn(head)
        syntax, sop_class_uid = known
        _check_promise(head, offset, syntax)
        return Meta(syntax, sop_class_uid, head[value:stop], offset)

    def _learn(self, head: bytes) -> Meta:
        try:
            found = prologue(memoryview(head), self._bounds)
        except InvalidDicom:
            raise Irregular from None
        instance = found.meta.get(META_INSTANCE)
        syntax = found.syntax
        if found.warnings or instance is None or not found.has_preamble or instance.vr != "UI":
            raise Irregular
        if not syntax.coding.little_endian or syntax.deflated:
            raise Irregular
        view = memoryview(head)
        sop_class_uid = found.text(view, META_CLASS)
        _check_promise(head, found.dataset_offset, syntax)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._place, self._rest = instance.value - 2, found.dataset_offset - instance.stop
        key = head[_MAGIC : instance.value], head[instance.stop : found.dataset_offset]
        self._known[key] = syntax, sop_class_uid
        return Meta(syntax, sop_class_uid, head[instance.value : instance.stop], found.dataset_offset)


def _check_promise(head: bytes, offset: int, syntax: TransferSyntax) -> None:
    """Hold the declared coding against the data set's first element, as the gate does; and the meta's end."""
    first = head[offset : offset + 6]
    if len(first) < 6 or not first[0] or first[1] or first[:2] == b"\x02\x00":  # noqa: PLR2004 - tag and VR
        raise Irregular
    if (first[4:6] in KINDS) != syntax.coding.explicit:
        raise Irregular


class MetaWriter:
    """Writes prologues; those of one kind and one length of UID differ in the UID alone."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[str, str, int], tuple[bytes, bytes]] = {}

    def write(self, sop_class_uid: str, instance_uid: str, transfer_syntax: str) -> bytes:
        """Return what `meta.file_meta` returns."""
        length = len(instance_uid)
        key = sop_class_uid, transfer_syntax, length
        known = self._known.get(key)
        if known is None:
            if length < _SHORTEST_FILLER:
                return file_meta(sop_class_uid, instance_uid, transfer_syntax)
            filler = "9" * length
            before, _, after = file_meta(sop_class_uid, filler, transfer_syntax).partition(filler.encode())
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[key] = before, after
        return instance_uid.encode("ascii").join(known)
