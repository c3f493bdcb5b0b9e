"""What a column's name says, in words and in medical English: identifiers, outcomes, things known only afterwards."""

from __future__ import annotations

import re
from functools import lru_cache

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
UNIT_IN_NAME = re.compile(r"[\(\[]\s*([^\)\]]{0,14}[^\W\d_%°][^\)\]]{0,14}?|[%°][^\)\]]{0,14}?)\s*[\)\]]\s*$")
LONGEST_NAME = 8  # words; a longer one is a sentence, and its words say nothing about the column

ID_WORDS = {"id", "ids", "mrn", "pid", "uid", "uuid", "guid", "ssn", "nhs", "nbr", "identifier", "accession", "sno",
            "serial", "rowid", "index", "idx", "key", "recordid", "patientid", "subjectid", "studyid", "caseid", "hadm",
            "encounterid"}
ID_NAMES = {"no", "nr", "number", "case", "record", "patient", "subject", "participant", "rownames", "unnamed 0", "x"}
PERSON_WORDS = {"patient", "patients", "subject", "subj", "participant", "person", "individual", "proband", "mrn",
                "pid", "patientid", "subjectid", "nhs", "ssn", "medical record", "hospital number", "pat"}
VISIT_WORDS = {"encounter", "visit", "admission", "hadm", "stay", "episode", "study", "sample", "image", "exam",
               "accession", "scan", "order", "event", "row", "record", "document", "question", "answer", "type",
               "disposition", "source", "site", "centre", "center", "ward", "unit", "hospital", "clinic"}
NAME_WORDS = {"surname", "firstname", "lastname", "forename", "patientname", "fullname", "address", "phone",
              "telephone", "email", "postcode", "zip", "zipcode"}
FILE_WORDS = {"file", "filename", "path", "segfile", "image", "dicom"}

# An outcome that a model would be asked for. The number is how plainly the name says so.
OUTCOMES = {"outcome": 10, "target": 10, "label": 9, "class": 8, "diagnosis": 8, "finding": 6, "died": 9, "death": 9,
            "dead": 8, "deceased": 8, "mortality": 9, "readmitted": 9, "readmission": 9, "recurrence": 9, "reccured": 9,
            "recurred": 9, "relapse": 9, "relapsed": 9, "metastasis": 6, "survived": 8, "survival": 7, "hospdead": 9,
            "classification": 8, "disease": 6, "malignant": 7, "malignancy": 7, "cancer": 6, "risklevel": 8, "y": 5,
            "decision": 6, "result": 4, "status": 4, "severity": 5, "progression": 6, "sepsis": 6, "stroke": 6,
            "complication": 6, "hospitaldeath": 9, "ckd": 6, "condition": 5, "event": 4, "prognosis": 6, "response": 3,
            "nsp": 9}

# Known only at or after the outcome (RIGOUR.md, L6).
PROXIES = {"discharge": "a discharge", "discharged": "a discharge", "death": "a death", "died": "a death",
           "dead": "a death", "deceased": "a death", "hospdead": "a death", "mortality": "a death",
           "survival": "survival", "survived": "survival", "autopsy": "an autopsy", "postmortem": "an autopsy",
           "icu out": "leaving intensive care", "icuout": "leaving intensive care", "los": "a length of stay",
           "slos": "a length of stay", "length of stay": "a length of stay", "hospice": "hospice care",
           "disposition": "where the patient went afterwards", "outcome": "an outcome", "readmitted": "a readmission",
           "readmission": "a readmission", "recurrence": "a recurrence", "relapse": "a relapse",
           "followup": "a follow-up", "follow up": "a follow-up", "charges": "costs",
           "totcst": "costs", "totmcst": "costs",
           "response": "a response to treatment", "prognosis": "a prognosis", "surv2m": "an estimate of survival",
           "surv6m": "an estimate of survival", "prg2m": "a physician's prognosis", "prg6m": "a physician's prognosis",
           "dnr": "a decision near the end of life", "dnrday": "a decision near the end of life",
           "sfdm2": "a state after two months", "caption": "a description written by somebody who knew",
           "cause of death": "a death", "censored": "a follow-up", "vital status": "a death"}
TIME_NAMES = {"time", "d time", "time to event", "duration", "days", "follow up time", "event time", "survival time",
              "futime", "os time", "pfs time", "tte", "survtime"}
EVENT_WORDS = {"death", "died", "dead", "event", "deceased", "mortality", "recurrence", "relapse", "reccured",
               "survival", "survived", "status", "readmitted"}

# Measurements that are never zero in a living person: a zero stands for "not measured".
NEVER_ZERO = {"glucose", "bmi", "bp", "blood pressure", "bloodpressure", "skinthickness", "skin thickness", "insulin",
              "weight", "height", "sbp", "dbp", "systolic", "diastolic", "systolicbp", "diastolicbp", "heartrate",
              "heart rate", "hr", "pulse", "temperature", "bodytemp", "temp", "chol", "cholesterol", "ldl", "hdl",
              "hemoglobin", "haemoglobin", "hemo", "hgb", "creatinine", "sodium", "potassium", "albumin", "platelets",
              "trestbps", "thalach", "hba1c", "map", "meanbp", "spo2", "resp", "hematocrit", "ph", "calcium"}
AGE_NAMES = {"age", "ages", "age years", "age yrs", "patient age", "age at diagnosis", "age at admission", "agey",
             "age year", "alter", "anchor age"}
AGE_BANDS = (18, 40, 65, 80)  # years at which a band of ages begins
SITE_WORDS = {"site", "centre", "center", "hospital", "clinic", "ward"}
SEX_NAMES = {"sex", "gender", "male", "female", "biological sex", "geschlecht"}
CODE_NAMES = {"icd9", "icd10", "icd 9", "icd 10", "icd9cm", "icd10cm", "icd code", "diagnosis code", "diag code",
              "dx code", "procedure code", "cpt", "hcpcs", "drg", "snomed", "loinc", "ndc"}  # of codes, numbers or not
CODED_WORDS = CODE_NAMES | {"icd", "diag", "dx", "diagnosis", "code", "codes"}  # of codes where some hold letters
COUNT_WORDS = {"number", "num", "count", "counts", "n", "score", "pregnancies", "parity", "gravida", "visits", "doses"}


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """A name as lower-case words: "DEATH_EVENT" -> death event, "RiskLevel" -> risk level, "d.time" -> d time."""
    spaced = CAMEL.sub(" ", UNIT_IN_NAME.sub("", name))
    return tuple(each for each in re.split(r"[^\w]+|_+", spaced.lower()) if each)


def phrase(name: str) -> str:
    return " ".join(words(name))


def says(name: str, vocabulary: set[str] | dict[str, object]) -> str | None:
    """The first entry of a vocabulary that a name holds as a whole word, as words side by side, or run together."""
    found = words(name)
    if len(found) > LONGEST_NAME:
        return None
    whole = f" {' '.join(found)} "
    for entry in vocabulary:
        if f" {entry} " in whole or "".join(found) == entry:
            return entry
    return None


def is_age(name: str) -> bool:
    return phrase(name) in AGE_NAMES


def looks_like_id(name: str) -> bool:
    """True for "patient_id", "MRN", "subject no", "id"; the values decide whether it is one."""
    return says(name, ID_WORDS) is not None or phrase(name) in ID_NAMES


def lists_codes(name: str) -> bool:
    """True for "icd9_main", "DRG", "icd": its numbers are codes, whether or not letters stand among them."""
    return says(name, CODE_NAMES) is not None or phrase(name) == "icd"


def outcome_weight(name: str) -> int:
    """How plainly a name says that it is an outcome, 0-10."""
    entry = says(name, OUTCOMES)
    return OUTCOMES[entry] if entry else 0


def unit_of(name: str) -> str | None:
    """The unit that a name ends in, in brackets: "CRP (mg/L)" -> "mg/L"."""
    found = UNIT_IN_NAME.search(name)
    return found.group(1) if found else None
