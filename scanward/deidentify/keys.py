"""Keyed pseudonyms.

Same input and key, same pseudonym, across files, runs and machines, with no shared state.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from scanward.deidentify import secret as site
from scanward.deidentify.identifiers import NONE, Identifiers
from scanward.deidentify.table import DATA
from scanward.deidentify.uids import is_standard
from scanward.errors import Fault

LEAST_DIGITS = 12
MOST_DAYS = 3650

PLACEHOLDER = Fault(
    rule="patient-id-placeholder",
    message="PatientID is empty or a placeholder: each study gets a pseudonym of its own",
    path="(0010,0020)",
    clause="PS3.3 C.7.1.1",
    severity="warn",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose object it is, as far as the replacers need it.

    pseudonym: the new PatientID; shift_days: whole days backwards, 1 to 3,650; original: the trimmed
    PatientID; identifiers: what must not be found in a kept text.
    """

    pseudonym: str
    shift_days: int
    original: str = ""
    issuer: str = ""
    placeholder: bool = False
    identifiers: Identifiers = NONE

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Return what is to be said about this subject."""
        return (PLACEHOLDER,) if self.placeholder else ()


class Keys:
    """Makes pseudonyms under one site's secret and one project's domain. Immutable; safe to share."""

    def __init__(
        self, secret: bytes, domain: str = "default", *, digits: int = LEAST_DIGITS, patient_id: str = ""
    ) -> None:
        """Derive the key of the domain.

        `digits` after `ANON-`; `patient_id`, if given, is everybody's new PatientID.
        """
        self.fingerprint = site.fingerprint(secret)
        self.domain = domain
        self.digits = digits
        self.patient_id = patient_id
        self._key = hmac.new(site.derive(secret, "pseudonyms"), _frame(domain), sha256).digest()

    def subject(
        self, patient_id: str, issuer: str, study_uid: str, identifiers: Identifiers = NONE
    ) -> Subject:
        """Return the subject of an object.

        A placeholder PatientID stands for the study, not for the patient.
        """
        patient_id, issuer = trim(patient_id), trim(issuer)
        placeholder = is_placeholder(patient_id)
        who = ("study", "", trim(study_uid)) if placeholder else ("patient", issuer, patient_id)
        return Subject(
            pseudonym=self.patient_id or self._pseudonym(*who),
            shift_days=1 + int.from_bytes(self._digest("shift", *who)[:8]) % MOST_DAYS,
            original=patient_id,
            issuer=issuer,
            placeholder=placeholder,
            identifiers=identifiers,
        )

    def pseudonym(self, patient_id: str, issuer: str = "") -> str:
        """Return `ANON-` and hex digits for another ID than the object's own patient's."""
        return self._pseudonym("patient", trim(issuer), trim(patient_id))

    def uid(self, original: str) -> str:
        """Return the new UID, `2.25.` and a 128-bit number (PS3.5 B.2); standard UIDs stay as they are."""
        original = trim(original)
        if not original or is_standard(original):
            return original
        return f"2.25.{int.from_bytes(self._digest('uid', original)[:16])}"

    def text(self, kind: str, original: str, digits: int = LEAST_DIGITS) -> str:
        """Return hex digits that stand for any other text, such as a segment of a key."""
        return self._digest(kind, trim(original)).hex()[:digits]

    def _pseudonym(self, *who: str) -> str:
        return f"ANON-{self._digest('id', *who).hex()[: self.digits]}"

    def _digest(self, *parts: str) -> bytes:
        return hmac.new(self._key, b"".join(map(_frame, parts)), sha256).digest()


def with_identifiers(subject: Subject, identifiers: Identifiers) -> Subject:
    """Return the subject with other identifiers to look for."""
    return replace(subject, identifiers=identifiers)


def trim(value: str) -> str:
    """Return a value without the padding that carries no meaning (PS3.5 6.2)."""
    return value.strip(" \0\t\r\n")


def is_placeholder(patient_id: str) -> bool:
    """Tell whether a PatientID stands for nobody: empty, or on the shipped list."""
    bare = "".join(c for c in patient_id.casefold() if c.isalnum())
    return not bare.strip("0") or bare in _placeholders()


@cache
def _placeholders() -> frozenset[str]:
    lines = (DATA / "placeholder_ids.txt").read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line and not line.startswith("#"))


def _frame(part: str) -> bytes:
    """Return a part with its length before it, so that no two lists of parts read alike."""
    encoded = part.encode("utf-8", "surrogateescape")
    return len(encoded).to_bytes(4) + encoded
