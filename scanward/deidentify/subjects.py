"""Whose object it is: the attributes of the top level that name the patient, and the subject made of them."""

from __future__ import annotations

from collections.abc import Mapping

from scanward.deidentify.identifiers import identifiers
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.profile import Profile
from scanward.deidentify.skeleton import skeletons
from scanward.errors import Fault, Quarantined

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
    0x00101040,  # PatientAddress
    STUDY_UID,
    SERIES_UID,
)
# Numbers given by a machine or a clerk, often small ones: only such as tell something.
_WEAK_ID_TAGS: tuple[int, ...] = (
    0x00200010,  # StudyID
    0x00401001,  # RequestedProcedureID
    0x00400009,  # ScheduledProcedureStepID
    0x00400253,  # PerformedProcedureStepID
)
WEAK_ID = _WEAK_ID_TAGS[0]
_ADDRESS = 0x00101040
_INSTITUTION_TAGS = (
    0x00080080,  # InstitutionName
    0x00080081,  # InstitutionAddress
)
_DEVICE_TAGS = (0x00181000,)  # DeviceSerialNumber
# Days of the examination. Those with a time of day may differ from instance to instance, and are not asked.
_DATE_TAGS = (
    0x00080020,  # StudyDate
    0x00080021,  # SeriesDate
    0x00080022,  # AcquisitionDate
    0x00080023,  # ContentDate
)
_LEAST_WEAK = 5
_MAKERS = frozenset({
    "siemens", "siemenshealthineers", "siemensmedicalsystems", "ge", "gehealthcare", "gemedicalsystems",
    "philips", "philipsmedicalsystems", "philipshealthcare", "toshiba", "toshibamec", "canon", "canonmec",
    "hitachi", "fujifilm", "agfa", "kodak", "carestream", "elekta", "varian", "varianmedicalsystems",
    "bruker", "shimadzu", "hologic", "mindray", "samsung", "unitedimaging", "picker", "marconi", "elscint",
})  # fmt: skip
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
    0x00400006,  # ScheduledPerformingPhysicianName
    0x00402008,  # OrderEnteredBy
)
BIRTH_DATE = 0x00100030
# All that decides whose object it is: the byte path's key of a subject.
TAGS = frozenset(
    {ISSUER, BIRTH_DATE, *ID_TAGS, *_WEAK_ID_TAGS, *_INSTITUTION_TAGS, *_DEVICE_TAGS, *_DATE_TAGS, *NAME_TAGS}
)
_EXCESS = Fault(
    "identifiers-excessive",
    "The object names more people or numbers, or longer ones, than can be looked for in its texts.",
    clause="PS3.15 E.3.5",
)


def subject_of(values: Mapping[int, tuple[str, ...]], keys: Keys, profile: Profile) -> Subject:
    """Return the subject of an object from its top-level values by tag.

    values: decoded, those of `TAGS` that the object has. What the profile keeps is no identifier. Raises
    Quarantined if there are more identifiers than can be looked for.
    """
    found = identifiers(
        ids=_ids(values, profile),
        names=_of(values, NAME_TAGS),
        dates=_of(values, (BIRTH_DATE, *(() if profile.dates == "keep" else _DATE_TAGS))),
    )
    if found.is_excessive:
        raise Quarantined(_EXCESS.message, faults=(_EXCESS,))
    return keys.subject(
        "\\".join(values.get(PATIENT_ID, ())),
        "\\".join(values.get(ISSUER, ())),
        "\\".join(values.get(STUDY_UID, ())),
        found,
    )


def _ids(values: Mapping[int, tuple[str, ...]], profile: Profile) -> tuple[str, ...]:
    """Return numbers, and places: an address also word by word."""
    weak = _WEAK_ID_TAGS + (() if profile.retain_device_identity else _DEVICE_TAGS)
    words = tuple(word.strip(",;.") for value in values.get(_ADDRESS, ()) for word in value.split())
    places = () if profile.retain_institution_identity else _places(values)
    telling = tuple(
        one for one in (*_of(values, weak), *places, *words) if len(one.strip(" \0")) >= _LEAST_WEAK
    )
    return tuple(dict.fromkeys((*_of(values, ID_TAGS), *telling)))


def _places(values: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the institution's name and address, but no maker's name that a test image has in their place."""
    found = _of(values, _INSTITUTION_TAGS)
    return tuple(one for one in found if skeletons(one)[0] not in _MAKERS)


def _of(values: Mapping[int, tuple[str, ...]], tags: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(value for tag in tags for value in values.get(tag, ()))
