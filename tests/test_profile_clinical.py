"""The scan of real clinical tables, read as a clinician would; expectations from each set's SOURCE.md."""

from __future__ import annotations

import pytest

from medml import profile

CODED = {  # integers that name groups, and integers that measure
    "heart_cleveland": ({"cp", "restecg", "slope", "thal", "num"}, {"age", "trestbps", "chol", "thalach", "oldpeak"}),
    "pima_diabetes": (set(), {"Pregnancies", "Glucose", "BMI", "Age"}),
    "dermatology": ({"class"}, {"erythema", "scaling", "Age"}),
    "diabetes130_readmission": (
        {"admission_type_id", "discharge_disposition_id", "diag_1", "diag_2", "diag_3", "race", "readmitted"},
        {"time_in_hospital", "num_procedures", "number_diagnoses"}),
    "support2_survival": ({"dzgroup", "race", "income"}, {"age", "meanbp", "num.co", "edu"}),
}
TARGETS = {"heart_cleveland": "num", "pima_diabetes": "Outcome", "breast_cancer_wdbc": "diagnosis",
           "hepatitis_uci": "Class", "heart_failure_records": "DEATH_EVENT", "thyroid_cancer_recurrence": "Reccured",
           "chronic_kidney_disease": "classification", "maternal_health_risk": "RiskLevel", "cardiotocography": "NSP",
           "dermatology": "class", "hypothyroid": "Class", "support2_survival": "death",
           "diabetes130_readmission": "readmitted", "nih_cxr": "label", "busi_ultrasound": "label"}
LARGEST = {"diabetes130_readmission": "diabetic_data.csv"}


@pytest.fixture(scope="module")
def scanned(clinical, tmp_path_factory):
    """The largest table of each set, scanned once."""
    import os
    before = os.environ.get("MEDML_HOME")
    os.environ["MEDML_HOME"] = str(tmp_path_factory.mktemp("home"))
    found: dict = {}

    def of(name):
        if name not in found:
            files = sorted((clinical / name).glob("*.csv"), key=lambda each: each.stat().st_size)
            found[name] = profile.scan(files[-1]).tables[0]
        return found[name]

    yield of
    if before is not None:
        os.environ["MEDML_HOME"] = before


def codes(table, column):
    return {each.code for each in table.column(column).suspicions}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_published_outcome_is_proposed_first(scanned, name):
    assert scanned(name).targets[0].column == TARGETS[name]


@pytest.mark.parametrize("name", sorted(CODED))
def test_codes_are_categories_and_measurements_are_numbers(scanned, name):
    table, (categories, numbers) = scanned(name), CODED[name]
    assert {each for each in categories if table.column(each).kind != "category"} == set()
    assert {each for each in numbers if table.column(each).kind != "number"} == set()


def test_counts_are_those_of_the_published_table(scanned):
    table = scanned("heart_cleveland")
    assert (table.rows, len(table.columns), table.duplicates) == (303, 14, 0)
    assert sum(each.missing for each in table.columns) == 6
    assert [(each.label, each.n) for each in table.column("num").levels] == [
        ("0", 164), ("1", 55), ("2", 36), ("3", 35), ("4", 13)]


@pytest.mark.parametrize(("name", "rows", "duplicates"), [
    ("maternal_health_risk", 1014, 562), ("hypothyroid", 3772, 61), ("thyroid_cancer_recurrence", 383, 19)])
def test_duplicate_rows_are_counted(scanned, name, rows, duplicates):
    table = scanned(name)
    assert (table.rows, table.duplicates) == (rows, duplicates)


def test_follow_up_time_of_heart_failure_is_suspected(scanned):
    table = scanned("heart_failure_records")
    assert {"outcome_proxy", "row_order"} <= codes(table, "time")
    assert [each.column for each in table.leave_out] == ["time"]


def test_response_of_thyroid_cancer_is_near_the_outcome(scanned):
    assert {"outcome_proxy", "leak"} <= codes(scanned("thyroid_cancer_recurrence"), "Response")


def test_the_other_label_of_cardiotocography_and_its_parts_are_leaks(scanned):
    table = scanned("cardiotocography")
    out = {each.column for each in table.leave_out}
    assert {"CLASS", "A", "B", "C", "D", "E", "AD", "DE", "LD", "FS", "SUSP", "SegFile", "DR"} <= out
    assert not out & {"LB", "AC", "ASTV", "Mean", "Tendency"}


def test_strong_predictors_of_breast_cancer_are_asked_about_but_kept(scanned):
    table = scanned("breast_cancer_wdbc")
    assert "leak" in codes(table, "perimeterworst") and "leak" not in codes(table, "texturemean")
    assert table.leave_out == []


def test_what_is_known_afterwards_in_support2_is_suspected(scanned):
    table = scanned("support2_survival")
    for name in ("hospdead", "slos", "d.time", "charges", "totcst", "surv2m", "prg6m", "dnr", "sfdm2"):
        assert "outcome_proxy" in codes(table, name), name
    for name in ("age", "meanbp", "crea", "diabetes"):
        assert "outcome_proxy" not in codes(table, name), name
    assert table.column("sno").kind == "identifier"


def test_zeros_that_stand_for_missing_are_found_in_pima_and_only_there(scanned):
    table = scanned("pima_diabetes")
    zeros = {each.name for each in table.columns if "0" in each.sentinels}
    assert zeros == {"Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI"}
    rows = {name: next(s for s in table.column(name).suspicions if s.code == "sentinel_missing").figures.get("rows")
            for name in zeros}
    assert rows == {"Glucose": None, "BloodPressure": 35, "SkinThickness": 227, "Insulin": 374, "BMI": 11}  # fewer: 5


def test_patients_that_come_back_are_found(scanned):
    table = scanned("diabetes130_readmission")
    assert table.patient.column == "patient_nbr"
    assert (table.repeats.n_patients, table.repeats.n_rows) == (71_518, 101_766)
    assert table.column("encounter_id").kind == "identifier"
    assert scanned("nih_cxr").repeats.n_patients == 410


def test_a_dead_column_and_a_constant_one_are_left_out(scanned):
    out = {each.column for each in scanned("hypothyroid").leave_out}
    assert {"TBG", "TBG measured"} <= out


def test_shifted_rows_of_kidney_disease_are_noticed(scanned):
    assert "mixed_types" in codes(scanned("chronic_kidney_disease"), "ba")


def test_captions_written_from_the_label_are_suspected(scanned):
    assert "outcome_proxy" in codes(scanned("busi_ultrasound"), "caption")


def test_no_group_below_ten_is_named_but_classes_of_the_outcome(scanned):
    for name in TARGETS:
        table = scanned(name)
        for column in table.columns:
            if column.name != table.targets[0].column:
                assert all(each.n >= 10 for each in column.levels), (name, column.name)
                assert column.hidden_levels != 1, (name, column.name)
