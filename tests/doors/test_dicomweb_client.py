"""Every call of dicomweb-client, a client that knows nothing of Scanward, from storing to bulk data."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from tests.doors.serving import CT, FILES, MR, TOKEN, Served, serving, settings_for

pytestmark = pytest.mark.integration
MULTI = (FILES / "SC_rgb_rle_2frame.dcm").read_bytes()


def read(raw: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(raw))


def place_of(raw: bytes) -> tuple[str, str, str]:
    one = read(raw)
    return one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DICOMwebClient]:
    with serving(settings_for(tmp_path_factory.mktemp("client"))) as running:
        yield client_of(running)


def client_of(running: Served) -> DICOMwebClient:
    found = DICOMwebClient(f"{running.url}/dicomweb/raw", headers={"Authorization": f"Bearer {TOKEN}"})
    told = found.store_instances([read(raw) for raw in (CT, MR, MULTI)])
    assert len(told.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in told
    return found


def test_it_stores_into_a_study(client: DICOMwebClient) -> None:
    told = client.store_instances([read(CT)], study_instance_uid=place_of(CT)[0])
    assert told.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == place_of(CT)[2]


def test_it_searches_every_level(client: DICOMwebClient) -> None:
    study, series, instance = place_of(CT)
    filters = {"PatientID": "1CT1"}
    assert len(client.search_for_studies(search_filters=filters, fields=["StudyDescription"], limit=5)) == 1
    assert len(client.search_for_studies(fuzzymatching=True, search_filters={"PatientName": "comp"})) == 2
    assert len(client.search_for_studies(limit=1, offset=1)) == 1
    assert len(client.search_for_studies(limit=1, get_remaining=True)) == 3
    assert len(client.search_for_series(search_filters={"Modality": "CT"})) == 1
    assert client.search_for_series(study)[0]["0020000E"]["Value"] == [series]
    assert client.search_for_instances(study, series)[0]["00080018"]["Value"] == [instance]
    assert len(client.search_for_instances(study)) == 1
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_it_retrieves_and_iterates_objects(client: DICOMwebClient) -> None:
    study, series, instance = place_of(MR)
    for found in (
        *client.retrieve_study(study),
        *client.retrieve_series(study, series),
        client.retrieve_instance(study, series, instance),
        *client.iter_study(study),
        *client.iter_series(study, series),
    ):
        assert found == read(MR)


def test_it_retrieves_metadata(client: DICOMwebClient) -> None:
    study, series, instance = place_of(MR)
    one = client.retrieve_instance_metadata(study, series, instance)
    assert client.retrieve_series_metadata(study, series) == [one]
    assert client.retrieve_study_metadata(study) == [one]
    assert pydicom.Dataset.from_json(one, bulk_data_uri_handler=lambda _: b"").Rows == read(MR).Rows
    assert client.lookup_keyword("00280010") == "Rows"
    assert client.lookup_tag("Rows") in one


def test_it_retrieves_and_iterates_frames(client: DICOMwebClient) -> None:
    frames = client.retrieve_instance_frames(*place_of(MULTI), [1, 2])
    assert len(frames) == 2
    assert list(client.iter_instance_frames(*place_of(MULTI), [2, 1])) == frames[::-1]
    (only,) = client.retrieve_instance_frames(*place_of(CT), [1])
    assert only == read(CT).PixelData


def test_it_retrieves_and_iterates_bulk_data(client: DICOMwebClient) -> None:
    address = client.retrieve_instance_metadata(*place_of(CT))["7FE00010"]["BulkDataURI"]
    assert client.retrieve_bulkdata(address) == [read(CT).PixelData]
    assert list(client.iter_bulkdata(address)) == [read(CT).PixelData]
    assert client.retrieve_bulkdata(address, byte_range=(0, 9)) in (
        [read(CT).PixelData],
        [read(CT).PixelData[:10]],
    )
