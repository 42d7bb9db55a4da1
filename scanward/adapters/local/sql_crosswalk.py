"""The crosswalk in SQL: originals sealed with AES-GCM, found by keyed hashes, every look-up audited.

Whoever has the database without the site's secret learns neither an original nor its pseudonym.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select

from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_rows import text_of
from scanward.adapters.local.sql_tables import audit, crosswalk
from scanward.errors import Misconfigured, NotFound
from scanward.ports.crosswalk import Pair
from scanward.ports.secrets import Secrets

_NONCE = 12


class SqlCrosswalk:
    """Crosswalk on SQLite or PostgreSQL."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        """Derive the sealing and the finding key from the site's secret."""
        self._database = database
        self._cipher = AESGCM(secrets.derive("crosswalk"))
        self._marking = secrets.derive("crosswalk-index")

    def record(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Keep pairs, sealed; return those whose pseudonym already stands for another original."""
        marked = {self._mark(pair.kind, pair.pseudonym): pair for pair in reversed(pairs)}
        with self._database.reading() as connection:
            known = _known(connection, list(marked))
        if marked.keys() - known.keys():
            with self._database.writing(crosswalk) as connection:
                known = _known(connection, list(marked))
                rows = [self._row(mark, pair) for mark, pair in marked.items() if mark not in known]
                if rows:
                    connection.execute(insert(crosswalk), rows)
            known |= {str(row["pseudonym_mark"]): str(row["original_mark"]) for row in rows}
        return [pair for pair in pairs if known[self._mark(pair.kind, pair.pseudonym)] != self._origin(pair)]

    def original(self, kind: str, pseudonym: str, asker: str) -> str:
        """Return the original; the look-up is audited, found or not. Raises NotFound."""
        mark = self._mark(kind, pseudonym)
        with self._database.writing() as connection:
            wanted = select(crosswalk.c.sealed).where(crosswalk.c.pseudonym_mark == mark)
            sealed = connection.execute(wanted).scalar()
            connection.execute(
                insert(audit).values(
                    at=time.time(),
                    asker=text_of(asker),
                    action="crosswalk.original",
                    kind=kind,
                    mark=mark,
                    found=sealed is not None,
                )
            )
        if sealed is None:
            raise NotFound(f"The crosswalk has no such {kind}.")
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], mark.encode()).decode()
        except InvalidTag:
            raise Misconfigured("The crosswalk was sealed with another secret than this site's.") from None

    def original_mark(self, kind: str, original: str) -> str:
        """Return what finds the pairs of an original."""
        return self._mark(kind + "\0original", original)

    def pseudonym_mark(self, kind: str, pseudonym: str) -> str:
        """Return what finds the pair of a pseudonym."""
        return self._mark(kind, pseudonym)

    def _row(self, mark: str, pair: Pair) -> dict[str, str | bytes]:
        nonce = os.urandom(_NONCE)
        original = pair.original.encode("utf-8", "replace")
        sealed = nonce + self._cipher.encrypt(nonce, original, mark.encode())
        return {"pseudonym_mark": mark, "original_mark": self._origin(pair), "sealed": sealed}

    def _origin(self, pair: Pair) -> str:
        return self.original_mark(pair.kind, pair.original)

    def _mark(self, kind: str, value: str) -> str:
        message = f"{kind}\0{value}".encode("utf-8", "replace")
        return hmac.new(self._marking, message, hashlib.sha256).hexdigest()


def _known(connection: Connection, marks: list[str]) -> dict[str, str]:
    columns = crosswalk.c
    wanted = select(columns.pseudonym_mark, columns.original_mark).where(columns.pseudonym_mark.in_(marks))
    return dict(connection.execute(wanted).all())
