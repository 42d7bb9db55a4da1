"""The shipped list of words that describe an examination, never a person."""

from __future__ import annotations

from functools import cache

from scanward.deidentify.table import DATA


@cache
def clinical_terms() -> frozenset[str]:
    """Return the words, casefolded."""
    lines = (DATA / "clinical_terms.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
