"""The page as a person uses it: a real browser opens it, sends files, sees the outcome, downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.browser import CHROMIUM, Browser, browser
from tests.doors.process import Serving, process
from tests.doors.serving import FILES
from tests.doors.test_serve import ready

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Serving]]:
    folder = tmp_path_factory.mktemp("browser")
    with process(folder) as served, browser(folder / "profile") as page:
        ready(served.url)
        page.open(f"{served.url}/?token={served.token}")
        yield page, served


def test_the_token_leaves_the_address_and_the_page_opens(opened: tuple[Browser, Serving]) -> None:
    page, served = opened
    assert page.evaluate("location.href") == f"{served.url}/"
    assert page.evaluate("document.querySelector('h1').textContent") == "Send images"


def test_files_are_sent_and_their_outcome_appears_by_itself(
    opened: tuple[Browser, Serving], tmp_path: Path
) -> None:
    page, _ = opened
    text = tmp_path / "<b>notes.txt"
    text.write_text("no image")
    page.choose("#files", [FILES / "CT_small.dcm", FILES / "MR_small.dcm", text])
    page.until("document.getElementById('outcome').textContent.includes('2 accepted')")
    assert page.evaluate("document.getElementById('refused-rows').textContent").startswith("<b>notes.txt")
    page.until("document.querySelectorAll('.status.succeeded').length === 2")
    page.until("document.querySelectorAll('#studies tbody tr').length === 2")


def test_a_study_opens_and_its_object_is_downloaded_by_a_link(opened: tuple[Browser, Serving]) -> None:
    page, served = opened
    study = page.evaluate("document.querySelector('#studies tbody a').href")
    page.open(study)
    page.until("document.querySelector('button[data-key]') !== null")
    key = page.evaluate("document.querySelector('button[data-key]').dataset.key")
    sent = (
        f"{{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: '{{\"key\": \"{key}\"}}'}}"
    )
    fetched = page.evaluate(f"fetch('/links', {sent}).then((answer) => answer.status)")
    assert fetched == 201
    page.evaluate("document.querySelector('button[data-key]').click()")
    page.until("document.getElementById('outcome').textContent === ''")
    assert served.process.poll() is None


def test_the_apis_description_is_drawn(opened: tuple[Browser, Serving]) -> None:
    page, served = opened
    page.open(f"{served.url}/docs")
    page.until("document.querySelectorAll('details.operation').length > 20")
    assert served.process.poll() is None


def test_no_script_failed_and_nothing_was_blocked(opened: tuple[Browser, Serving]) -> None:
    page, _ = opened
    assert page.faults == []
