from __future__ import annotations

import json

import pytest

from scanward.deidentify import report
from tests.deidentify.objects import KEYS, cleaned, ct, joined, part10, policy

pytestmark = pytest.mark.unit


def test_a_report_holds_paths_and_new_uids_and_never_a_value() -> None:
    file = part10(ct())
    result = cleaned(file)
    said = report.as_json(
        result, profile="hipaa-safe-harbor", policy_hash=policy().hash, key_fingerprint=KEYS.fingerprint
    )
    text = json.dumps(said)
    assert not [
        word for word in ("Rossi", "Giulia", "MRN-4711", "ACC-90210", "1.2.3.4.5", "1931") if word in text
    ]
    assert ["(0010,0010)", "D"] in json.loads(text)["changes"]
    assert json.loads(text)["counts"]["U"] == 3
    assert json.loads(text)["instance_uid"] == KEYS.uid("1.2.3.4.5.6.7.1")


def test_the_size_is_that_of_the_output() -> None:
    file = part10(ct())
    result = cleaned(file)
    assert result.size == len(joined(result, file))


def test_a_path_is_written_with_its_item_indices() -> None:
    assert report.path_text((0x00081140, 0, 0x00081155)) == "(0008,1140)[0].(0008,1155)"
