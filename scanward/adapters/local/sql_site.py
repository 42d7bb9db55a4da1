"""Whose catalog it is: the fingerprint of the secret that made its pseudonyms."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_tables import site
from scanward.errors import Misconfigured
from scanward.ports.secrets import Secrets

_NAME = "key_fingerprint"
_FOREIGN = "foreign_store"


def check_key(database: Database, secrets: Secrets) -> None:
    """Refuse another or a missing secret, and note the fingerprint in a catalog that has none yet.

    With another secret the same patient would get a second pseudonym, and the crosswalk could not be read.
    Raises Misconfigured; a missing key file is not made then.
    """
    with database.reading() as connection:
        wanted = connection.execute(select(site.c.value).where(site.c.name == _NAME)).scalar()
    if wanted is None:
        wanted = _note(database, secrets.fingerprint())
    elif not secrets.exists:
        raise Misconfigured(
            f"The catalog was made with the key {wanted}, but the key file is missing: put it back or restore"
            " it with `scanward key import` (SCANWARD_KEY_FILE names its place)."
        )
    found = secrets.fingerprint()
    if found != wanted:
        raise Misconfigured(
            f"The catalog was made with the key {wanted}, but the key file holds {found}: set"
            " SCANWARD_KEY_FILE to the right one, or use another data folder."
        )


def _note(database: Database, fingerprint: str) -> str:
    """Note the fingerprint unless another process just did; return the one that is noted."""
    with database.writing(site) as connection:
        noted = connection.execute(select(site.c.value).where(site.c.name == _NAME)).scalar()
        if noted is None:
            connection.execute(insert(site).values(name=_NAME, value=fingerprint))
    return noted or fingerprint


def note_foreign(database: Database) -> None:
    """Note that the catalog was made over a store that held objects: then it is no judge of them."""
    with database.writing(site) as connection:
        connection.execute(insert(site).values(name=_FOREIGN, value="yes"))


def is_foreign(database: Database) -> bool:
    """Return whether the catalog was made over another's store, and no reindex has taken that in since."""
    with database.reading() as connection:
        return connection.execute(select(site.c.value).where(site.c.name == _FOREIGN)).scalar() is not None


def forget_foreign(connection: Connection) -> None:
    """Note that a reindex has taken in what the store holds."""
    connection.execute(delete(site).where(site.c.name == _FOREIGN))
