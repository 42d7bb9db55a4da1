"""Names outputs by the plan's policy; a patient's identifiers are remembered by the header's bytes."""

from __future__ import annotations

from dataclasses import replace

from scanward.deidentify.keys import Keys
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.identifiers import Headed, Header, header_of, hidden_in_names
from scanward.settings import NamePolicy
from scanward.store.keys import Shield, preserved_name, pseudonymous_name, safe_name

_SHIELDS = 512
_SEPARATORS = str.maketrans("", "", "._- ")


class Naming:
    """The names of one run's outputs."""

    def __init__(self, names: NamePolicy, keys: Keys) -> None:
        """Keep the policy; two spellings of an identifier are told apart by the site's own hash."""
        self._names = names
        self._keys = keys
        self._shields: dict[tuple[Header, str, str], Shield] = {}

    def parts(self, relative: str, source: Headed, cleaned: Cleaned) -> tuple[str, ...]:
        """Return the output's path, segment by segment."""
        new = cleaned.replaced
        if self._names == "pseudonymous":
            return pseudonymous_name(new.study_uid, new.series_uid, new.instance_uid)
        segments = relative.split("/")
        if self._names == "preserve":
            return preserved_name(segments)
        header = header_of(source, cleaned)
        if _holds(relative, cleaned.original.instance_uid):
            return safe_name(segments, Shield(hidden_in_names(header, cleaned.original, new), self._tag))
        return safe_name(segments, self._shield(header, cleaned))

    def _shield(self, header: Header, cleaned: Cleaned) -> Shield:
        """Return the shield of the series, without the UID of the single instance."""
        key = (header, cleaned.original.study_uid, cleaned.original.series_uid)
        shield = self._shields.get(key)
        if shield is None:
            if len(self._shields) >= _SHIELDS:
                self._shields.clear()
            hidden = hidden_in_names(header, replace(cleaned.original, instance_uid=""), cleaned.replaced)
            shield = self._shields[key] = Shield(hidden, self._tag)
        return shield

    def _tag(self, text: str) -> str:
        return self._keys.text("name", text)


def _holds(relative: str, instance_uid: str) -> bool:
    """Say whether a path may spell an instance's UID, with or without its dots."""
    return bool(instance_uid) and instance_uid.translate(_SEPARATORS) in relative.translate(_SEPARATORS)
