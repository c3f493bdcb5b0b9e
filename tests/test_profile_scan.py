"""A folder of tables becomes a Profile: what it says, what it never says, and how it goes on past bad files."""

from __future__ import annotations

import datetime as dt
import gzip

import numpy as np
import polars as pl
import pytest

from medml import profile
from medml.errors import Stopped, UserError
from medml.types import Profile
from medml.watch import Silent


def write(path, **columns):
    pl.DataFrame(columns).write_csv(path)
    return path


def cohort(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return {"mrn": [f"P{i:05d}" for i in range(n)], "age": rng.integers(20, 100, n),
            "crp": rng.gamma(2, 20, n).round(2), "ward": rng.choice(["north", "south", "east"], n),
            "died": rng.choice(["yes", "no"], n, p=[0.3, 0.7])}


def test_a_profile_survives_its_json(tmp_path):
    found = profile.scan(write(tmp_path / "a.csv", **cohort()))
    assert Profile.model_validate_json(found.model_dump_json()) == found


def test_a_cohort_is_understood(tmp_path):
    table = profile.scan(write(tmp_path / "a.csv", **cohort())).tables[0]
    assert {each.name: each.kind for each in table.columns} == {
        "mrn": "identifier", "age": "number", "crp": "number", "ward": "category", "died": "yes_no"}
    assert table.targets[0].column == "died" and table.patient.column == "mrn"
    assert table.column("age").high == 90 and table.column("age").high_is_open
    assert table.column("mrn").levels == []


def test_rare_categories_of_the_corpus_are_never_named_or_counted(corpus):
    """b19: a diagnosis held by 3 people, an occupation by 1."""
    found = profile.scan(corpus / "tabular" / "b19_rare_categories.csv")
    assert "ZZCANARY" not in found.model_dump_json()
    for name in ("diagnosis", "occupation"):
        column = found.tables[0].column(name)
        assert column.hidden_levels >= 2 and column.hidden_rows >= 10


def test_extremes_of_the_corpus_are_never_shown(corpus):
    """b20: one person of 318.4 kg, one aged 109."""
    table = profile.scan(corpus / "tabular" / "b20_outlier_identifies.csv").tables[0]
    text = table.model_dump_json()
    assert "318" not in text.replace(table.sha256, "") and "109" not in text.replace(table.sha256, "")


def test_no_cell_of_a_patient_is_in_the_profile(tmp_path):
    """Canaries in identifiers, text and a tenth of the numbers, mid-range too."""
    columns = cohort()
    columns["crp"] = [f"{40 + i / 7919:.7f}" if i % 10 == 0 else str(v) for i, v in enumerate(columns["crp"])]
    columns["note"] = [f"ZZCANARY seen by doctor number {i} on the ward at night" for i in range(300)]
    columns["mrn"] = [f"ZZCANARY{i}" for i in range(300)]
    text = profile.scan(write(tmp_path / "a.csv", **columns)).model_dump_json()
    assert "ZZCANARY" not in text
    assert not [each for each in columns["crp"][::10] if each in text]


def test_outcome_classes_below_ten_are_counted_where_they_are_codes(tmp_path):
    columns = cohort() | {"died": ["1"] * 6 + ["0"] * 294}
    table = profile.scan(write(tmp_path / "a.csv", **columns)).tables[0]
    assert [(each.label, each.n) for each in table.column("died").levels] == [("0", 294), ("1", 6)]


def test_a_folder_is_read_past_its_bad_files(tmp_path):
    write(tmp_path / "good.csv", **cohort())
    (tmp_path / "empty.csv").touch()
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress((tmp_path / "good.csv").read_bytes()))
    found = profile.scan(tmp_path)
    assert {each.path: each.action for each in found.files} == {
        "good.csv": "read", "empty.csv": "skip", "noise.csv": "skip", "packed.csv.gz": "read"}
    assert [each.rows for each in found.tables] == [300, 300]


def test_a_missing_folder_is_said_in_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no folder or file"):
        profile.scan(tmp_path / "gone")


def test_every_proposal_and_suspicion_has_words(tmp_path):
    table = profile.scan(write(tmp_path / "a.csv", **cohort())).tables[0]
    for each in [*table.targets, table.patient, *table.leave_out]:
        assert each.reason.endswith(".")
    for column in table.columns:
        for each in column.suspicions:
            assert each.what.endswith(".") and each.fix.endswith("."), each


def test_an_id_that_comes_back_is_the_patient_column(tmp_path):
    columns = {name: np.repeat(cells, 3) for name, cells in cohort(120).items() if name != "mrn"}
    subjects = np.repeat(np.arange(120) * 7 + 1000, 3)
    table = profile.scan(write(tmp_path / "a.csv", subject_id=subjects, **columns)).tables[0]
    assert table.patient.column == "subject_id"
    assert (table.repeats.n_patients, table.repeats.n_rows, table.repeats.most_rows) == (120, 360, 3)


def test_a_unique_rising_number_is_an_identifier_and_a_measurement_is_not(tmp_path):
    rng = np.random.default_rng(3)
    platelets = rng.permutation(100) * 1000 + 90_500
    table = profile.scan(write(tmp_path / "a.csv", number=np.arange(100), platelets=platelets,
                               outcome=rng.integers(0, 2, 100))).tables[0]
    assert table.column("number").kind == "identifier"
    assert table.column("platelets").kind == "number"


@pytest.mark.parametrize(("name", "codes"), [
    ("t13_mixed_types", {"lab": {"mixed_types", "censored_values"}}),
    ("t14_dates_three_formats", {"admitted": {"ambiguous_dates"}}),
    ("t16_sentinels", {"sbp": {"sentinel_missing"}, "wbc": {"sentinel_missing"}}),
    ("t24_single_class_outcome", {"outcome": {"one_class"}}),
    ("t27_censored_values", {"troponin": {"censored_values"}, "ferritin": {"censored_values"}}),
    ("t28_units_in_cells", {"dose": {"units_in_cells"}, "temp": {"units_in_cells"}}),
])
def test_what_is_wrong_with_a_column_of_the_corpus_is_said(corpus, name, codes):
    table = profile.scan(corpus / "tabular" / f"{name}.csv").tables[0]
    for column, wanted in codes.items():
        assert wanted <= {each.code for each in table.column(column).suspicions}


def test_sentinels_of_the_corpus_are_listed_and_leave_the_range(corpus):
    column = profile.scan(corpus / "tabular" / "t16_sentinels.csv").tables[0].column("sbp")
    assert {"-999", "999", "NA"} <= set(column.sentinels)
    assert column.low > 100 and column.high < 250
    wbc = profile.scan(corpus / "tabular" / "t16_sentinels.csv").tables[0].column("wbc")
    assert "-9" in wbc.sentinels


def test_typed_columns_keep_their_kinds(tmp_path):
    n, rng = 200, np.random.default_rng(5)
    days = dt.datetime(2024, 1, 1)
    pl.DataFrame({
        "smoker": rng.random(n) < 0.4, "seen": [days + dt.timedelta(hours=int(h)) for h in rng.integers(0, 9000, n)],
        "born": [dt.date(1950, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 9000, n)],
        "grade": rng.integers(1, 5, n), "crp": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 20, n)),
        "nothing": pl.Series([None] * n, dtype=pl.Float64), "died": rng.random(n) < 0.3,
    }).write_parquet(tmp_path / "a.parquet")
    table = profile.scan(tmp_path).tables[0]
    assert {each.name: each.kind for each in table.columns} == {
        "smoker": "yes_no", "seen": "date", "born": "date", "grade": "category", "crp": "number", "nothing": "empty",
        "died": "yes_no"}
    assert 10 < table.column("crp").missing < 30
    assert table.targets[0].column == "died" and profile.propose_choice(profile.scan(tmp_path)).positive == "true"


ICD_9 = ["250.00", "250.01", "401.9", "428.0", "486", "584.9"] * 50


@pytest.mark.parametrize(("name", "odd", "kind"), [
    ("main", ["V58.1", "E885", "V45.81"], "category"),  # few letters, of a shape that no measurement has
    ("icd9_main", ["V58.1"], "category"), ("diag_2", ["C50.1"], "category"),
    ("icd9", [], "category"), ("ICD9Code", [], "category"), ("DRG", [], "category"), ("icd", [], "category"),
    ("crp", ["done", "V late"], "number"), ("crp", ["E3"], "number"), ("icd_shock_dose", [], "number"),
])
def test_codes_of_diagnoses_are_a_category_however_few_hold_letters(tmp_path, name, odd, kind):
    cells = ICD_9[len(odd):] + odd
    table = profile.scan(write(tmp_path / "a.csv", **{name: cells, "died": [at % 2 for at in range(300)]})).tables[0]
    column = table.column(name)
    assert column.kind == kind
    if kind == "category":
        assert "mixed_types" not in {each.code for each in column.suspicions}
        assert "250.01" in {each.label for each in column.levels}


def test_a_decimal_comma_is_read_and_said(corpus):
    column = profile.scan(corpus / "tabular" / "t02_european_semicolon_decimal_comma.csv").tables[0].column("crp")
    assert column.kind == "number" and "decimal_comma" in {each.code for each in column.suspicions}


def test_yes_and_no_in_many_spellings_is_one_column_of_two_values(corpus):
    table = profile.scan(corpus / "tabular" / "t15_booleans.csv").tables[0]
    assert {each.name for each in table.columns if each.kind == "yes_no"} == {"diabetes", "smoker", "htn", "outcome"}
    assert [(each.label, each.n) for each in table.column("smoker").levels] == [("no", 30), ("yes", 30)]


def test_units_are_taken_from_cells_and_headers(corpus):
    assert profile.scan(corpus / "tabular" / "t28_units_in_cells.csv").tables[0].column("dose").unit == "mg"
    assert profile.scan(corpus / "tabular" / "t26_spaces_in_headers.csv").tables[0].column("CRP (mg/L)").unit == "mg/L"
    assert profile.scan(corpus / "tabular" / "t19_preamble_and_units.csv").tables[0].column("crp").unit == "mg/L"


def test_a_sentence_in_a_header_is_no_patient_column(corpus):
    table = profile.scan(corpus / "tabular" / "b16_prompt_injection.csv").tables[0]
    assert table.patient is None


def test_a_table_without_rows_is_listed(tmp_path):
    (tmp_path / "a.csv").write_text("age,outcome\n")
    found = profile.scan(tmp_path)
    assert found.files[0].action in ("skip", "read", "read_with_warning")
    assert all(each.rows == 0 for each in found.tables)


def test_a_scan_stops_when_asked(tmp_path):
    class Impatient(Silent):
        def stopping(self):
            return True

    with pytest.raises(Stopped):
        profile.scan(write(tmp_path / "a.csv", **cohort()), watch=Impatient())


def test_progress_never_goes_back_and_ends_at_one(tmp_path):
    class Listening(Silent):
        heard: list[float] = []

        def say(self, stage, fraction, message=""):
            self.heard.append(fraction)

    for name in "abc":
        write(tmp_path / f"{name}.csv", **cohort())
    profile.scan(tmp_path, watch=Listening())
    assert Listening.heard == sorted(Listening.heard) and Listening.heard[-1] == 1.0


def test_the_last_words_of_a_scan_count_one_as_one(tmp_path):
    class Said(Silent):
        last = ""

        def say(self, stage, fraction, message, **more):
            Said.last = message
    profile.scan(write(tmp_path / "a.csv", **cohort()), watch=Said())
    assert Said.last == "1 table read, 1 file seen."
