"""De-identification of one object: the byte path where it is regular, else the gate and the pydicom path."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from scanward.deidentify import datasetpath
from scanward.deidentify.bytepath import BytePath
from scanward.deidentify.bytepath_source import FileSource, Irregular, Source, ViewSource
from scanward.deidentify.bytepath_walk import countable
from scanward.deidentify.keys import Keys
from scanward.deidentify.longvalues import too_long
from scanward.deidentify.policy import Policy
from scanward.deidentify.profile import Profile
from scanward.deidentify.report import Cleaned
from scanward.dicom.structure import DEFAULT, Bounds, check

ENGINE_VERSION = "2"


class Engine:
    """Gate and de-identification in one call. Its memories are bounded; for one thread at a time."""

    def __init__(self, profile: Profile, keys: Keys, bounds: Bounds = DEFAULT) -> None:
        """Compile the profile."""
        self._policy = Policy(profile)
        self._keys = keys
        self._bounds = bounds
        self._bytes = BytePath(self._policy, keys, bounds)

    @property
    def policy_hash(self) -> str:
        """Return 64 hex digits that change whenever the profile or a shipped table does."""
        return self._policy.hash

    @property
    def fingerprint(self) -> str:
        """Return the public fingerprint of the site's secret."""
        return self._keys.fingerprint

    @property
    def release(self) -> str:
        """Return 64 hex digits of all that an output depends on beside its input: policy, keys, engine."""
        parts = (
            self.policy_hash,
            self.fingerprint,
            self._keys.domain,
            str(self._keys.digits),
            ENGINE_VERSION,
        )
        return sha256("\0".join(parts).encode()).hexdigest()

    def clean(self, view: memoryview) -> Cleaned:
        """De-identify one object. Raises InvalidDicom, or Quarantined for what cannot be cleaned safely."""
        return self._clean(ViewSource(view))

    def clean_file(self, fd: int, size: int) -> Cleaned:
        """De-identify one open file of a known size, reading no more of it than is needed; as `clean`."""
        return self._clean(FileSource(fd, size))

    def clean_source(self, source: Source) -> Cleaned:
        """De-identify an object that is read by range, such as one in S3; as `clean`.

        Raises TooLarge for what must be held whole and is larger than the source holds.
        """
        return self._clean(source)

    def _clean(self, source: Source) -> Cleaned:
        try:
            return self._bytes.clean(source)
        except Irregular:
            return self._surely(source)

    def _surely(self, source: Source) -> Cleaned:
        """Take the gate's whole check, then whichever path the object allows."""
        view = source.whole()
        bounds = self._bounds
        # What is deflated is held whole and written anew in memory.
        least = min(bounds.inflated_bytes, bounds.library_bytes)
        structure = check(view, replace(bounds, inflated_bytes=least))
        is_large = structure.items > bounds.library_items or structure.header_bytes > countable(bounds)
        if structure.regular and not structure.warnings and is_large:
            try:
                return self._bytes.clean(source, gated=True)
            except Irregular:
                pass
        if structure.header_bytes > bounds.library_header_bytes:
            says = (
                f"Its header is longer than the {bounds.library_header_bytes} bytes that are held in memory"
            )
            raise too_long("header-too-long", says, "")
        return datasetpath.clean(view, structure, self._policy, self._keys)
