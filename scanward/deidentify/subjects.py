"""Whose object it is: the attributes of the top level that name the patient, and the subject made of them."""

from __future__ import annotations

from collections.abc import Mapping

from scanward.deidentify.identifiers import identifiers
from scanward.deidentify.keys import Keys, Subject

PATIENT_ID = 0x00100020
ISSUER = 0x00100021
STUDY_UID = 0x0020000D
SERIES_UID = 0x0020000E
INSTANCE_UID = 0x00080018

# Numbers given to this patient, this visit or this order.
ID_TAGS = (
    PATIENT_ID,
    0x00080050,  # AccessionNumber
    0x00101000,  # OtherPatientIDs
    0x00101090,  # MedicalRecordLocator
    0x00102154,  # PatientTelephoneNumbers
    0x00380010,  # AdmissionID
    0x00380060,  # ServiceEpisodeID
    0x00402016,  # PlacerOrderNumberImagingServiceRequest
    0x00402017,  # FillerOrderNumberImagingServiceRequest
)
# People: the patient, the family, and those who treated the patient.
NAME_TAGS = (
    0x00100010,  # PatientName
    0x00101001,  # OtherPatientNames
    0x00101005,  # PatientBirthName
    0x00101060,  # PatientMotherBirthName
    0x00102297,  # ResponsiblePerson
    0x00080090,  # ReferringPhysicianName
    0x00081048,  # PhysiciansOfRecord
    0x00081050,  # PerformingPhysicianName
    0x00081060,  # NameOfPhysiciansReadingStudy
    0x00081070,  # OperatorsName
    0x00321032,  # RequestingPhysician
)
BIRTH_DATE = 0x00100030
TAGS = frozenset({ISSUER, STUDY_UID, BIRTH_DATE, *ID_TAGS, *NAME_TAGS})


def subject_of(values: Mapping[int, tuple[str, ...]], keys: Keys) -> Subject:
    """Return the subject of an object from its top-level values by tag .

    values: decoded, those of `TAGS` that the object has.
    """
    found = identifiers(
        ids=tuple(value for tag in ID_TAGS for value in values.get(tag, ())),
        names=tuple(value for tag in NAME_TAGS for value in values.get(tag, ())),
        dates=values.get(BIRTH_DATE, ()),
    )
    return keys.subject(
        "\\".join(values.get(PATIENT_ID, ())),
        "\\".join(values.get(ISSUER, ())),
        "\\".join(values.get(STUDY_UID, ())),
        found,
    )
