"""Arguments in the wrong place: refused with our words, and never logged, for one of them may be a key."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from scanward import logs
from scanward.errors import BadInput
from src.delivery.presigned_url_handler import PresignedUrlHandler
from src.storage.s3_handler import S3Handler

pytestmark = pytest.mark.unit

KEY = "patients/DOE-JANE/scan.dcm"
Call = Callable[[], object]


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    logs.configure("ERROR", io.StringIO())


def _calls() -> dict[str, Call]:
    urls = PresignedUrlHandler("bucket")
    return {
        "a key as a lifetime of a download": lambda: urls.generate_download_url("k", KEY),  # type: ignore[arg-type]  # what is tested
        "a key as a lifetime of an upload": lambda: urls.generate_upload_url("k", KEY),  # type: ignore[arg-type]  # as above
        "no key of a secure download": lambda: urls.generate_secure_download_url(None),  # type: ignore[arg-type]  # as above
        "metadata that is a text": lambda: S3Handler("bucket").upload_file(__file__, "k", KEY),  # type: ignore[arg-type]  # as above
        "metadata of an upload's URL": lambda: urls.generate_upload_url("k", metadata=KEY),  # type: ignore[arg-type]  # as above
        "a lifetime as a batch": lambda: urls.generate_batch_download_urls(3600),  # type: ignore[arg-type]  # as above
    }


@pytest.mark.parametrize("which", range(6))
def test_a_misplaced_argument_is_bad_input_and_stands_in_no_log(log: io.StringIO, which: int) -> None:
    name, call = list(_calls().items())[which]
    with pytest.raises(BadInput) as raised:
        call()
    assert "DOE" not in str(raised.value) + log.getvalue(), name
