"""Which DICOM tags may leave the reader, and which ones identify a person (DICOM PS3.6; PS3.15 annex E)."""

from __future__ import annotations

from medml.errors import UserError

# keyword: (tag, what it holds). "code" is CS or UI, "number" DS or IS, "short" US, "maker" a manufacturer's name.
ALLOWED: dict[str, tuple[int, str]] = {
    "TransferSyntaxUID": (0x00020010, "code"), "SOPClassUID": (0x00080016, "code"), "Modality": (0x00080060, "code"),
    "PresentationIntentType": (0x00080068, "code"), "Manufacturer": (0x00080070, "maker"),
    "BodyPartExamined": (0x00180015, "code"), "SliceThickness": (0x00180050, "number"), "KVP": (0x00180060, "number"),
    "ImagerPixelSpacing": (0x00181164, "number"), "ViewPosition": (0x00185101, "code"),
    "ImageLaterality": (0x00200062, "code"), "SamplesPerPixel": (0x00280002, "short"),
    "PhotometricInterpretation": (0x00280004, "code"), "NumberOfFrames": (0x00280008, "number"),
    "Rows": (0x00280010, "short"), "Columns": (0x00280011, "short"), "PixelSpacing": (0x00280030, "number"),
    "BitsAllocated": (0x00280100, "short"), "BitsStored": (0x00280101, "short"), "HighBit": (0x00280102, "short"),
    "PixelRepresentation": (0x00280103, "short"), "BurnedInAnnotation": (0x00280301, "code"),
    "WindowCenter": (0x00281050, "number"), "WindowWidth": (0x00281051, "number"),
    "RescaleIntercept": (0x00281052, "number"), "RescaleSlope": (0x00281053, "number"),
    "LossyImageCompression": (0x00282110, "code"),
}
PATIENT_ID, INSTANCE_UID, PATIENT_NAME = 0x00100020, 0x00080018, 0x00100010
# What may say whose a picture is; of these only the one asked for is hashed, and nothing of the others is kept.
PATIENT_TAGS: dict[str, int] = {
    "PatientID": PATIENT_ID, "OtherPatientIDs": 0x00101000, "MedicalRecordLocator": 0x00101090,
    "ClinicalTrialSubjectID": 0x00120040, "PatientName": PATIENT_NAME, "AccessionNumber": 0x00080050,
    "StudyInstanceUID": 0x0020000D, "StudyID": 0x00200010, "SeriesInstanceUID": 0x0020000E,
    "FrameOfReferenceUID": 0x00200052}
REFERENCED_FILE, DIRECTORY_RECORDS = 0x00041500, 0x00041220
PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
PRIVATE = "private tags"

# The tags of PS3.15 table E.1-1 that hold a person, a place or a day in nearly every case.
IDENTIFYING: dict[int, str] = {
    0x00080012: "InstanceCreationDate", 0x00080020: "StudyDate", 0x00080021: "SeriesDate",
    0x00080022: "AcquisitionDate", 0x00080023: "ContentDate", 0x0008002A: "AcquisitionDateTime",
    0x00080050: "AccessionNumber", 0x00080080: "InstitutionName", 0x00080081: "InstitutionAddress",
    0x00080090: "ReferringPhysicianName", 0x00080092: "ReferringPhysicianAddress",
    0x00080094: "ReferringPhysicianTelephoneNumbers", 0x00081010: "StationName",
    0x00081040: "InstitutionalDepartmentName", 0x00081048: "PhysiciansOfRecord",
    0x00081050: "PerformingPhysicianName", 0x00081060: "NameOfPhysiciansReadingStudy", 0x00081070: "OperatorsName",
    0x00100010: "PatientName", 0x00100020: "PatientID", 0x00100030: "PatientBirthDate",
    0x00100032: "PatientBirthTime", 0x00101000: "OtherPatientIDs", 0x00101001: "OtherPatientNames",
    0x00101005: "PatientBirthName", 0x00101040: "PatientAddress", 0x00101050: "InsurancePlanIdentification",
    0x00101060: "PatientMotherBirthName", 0x00101080: "MilitaryRank", 0x00101090: "MedicalRecordLocator",
    0x00102150: "CountryOfResidence", 0x00102154: "PatientTelephoneNumbers", 0x001021B0: "AdditionalPatientHistory",
    0x001021F0: "PatientReligiousPreference", 0x00102297: "ResponsiblePerson", 0x00104000: "PatientComments",
    0x00181000: "DeviceSerialNumber", 0x00200010: "StudyID", 0x00204000: "ImageComments",
    0x00321032: "RequestingPhysician", 0x00321033: "RequestingService", 0x00380300: "CurrentPatientLocation",
    0x00400006: "ScheduledPerformingPhysicianName", 0x00402008: "OrderEnteredBy", 0x0040A123: "PersonName",
}
IN_EVERY_FILE = frozenset({"PatientName", "PatientID"})  # the standard asks for them: no reason to warn about one file


def patient_tag(text: str) -> str:
    """The keyword of a tag that may say whose a picture is, from its keyword or its number ("0010,0020").

    raises  UserError with those that may
    """
    number = text.strip("() ").replace(",", "").lower()
    for keyword, tag in PATIENT_TAGS.items():
        if text.strip().lower() == keyword.lower() or number == f"{tag:08x}":
            return keyword
    raise UserError(what=f"“{text}” is no tag that MedML takes to tell patients apart.", code="no_patient_tag",
                    fix=f"Give one of {', '.join(PATIENT_TAGS)}.")
