"""Names for outputs: an identifier of the object in a path segment gives way to the pseudonym."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from urllib.parse import unquote

from scanward.store.folding import Folded, fold, fold_without_zeros, letters, letters_without_zeros
from scanward.store.spellings import date_spellings, name_spellings

STATE_FOLDER = ".scanward"
_LONGEST = 180  # bytes of a segment; file systems stop at 255, and a suffix may follow
_TAG = 6
_LONG_TAG = 12
_KNOWN = 1024
_SHORT = 2  # up to so many characters only a whole token is a match, or `M` would hit every name
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_UNPORTABLE = re.compile('[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>:"|?*/\\\\]')
_TRAVERSING = re.compile("[\x00/\\\\]")
_CORE = re.compile("[0-9]+")
_LEAST_CORE = 5  # digits; shorter numbers count slices and series as well
_LAYERS = 3
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")

Tag = Callable[[str], str]


class Kind(Enum):
    """What an identifier is, and so how it may be spelled in a name."""

    CODE = "code"
    NAME = "name"
    DATE = "date"
    UID = "uid"


@dataclass(frozen=True, slots=True)
class Hidden:
    """One identifier of an object and what stands for it in the output's name."""

    kind: Kind
    value: str
    stand_in: str


@dataclass(frozen=True, slots=True)
class _Form:
    folded: str
    whole: bool
    stand_in: str
    exact: str


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    stand_in: str
    exact: str


class Shield:
    """The identifiers of one object (or of one patient's many), ready to be looked for in names.

    tag: a keyed hash of a text as hex digits; it keeps two spellings of one identifier apart (`DOE_JOHN`,
    `doe-john`) without telling either.
    """

    def __init__(self, hidden: Iterable[Hidden], tag: Tag) -> None:
        """Prepare every spelling of every identifier; where two are spelled alike, the first one counts."""
        self._hidden = tuple(hidden)
        self._words = {word for one in self._hidden for word, _ in _spelled(one.kind, one.value)}
        self._tag = tag
        self._known: dict[str, str] = {}

    def segment(self, segment: str) -> str:
        """Return a portable segment without an identifier; unchanged if it held none. Remembers segments."""
        known = self._known.get(segment)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[segment] = self._safe(segment)
        return known

    def unsplit(self, segments: Sequence[str]) -> Sequence[str]:
        """Return the segments without an identifier that runs over several: `MRN 00/4711`, `1951/03/29`."""
        across = self._across
        path = "/".join(segments)
        if across is None or not across.spelled_in(path):
            return segments
        replaced = self._in_place(path, across.spanning(path))
        return replaced.split("/")

    def spelled_in(self, text: str) -> bool:
        """Tell whether a text may hold an identifier; one that does not is seen at once."""
        return self._hit(letters(text)) or self._hit(letters_without_zeros(text))

    @cached_property
    def _across(self) -> Shield | None:
        """Return the shield of what a path may split: dates, and codes that bear the separator themselves."""
        split = [one for one in self._hidden if one.kind is Kind.DATE or "/" in one.value]
        return Shield(split, self._tag) if split else None

    def spanning(self, path: str) -> list[_Match]:
        """Return what is spelled over a separator."""
        found = (*self._found(fold(path)), *self._found(fold_without_zeros(path)))
        spanning = [match for match in found if "/" in path[match.start : match.end]]
        return list(_merged(sorted(spanning, key=lambda match: (match.start, -match.end)), path))

    def _safe(self, segment: str) -> str:
        if not _encodable(segment):
            # Bytes in an unknown character set may spell a name that nobody can compare.
            return f"NAME-{self._tag(segment)[:_LONG_TAG]}{_extension(segment)}"
        return _bounded(_portable(self._replaced(segment), self._tag), self._tag)

    def _replaced(self, segment: str) -> str:
        for decoded in _decoded(segment):
            if self._matches(decoded):
                return with_suffix(self._replaced_as_it_is(decoded), self._tag(segment)[:_TAG])
        return self._replaced_as_it_is(segment)

    def _replaced_as_it_is(self, segment: str) -> str:
        return self._in_place(segment, self._matches(segment))

    def _in_place(self, segment: str, matches: Sequence[_Match]) -> str:
        pieces: list[str] = []
        at = 0
        for match in matches:
            pieces += [segment[at : match.start], self._stand_in(segment, match)]
            at = match.end
        return "".join([*pieces, segment[at:]])

    def _stand_in(self, segment: str, match: _Match) -> str:
        text = segment[match.start : match.end]
        return match.stand_in if text == match.exact else f"{match.stand_in}-{self._tag(text)[:_TAG]}"

    def _matches(self, segment: str) -> list[_Match]:
        plain, bare = letters(segment), letters_without_zeros(segment)
        found: list[_Match] = []
        if self._hit(plain):
            found += self._found(fold(segment))
        if bare != plain and self._hit(bare):
            found += self._found(fold_without_zeros(segment))
        found.sort(key=lambda match: (match.start, -match.end))
        return list(_merged(found, segment))

    @cached_property
    def _forms(self) -> list[_Form]:
        """Return every spelling, the longest first."""
        forms = {(form.folded, form.whole): form for one in reversed(self._hidden) for form in _forms(one)}
        return sorted(forms.values(), key=lambda form: -len(form.folded))

    def _hit(self, folded: str) -> bool:
        for word in self._words:  # noqa: SIM110 - a generator costs more than the whole search
            if word in folded:
                return True
        return False

    def _found(self, folded: Folded) -> Iterator[_Match]:
        for form in self._forms:
            for start, end in folded.occurrences(form.folded, whole=form.whole):
                yield _Match(start, end, form.stand_in, form.exact)


def safe_name(parts: Sequence[str], shield: Shield) -> tuple[str, ...]:
    """Return the path's segments, each identifier replaced by its stand-in, the rest kept (design §5.5)."""
    return tuple(_outside_state(shield.segment(part)) for part in shield.unsplit(parts))


def preserved_name(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the path's segments as they are, but for what would leave the output folder."""
    return tuple(_outside_state(_inside(part)) for part in parts)


def pseudonymous_name(study_uid: str, series_uid: str, instance_uid: str) -> tuple[str, ...]:
    """Return a path made of the new UIDs only."""
    folders = [_inside(uid) for uid in (study_uid, series_uid)]
    return (*folders, f"{_inside(instance_uid)}.dcm")


def with_suffix(name: str, suffix: str) -> str:
    """Return a file name with `-suffix` before its extension, for two inputs of one name."""
    extension = _extension(name)
    return f"{name[: len(name) - len(extension)]}-{suffix}{extension}"


def _forms(hidden: Hidden) -> Iterator[_Form]:
    for folded, whole in _spelled(hidden.kind, hidden.value):
        yield _Form(folded, whole, hidden.stand_in, hidden.value)


@lru_cache(maxsize=8192)
def _spelled(kind: Kind, value: str) -> tuple[tuple[str, bool], ...]:
    """Return every folded spelling of an identifier, and whether only a whole token is a match."""
    if kind is Kind.DATE:
        spellings = date_spellings(value)
    elif kind is Kind.NAME:
        spellings = name_spellings(value)
    else:
        spellings = iter((value,))
    folded = {form for one in spellings for form in (letters(one), letters_without_zeros(one)) if form}
    cores = set(_cores(value)) - folded if kind is Kind.CODE else set()
    whole = [(form, True) for form in sorted(cores)]
    return (*((form, _needs_whole_token(form, kind)) for form in sorted(folded)), *whole)


def _cores(code: str) -> Iterator[str]:
    """Yield the numbers in a code that are long enough to tell it by themselves: 778899 of MRN778899."""
    for number in _CORE.findall(code):
        if len(number.lstrip("0")) >= _LEAST_CORE:
            yield from (number, number.lstrip("0"))


def _decoded(segment: str) -> Iterator[str]:
    """Yield what a segment says behind percent signs, as in a URL, the most often decoded first."""
    for encoding in ("utf-8", "latin-1") if "%" in segment else ():
        layers = [segment]
        for _ in range(_LAYERS):
            layers.append(unquote(layers[-1], encoding))
        yield from reversed(layers[1:])


def _needs_whole_token(folded: str, kind: Kind) -> bool:
    if kind is Kind.DATE:
        return len(folded) < len("YYYYMMD")
    return len(folded) <= _SHORT and folded.isascii()


def _merged(matches: list[_Match], segment: str) -> Iterator[_Match]:
    """Join matches that overlap or stand side by side for one: `DOE^JOHN` becomes one pseudonym."""
    if not matches:
        return
    current = matches[0]
    for match in matches[1:]:
        beside = current.stand_in == match.stand_in and not fold(segment[current.end : match.start]).text
        if match.start < current.end or beside:
            current = _joined(current, match)
        else:
            yield current
            current = match
    yield current


def _joined(first: _Match, second: _Match) -> _Match:
    end = max(first.end, second.end)
    exact = first.exact if end == first.end else ""
    return _Match(first.start, end, first.stand_in, exact)


def _portable(segment: str, tag: Tag) -> str:
    portable = _UNPORTABLE.sub("_", segment).strip(" ")
    if portable in {"", ".", ".."} or _RESERVED.match(portable):
        portable = f"_{portable}".rstrip(".")
    if portable == segment:
        return segment
    return with_suffix(portable, tag(segment)[:_TAG])


def _bounded(segment: str, tag: Tag) -> str:
    if len(segment.encode()) <= _LONGEST:
        return segment
    extension = _extension(segment)
    stem = segment[: len(segment) - len(extension)].encode()[: _LONGEST - _LONG_TAG - len(extension) - 1]
    return f"{stem.decode(errors='ignore')}~{tag(segment)[:_LONG_TAG]}{extension}"


def _inside(segment: str) -> str:
    safe = _TRAVERSING.sub("_", segment)
    return f"_{safe}" if safe in {"", ".", ".."} else safe


def _outside_state(segment: str) -> str:
    return f"_{segment}" if segment.casefold() == STATE_FOLDER else segment


def _extension(name: str) -> str:
    match = _EXTENSION.search(name)
    return match.group() if match and match.start() else ""


def _encodable(segment: str) -> bool:
    try:
        segment.encode()
    except UnicodeEncodeError:
        return False
    return True
