"""A text folded to what the spellings of one identifier share: letters and digits without case and marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
# Letters that Unicode does not decompose, though people do.
_LATIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded text, where each of its characters came from, and where tokens begin."""

    original: str
    text: str
    origins: tuple[int, ...]
    starts: frozenset[int]

    def occurrences(self, wanted: str, *, whole: bool) -> Iterator[tuple[int, int]]:
        """Yield the ranges of the original that spell `wanted`; `whole`: between tokens' starts only."""
        at = self.text.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            if not whole or (at in self.starts and end in self.starts):
                yield self._range(at, end)
            at = self.text.find(wanted, at + 1)

    def _range(self, at: int, end: int) -> tuple[int, int]:
        """Widen to the marks behind, and to the zeros before that folding dropped."""
        start, stop = self.origins[at], self.origins[end - 1] + 1
        while stop < len(self.original) and unicodedata.combining(self.original[stop]):
            stop += 1
        while start and _folded_character(self.original[start - 1]) == "0" and start - 1 not in self.origins:
            start -= 1
        return start, stop


def fold(text: str) -> Folded:
    """Fold a text."""
    characters: list[str] = []
    origins: list[int] = []
    starts: set[int] = set()
    for index, character in enumerate(text):
        folded = _folded_character(character)
        if folded and _begins_token(text, index):
            starts.add(len(characters))
        characters += folded
        origins += [index] * len(folded)
    starts.add(len(characters))
    return Folded(text, "".join(characters), tuple(origins), frozenset(starts))


def fold_without_zeros(text: str) -> Folded:
    """Fold a text and drop the zeros that lead its numbers: `P-0012` and `P12` are one spelling."""
    plain = fold(text)
    kept = [index for index in range(len(plain.text)) if not _leads(plain, index)]
    positions = {old: new for new, old in enumerate([*kept, len(plain.text)])}
    starts = frozenset(positions[_next_kept(start, positions)] for start in plain.starts)
    letters = "".join(plain.text[index] for index in kept)
    return Folded(text, letters, tuple(plain.origins[index] for index in kept), starts)


def _next_kept(start: int, positions: dict[int, int]) -> int:
    while start not in positions:
        start += 1
    return start


def _leads(plain: Folded, index: int) -> bool:
    """Say whether a zero stands before a further digit of its number, with nothing but zeros before it."""
    if plain.text[index] != "0" or index + 1 in plain.starts or not plain.text[index + 1].isdigit():
        return False
    while index not in plain.starts:
        index -= 1
        if plain.text[index] != "0":
            return not plain.text[index].isdigit()
    return True


def letters(text: str) -> str:
    """Return the folded text alone."""
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    return fold(text).text


def letters_without_zeros(text: str) -> str:
    """Return the folded text alone, without the zeros that lead its numbers."""
    if text.isascii():
        return letters(_LEADING_ZEROS.sub("", text))
    return fold_without_zeros(text).text


@lru_cache(maxsize=4096)
def _folded_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).casefold().translate(_LATIN)
    decomposed = unicodedata.normalize("NFKD", decomposed)
    return "".join(letter for letter in decomposed if letter.isalnum())


def _begins_token(text: str, index: int) -> bool:
    """Tokens begin after a separator, between letters and digits, at the humps of `DoeJohn` and `JDoe`."""
    if index == 0:
        return True
    before, here, after = text[index - 1], text[index], text[index + 1 : index + 2]
    if unicodedata.combining(before):
        before = "a"
    if not before.isalnum() or before.isdigit() != here.isdigit():
        return True
    return here.isupper() and (before.islower() or after.islower())
