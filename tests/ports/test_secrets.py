"""Every test of what a port of secrets does runs against the key file and against Secrets Manager."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from scanward.adapters.aws.secrets_manager import SecretsManagerSecrets
from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_site import check_key
from scanward.deidentify.secret import encode
from scanward.errors import Misconfigured, Refused
from scanward.ports.secrets import Secrets

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.integration

Open = Callable[[str], Secrets]


@pytest.fixture
def manager() -> Iterator[SecretsManagerClient]:
    with mock_aws():
        yield boto3.client(
            "secretsmanager",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@pytest.fixture(params=["file", "secrets-manager"])
def open_named(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return what opens the secret of a name anew, as another process would."""
    if request.param == "file":
        return lambda name: FileSecrets(tmp_path / "keys" / name)
    client: SecretsManagerClient = request.getfixturevalue("manager")

    def opened(name: str) -> Secrets:
        known = {one["Name"] for one in client.list_secrets()["SecretList"]}
        if name not in known:
            client.create_secret(Name=name)
        return SecretsManagerSecrets(name, client)

    return opened


def test_the_secret_is_made_at_first_use_and_stays(open_named: Open) -> None:
    first = open_named("site")
    assert not first.exists
    assert len(first.site_secret()) == 32
    assert first.exists
    again = open_named("site")
    assert again.exists
    assert again.site_secret() == first.site_secret()
    assert again.fingerprint() == first.fingerprint()
    assert open_named("other").site_secret() != first.site_secret()


def test_each_purpose_has_a_key_of_its_own(open_named: Open) -> None:
    secrets = open_named("site")
    made = {secrets.derive(purpose) for purpose in ("links", "sessions", "crosswalk")}
    assert len(made) == 3
    assert secrets.site_secret() not in made
    assert secrets.derive("links") == open_named("site").derive("links")


def test_a_catalog_keeps_to_the_key_that_made_it(database: Database, open_named: Open) -> None:
    check_key(database, open_named("site"))
    check_key(database, open_named("site"))
    other = open_named("other")
    other.site_secret()
    with pytest.raises(Misconfigured, match=open_named("site").fingerprint()):
        check_key(database, other)


def test_a_missing_key_refuses_and_is_not_made_anew(database: Database, open_named: Open) -> None:
    check_key(database, open_named("site"))
    missing = open_named("missing")
    with pytest.raises(Misconfigured, match="missing"):
        check_key(database, missing)
    assert not missing.exists


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "site.key"
    FileSecrets(path).site_secret()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["digits", "exported", "bytes"])
def test_both_engines_derive_the_same_keys_from_one_secret(
    manager: SecretsManagerClient, tmp_path: Path, kind: str
) -> None:
    local = FileSecrets(tmp_path / "site.key")
    secret = local.site_secret()
    if kind == "bytes":
        manager.create_secret(Name="site", SecretBinary=secret)
    else:
        manager.create_secret(Name="site", SecretString=secret.hex() if kind == "digits" else encode(secret))
    there = SecretsManagerSecrets("site", manager)
    assert there.site_secret() == secret
    assert there.derive("links") == local.derive("links")
    assert there.fingerprint() == local.fingerprint()


def test_of_two_that_come_first_one_makes_the_secret(manager: SecretsManagerClient) -> None:
    manager.create_secret(Name="site")
    quicker = SecretsManagerSecrets("site", manager)
    made: list[bytes] = []

    def overtake(**_: object) -> None:
        if not made:
            made.append(b"")
            made[0] = quicker.site_secret()

    manager.meta.events.register("before-call.secrets-manager.PutSecretValue", overtake)
    assert SecretsManagerSecrets("site", manager).site_secret() == made[0]
    assert len(manager.list_secret_version_ids(SecretId="site")["Versions"]) == 1


@pytest.mark.parametrize("value", ["", "no secret", "abcd", "00" * 33])
def test_what_is_no_secret_is_told_and_never_shown(manager: SecretsManagerClient, value: str) -> None:
    manager.create_secret(Name="site", SecretString=value or "{}")
    with pytest.raises(Misconfigured, match="64 hex digits") as caught:
        SecretsManagerSecrets("site", manager).site_secret()
    assert not value or value not in caught.value.message


def test_a_secret_that_the_stack_did_not_make_is_not_made_here(manager: SecretsManagerClient) -> None:
    secrets = SecretsManagerSecrets("site", manager)
    with pytest.raises(Misconfigured, match="SCANWARD_AWS_SITE_SECRET_ARN"):
        secrets.site_secret()
    assert not secrets.exists
    assert not manager.list_secrets()["SecretList"]


def test_a_secret_that_is_denied_is_refused_and_not_made_anew(manager: SecretsManagerClient) -> None:
    manager.create_secret(Name="site")
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "site"}, "ResponseMetadata": {}}
    # The stubs say None; what a handler returns is taken for the answer.
    answer: Any = lambda **_: (SimpleNamespace(status_code=400), denied)  # noqa: E731 - typed as Any
    manager.meta.events.register("before-call.secrets-manager.GetSecretValue", answer)
    secrets = SecretsManagerSecrets("site", manager)
    with pytest.raises(Refused):
        secrets.site_secret()
    assert not manager.list_secret_version_ids(SecretId="site").get("Versions")
