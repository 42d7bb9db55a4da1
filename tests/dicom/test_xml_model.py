"""The Native DICOM Model (PS3.19 A.1)."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from scanward.dicom.json_model import JsonModels, lines, whole
from scanward.dicom.structure import check
from scanward.dicom.xml_model import NAMESPACE, native_model
from scanward.errors import InvalidDicom
from tests.dicom.real import files, name_of

pytestmark = pytest.mark.unit


def made(**attributes: object) -> ET.Element:
    return ET.fromstring(native_model(json.dumps(attributes).encode()))  # noqa: S314 - our own


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_every_real_file_becomes_well_formed_xml_with_the_same_attributes(path: Path) -> None:
    view = memoryview(path.read_bytes())
    try:
        structure = check(view)
    except InvalidDicom:
        pytest.skip("refused by the gate")
    model = whole(lines(JsonModels().fragments(view, structure)), b"https://example.org/i/")
    root = ET.fromstring(native_model(model))  # noqa: S314 - our own
    assert root.tag == f"{{{NAMESPACE}}}NativeDicomModel"
    wanted = [
        tag[:4] + "00" + tag[6:] if one.get("privateCreator") else tag
        for one, tag in zip(root, json.loads(model), strict=True)
    ]
    assert [one.get("tag") for one in root] == wanted


def test_a_name_is_parted_into_its_components() -> None:
    root = made(**{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B^^Dr.", "Ideographic": "山田"}]}})
    name = root.find("{*}DicomAttribute/{*}PersonName")
    assert name is not None
    assert name.findtext("{*}Alphabetic/{*}FamilyName") == "A"
    assert name.findtext("{*}Alphabetic/{*}NamePrefix") == "Dr."
    assert name.find("{*}Alphabetic/{*}MiddleName") is None
    assert name.findtext("{*}Ideographic/{*}FamilyName") == "山田"


def test_values_keep_their_numbers_and_their_characters() -> None:
    root = made(**{"00101000": {"vr": "LO", "Value": ["a<b&c", None, "\x01"]}})
    values = [(one.get("number"), one.text) for one in root.findall(".//{*}Value")]
    assert values == [("1", "a<b&c"), ("2", None), ("3", "\ufffd")]


def test_items_nest_and_bulk_data_is_addressed() -> None:
    item = {"00080100": {"vr": "SH", "Value": ["X"]}, "00420011": {"vr": "OB", "BulkDataURI": "u/1?a=1&b"}}
    root = made(
        **{"00400275": {"vr": "SQ", "Value": [item, {}]}, "00420011": {"vr": "OB", "InlineBinary": "YQ=="}}
    )
    items = root.findall("{*}DicomAttribute/{*}Item")
    assert [one.get("number") for one in items] == ["1", "2"]
    bulk = items[0].find("{*}DicomAttribute/{*}BulkData")
    assert bulk is not None
    assert bulk.get("uri") == "u/1?a=1&b"
    assert len(items[1]) == 0
    assert root.findtext("{*}DicomAttribute/{*}InlineBinary") == "YQ=="


def test_a_private_attribute_names_its_creator() -> None:
    root = made(**{"00090010": {"vr": "LO", "Value": ['ACME "1"']}, "00091001": {"vr": "SH", "Value": ["x"]}})
    assert [one.get("privateCreator") for one in root] == [None, 'ACME "1"']
    assert [one.get("tag") for one in root] == ["00090010", "00090001"]
    assert root[0].get("keyword") is None
