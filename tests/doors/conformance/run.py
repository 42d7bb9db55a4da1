"""Ask a DICOMweb root what the standard asks: `python -m tests.doors.conformance.run URL [--token …]`.

It stores six small objects of new UIDs there, asks, and prints what passes and what does not.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from tests.doors.conformance import (
    models,
    retrieve_frames,
    retrieve_objects,
    search_forms,
    search_matching,
    storing,
)
from tests.doors.conformance.checks import DICOM, Check, Subject
from tests.doors.conformance.corpus import Corpus, make

CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (search_matching, search_forms, retrieve_objects, retrieve_frames, models, storing)
    for check in module.CHECKS
)


@dataclass(frozen=True)
class Result:
    """fault: "" if the check passes."""

    check: Check
    fault: str


def client_of(url: str, token: str = "", user: str = "") -> httpx.Client:
    """Return a client whose paths are relative to a DICOMweb root. user: `name:password`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    name, _, password = user.partition(":")
    return httpx.Client(
        base_url=url.rstrip("/") + "/",
        headers=headers,
        auth=(name, password) if user else None,
        timeout=60,
        trust_env=False,
    )


def store(client: httpx.Client, corpus: Corpus) -> httpx.Response:
    """Store every object in one request (PS3.18 10.5)."""
    head = f"--edge\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    body = b"".join(head + corpus.bytes_of(label) + b"\r\n" for label in corpus.objects) + b"--edge--\r\n"
    kind = f'multipart/related; type="{DICOM}"; boundary=edge'
    return client.post(
        "studies", content=body, headers={"Content-Type": kind, "Accept": "application/dicom+json"}
    )


def subject_of(client: httpx.Client) -> Subject:
    """Return an archive with a new corpus in it."""
    corpus = make()
    store(client, corpus)
    return Subject(client, corpus)


def result_of(check: Check, subject: Subject) -> Result:
    """Run a check; whatever it stumbles over is a fault of what answered."""
    try:
        check.run(subject)
    except Exception as error:  # noqa: BLE001 - an answer of any shape may break a check in any way
        frame = traceback.extract_tb(error.__traceback__)[-1]
        said = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        return Result(check, (said or frame.line or "it does not hold").splitlines()[0][:200])
    return Result(check, "")


def results(subject: Subject) -> Iterator[Result]:
    """Run every check."""
    return (result_of(check, subject) for check in CHECKS)


def main() -> int:
    """Print what passes and fails; return how the process exits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url", help="the root, for example http://127.0.0.1:8000/dicomweb/raw")
    parser.add_argument("--token", default="", help="a bearer token")
    parser.add_argument("--user", default="", help="name:password of basic authentication")
    parser.add_argument("--faults", action="store_true", help="print only what fails")
    asked = parser.parse_args()
    passed = 0
    with client_of(asked.url, asked.token, asked.user) as client:
        for result in results(subject_of(client)):
            passed += not result.fault
            if result.fault or not asked.faults:
                mark = "FAIL" if result.fault else "pass"
                print(f"{mark}  {result.check.clause:<24} {result.check.sentence}")  # noqa: T201 - its purpose
            if result.fault:
                print(f"{'':30} {result.fault}")  # noqa: T201 - its purpose
    print(f"{passed} of {len(CHECKS)} pass")  # noqa: T201 - its purpose
    return int(passed < len(CHECKS))


if __name__ == "__main__":
    sys.exit(main())
