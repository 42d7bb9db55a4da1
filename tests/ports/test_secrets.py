from __future__ import annotations

import stat
from pathlib import Path

import pytest

from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_site import check_key
from scanward.errors import Misconfigured

pytestmark = pytest.mark.integration


def test_the_secret_is_made_at_first_use_and_stays(site_secrets: FileSecrets, tmp_path: Path) -> None:
    assert not site_secrets.exists
    first = site_secrets.site_secret()
    path = tmp_path / "keys" / "site.key"
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = FileSecrets(path)
    assert again.site_secret() == first
    assert again.fingerprint() == site_secrets.fingerprint()


def test_each_purpose_has_a_key_of_its_own(site_secrets: FileSecrets) -> None:
    made = {site_secrets.derive(purpose) for purpose in ("links", "sessions", "crosswalk")}
    assert len(made) == 3
    assert site_secrets.site_secret() not in made
    assert site_secrets.derive("links") == site_secrets.derive("links")


def test_a_catalog_keeps_to_the_key_that_made_it(
    database: Database, site_secrets: FileSecrets, tmp_path: Path
) -> None:
    check_key(database, site_secrets)
    check_key(database, FileSecrets(tmp_path / "keys" / "site.key"))
    other = FileSecrets(tmp_path / "other.key")
    other.site_secret()
    with pytest.raises(Misconfigured, match=site_secrets.fingerprint()):
        check_key(database, other)


def test_a_missing_key_refuses_and_is_not_made_anew(
    database: Database, site_secrets: FileSecrets, tmp_path: Path
) -> None:
    check_key(database, site_secrets)
    missing = FileSecrets(tmp_path / "missing.key")
    with pytest.raises(Misconfigured, match="missing"):
        check_key(database, missing)
    assert not missing.exists
