"""Every check on data made to trip it, and on data that must not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import HELD_OUT, baselines, dealt, facts, made_cases, made_context, of_patients, predicted, saved
from made_up import run_check as run

from medml import home, saved_split
from medml.cases import Cases, Fold
from medml.evaluate import evaluate
from medml.evaluate.catalogue import TITLES, found, looks_check
from medml.evaluate.checks import registry, rule
from medml.evaluate.checks.folds import stability
from medml.types import (
    Column,
    Proposal,
    Repeats,
    SelectionPlan,
    SelectionScore,
    SplitPlan,
    Suspicion,
)

THIS_ISSUE = ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11", "N1", "N2", "N3", "N4", "M1", "M2",
              "M3", "M4", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "L12", "L13", "F1", "X1", "G1"]

# ---- the house -------------------------------------------------------------------------------------------------

def test_the_catalogue_names_every_check_of_rigour():
    rigour = Path(__file__).resolve().parents[2] / "shared" / "RIGOUR.md"
    if not rigour.exists():
        pytest.skip("../shared/RIGOUR.md is not here")
    assert re.findall(r"^\| ([A-Z]\d+) \|", rigour.read_text(), flags=re.MULTILINE) == list(TITLES)


def test_every_check_of_today_is_found():
    assert set(THIS_ISSUE) <= set(registry.names()) <= set(TITLES)


def test_the_readme_says_how_many_checks_there_are():
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    assert set(TITLES) - set(registry.names()) == {"G2"}  # kept with what was exported, and shown beside the others
    assert f"and {len(TITLES)} checks for" in readme


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_honest_run_raises_no_alarm(task):
    cases = made_cases(600, task=task)
    folds = dealt(cases.patients)
    calibrated = {"binary": {"signal": 1.0, "shift": -0.4}, "multiclass": {"signal": 1.0}}.get(task, {})
    told = predicted(cases, folds, train={"binary": 0.8, "multiclass": 0.8, "regression": 0.55}[task],
                     **calibrated)  # normal scores one apart: the log odds are the scores themselves
    report = evaluate(told, baselines(cases, folds, signal=0.3), made_context(cases, folds), seed=0)
    assert {each.id: each.what for each in report.checks if each.verdict not in ("pass", "info")} == {}
    assert [each.id for each in report.checks] == [each for each in TITLES if each in registry.names()]
    assert all(each.title == TITLES[each.id] and each.what.endswith(".") for each in report.checks)


def test_an_alarm_without_an_action_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="must say what to do"):
        found("L1", "warn", "Something is wrong.")
    with pytest.raises(ValueError, match="RIGOUR.md has no check 'Z9'"):
        rule("Z9")


@pytest.mark.parametrize("n", [12, 20, 29])
def test_too_few_cases_could_not_tell(n):
    cases = made_cases(n, prevalence=0.5, seed=3)
    folds = dealt(cases.patients, n_folds=2)
    report = evaluate(predicted(cases, folds), baselines(cases, folds), made_context(cases, folds), seed=0)
    verdicts = {each.id: each.verdict for each in report.checks}
    assert {verdicts[each] for each in ("L4", "L5", "L11", "E7", "E8")} == {"could_not_tell"}


# ---- L1 L2 L3 --------------------------------------------------------------------------------------------------

def test_rows_of_one_patient_block_a_row_split():
    cases = of_patients(made_cases(300), np.repeat(np.arange(150), 2))
    check = run("L1", cases, folds=dealt(np.arange(300)))
    assert check.verdict == "block" and check.figures == {"n_cases": 300, "n_patients": 150}
    assert check.what == "300 rows come from 150 patients, but the split was by row."


def test_a_key_that_repeats_in_the_scan_blocks_a_row_split():
    repeats = Repeats(column="pat_id", n_patients=120, n_rows=300, most_rows=4)
    check = run("L1", table={"repeats": repeats}, choice={"patient": None})
    assert check.verdict == "block" and "“pat_id” repeats" in check.what


def test_a_split_by_patient_passes():
    cases = of_patients(made_cases(300), np.repeat(np.arange(150), 2))
    check = run("L1", cases, config={"split": SplitPlan(by="patient", scheme="cross_validation")})
    assert check.verdict == "pass" and "150 patients" in check.what


def test_a_table_without_a_key_could_not_tell():
    assert run("L1", choice={"patient": None}).verdict == "could_not_tell"
    assert run("L1", choice={"patient": None},
               table={"patient": Proposal(column="id", reason="never repeats")}).verdict == "pass"


def test_a_patient_on_both_sides_blocks():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    assert run("L2", cases, folds=folds).verdict == "pass"
    shared = of_patients(cases, np.where(np.arange(300) == folds[0].test[0], folds[0].train[0], np.arange(300)))
    check = run("L2", shared, folds=folds)
    assert check.verdict == "block" and check.figures["patients"] >= 1 and check.figures["rows"] == 0
    row = [replace(folds[0], train=np.append(folds[0].train, folds[0].test[0])), *folds[1:]]
    assert run("L2", cases, folds=row, fold_facts=facts(row)).figures["rows"] == 1


def test_the_split_on_disk_decides_and_not_the_plan_in_memory():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    assert run("L2", cases, folds=folds, saved=None).verdict == "block"
    whole = saved(cases, folds)
    named_alike = whole.patients.copy()
    named_alike[folds[0].test[0]] = named_alike[folds[0].train[0]]
    check = run("L2", cases, folds=folds, saved=replace(whole, patients=named_alike))
    assert check.verdict == "block" and check.figures["patients"] >= 1
    moved = [replace(folds[0], train=folds[0].train[1:]), *folds[1:]]
    for other in (replace(whole, folds=moved), replace(whole, folds=folds[1:]), replace(whole, held_out=np.arange(3))):
        check = run("L2", cases, folds=folds, saved=other)
        assert check.verdict == "block" and "not the one that the figures come from" in check.what


def test_a_split_is_read_back_as_it_was_written(tmp_path, monkeypatch):
    cases = of_patients(made_cases(60), np.repeat(np.arange(20), 3))
    folds, closed = dealt(cases.patients[:45], n_folds=3, repeats=2), np.arange(45, 60)
    key, reads = home.secret(), []
    monkeypatch.setattr(home, "secret", lambda: reads.append("the key") or key)
    saved_split.write(tmp_path / "split.npz", cases, "d", folds, closed)
    assert len(reads) == 2  # for cases and for patients: a file read a row took a third of a stop's seconds
    found = saved_split.read(tmp_path / "split.npz")
    assert [(each.repeat, each.number) for each in found.folds] == [(each.repeat, each.number) for each in folds]
    for mine, theirs in zip(folds, found.folds, strict=True):
        assert np.array_equal(mine.train, theirs.train) and np.array_equal(mine.test, theirs.test)
    assert np.array_equal(found.held_out, closed)
    assert len(set(found.cases)) == 60 and len(set(found.patients)) == 20
    assert np.array_equal(found.patients[::3], found.patients[2::3]) and len(found.patients[0]) == 32


def test_a_patient_of_the_held_out_part_among_the_folds_blocks():
    cases = made_cases(300)
    inside = dealt(cases.patients[:240])
    assert run("L2", cases, folds=inside, held_out=np.arange(240, 300), config=HELD_OUT).verdict == "pass"
    leaky = of_patients(cases, np.where(np.arange(300) == 299, 0, np.arange(300)))
    assert run("L2", leaky, folds=inside, held_out=np.arange(240, 300), config=HELD_OUT).verdict == "block"


def with_copy(n_copies: int) -> tuple[Cases, list[Fold]]:
    """Rows 0 .. n_copies - 1 are equal to rows of another fold."""
    cases = made_cases(300)
    folds = dealt(cases.patients)
    X, y = cases.X.copy(), cases.y.copy()
    for each in range(n_copies):
        X.iloc[folds[1].test[each]], y[folds[1].test[each]] = X.iloc[folds[0].test[each]], y[folds[0].test[each]]
    return replace(cases, X=X, y=y), folds


def test_copies_across_the_split_are_counted():
    cases, folds = with_copy(0)
    assert run("L3", cases, folds=folds).verdict == "pass"
    cases, folds = with_copy(3)
    check = run("L3", cases, folds=folds)
    assert check.verdict == "warn" and check.figures["across"] == 6  # either row of each pair


def test_copies_kept_together_pass():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    X, y = cases.X.copy(), cases.y.copy()
    X.iloc[folds[0].test[1]], y[folds[0].test[1]] = X.iloc[folds[0].test[0]], y[folds[0].test[0]]
    check = run("L3", replace(cases, X=X, y=y), folds=folds)
    assert check.verdict == "pass" and check.figures["kept"] == 2


# ---- L4 L5 L6 --------------------------------------------------------------------------------------------------

def test_a_column_that_tells_the_outcome_alone_is_named():
    rng = np.random.default_rng(0)
    y = made_cases().y
    assert run("L4").verdict == "pass"
    for name, values in {"straight": y * 10 + rng.normal(size=300), "falling": -y * 10 + rng.normal(size=300),
                         "in_between": np.where(y == 1, 0.0, rng.choice([-5, 5], 300)) + rng.normal(size=300)}.items():
        check = run("L4", made_cases(columns={name: values}))
        assert check.verdict == "warn" and f"“{name}”" in check.what and check.figures["best"] > 0.95


def test_gaps_that_tell_the_outcome_alone_are_named():
    y = made_cases().y
    check = run("L4", made_cases(columns={"biopsy": np.where(y == 1, np.arange(300) % 7, np.nan)}))
    assert check.verdict == "warn" and "“biopsy”" in check.what


def test_a_category_of_ten_cases_of_one_class_is_named_but_never_quoted():
    y = made_cases().y
    ward = np.where(np.arange(300) % 2 == 0, "north", "south").astype(object)
    assert run("L4", made_cases(columns={"ward": ward})).verdict == "pass"
    ward[np.flatnonzero(y == 1)[:10]] = "hospice"
    check = run("L4", made_cases(columns={"ward": ward}))
    assert check.verdict == "warn" and "“ward”" in check.what and "hospice" not in check.what
    ward[np.flatnonzero(y == 1)[1:10]] = "north"
    assert run("L4", made_cases(columns={"ward": ward})).verdict == "pass"


def test_a_small_category_without_a_rare_event_is_no_news():
    """Of a rare outcome (5 %) most categories of 12 cases have none: 0.95 ** 12 = 54 %."""
    cases = made_cases(400, prevalence=0.05)
    site = np.repeat([f"site {each}" for each in range(10)], 40).astype(object)
    site[np.flatnonzero(cases.y == 0)[:12]] = "small"
    assert run("L4", made_cases(400, prevalence=0.05, columns={"site": site}),
               folds=dealt(cases.patients, n_folds=2)).verdict == "pass"


def test_of_many_values_one_without_an_event_is_no_news():
    """Of 15 values of 20 cases each one of 14 has no event at a prevalence of 0.3 with 0.7 ** 14 = 0.7 % each: about
    one table in ten has such a value by chance alone."""
    cases = made_cases(300, prevalence=0.3)
    value = np.random.default_rng(0).permutation(np.repeat(np.arange(15), 20)).astype(float)
    value[value == 7] = 8.0
    value[np.flatnonzero(cases.y == 0)[:14]] = 7.0
    assert run("L4", made_cases(300, prevalence=0.3, columns={"ejection": value}),
               folds=dealt(cases.patients, n_folds=2)).verdict == "pass"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_an_oracle_is_found_in_every_task(task):
    cases = made_cases(300, task=task)
    check = run("L4", made_cases(300, task=task, columns={"code": cases.y * 2.0 + 1}))
    assert check.verdict == "warn" and "“code”" in check.what


def test_real_tables_have_columns_that_pass(clinical):
    """Cleveland's best single predictor (thal or cp) stays well below the alarm."""
    path = next(path for path in sorted((clinical / "heart_cleveland").rglob("*.csv")))
    frame = pd.read_csv(path)
    y = (frame.iloc[:, -1] > 0).astype(np.int64).to_numpy()
    X = frame.iloc[:, :-1].apply(pd.to_numeric, errors="coerce")
    cases = replace(made_cases(len(y)), X=X, y=y, kinds=dict.fromkeys(X.columns, "number"))
    assert run("L4", cases).verdict == "pass"
    assert run("L5", cases).verdict == "pass"


@pytest.mark.parametrize(("name", "values"), [
    ("hash", np.array([f"{each * 7919 % 100_003:x}" for each in range(300)], dtype=object)),
    ("chart", np.random.default_rng(0).permutation(np.arange(100_000, 999_999, 3000)[:300]).astype(float)),
    ("mrn", np.random.default_rng(1).permutation(300).astype(float)),
    ("entered", np.sort(np.random.default_rng(2).random(300)))])
def test_an_identifier_among_the_predictors_is_named(name, values):
    check = run("L5", made_cases(columns={name: values}))
    assert check.verdict == "warn" and f"“{name}”" in check.what


def test_measurements_are_no_identifiers():
    rng = np.random.default_rng(0)
    fine = {"creatinine": rng.lognormal(size=300), "nt_probnp": np.round(rng.lognormal(6, 1.5, 300)),
            "age": rng.integers(18, 95, 300).astype(float), "sorted_sex": np.repeat(["f", "m"], 150).astype(object)}
    assert run("L5", made_cases(columns=fine)).verdict == "pass"


def test_identifiers_left_out_are_counted():
    columns = [Column(name="pat_id", kind="identifier", missing=0, distinct=300)]
    assert run("L5", table={"columns": columns}).figures["left_out"] == 1


@pytest.mark.parametrize("name", ["discharge_date", "ICU_out", "time_to_death", "lengthOfStay"])
def test_names_from_afterwards_are_named(name):
    check = run("L6", made_cases(columns={name: np.random.default_rng(0).normal(size=300)}))
    assert check.verdict == "warn" and f"“{name}”" in check.what


def test_a_name_that_holds_the_targets_own_word_is_named():
    columns = {"sepsis_score": np.random.default_rng(0).normal(size=300)}
    assert run("L6", made_cases(columns=columns), choice={"target": "sepsis"}).verdict == "warn"
    assert run("L6", made_cases(columns=columns), choice={"target": "shock"}).verdict == "pass"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_outcome_in_other_words_is_named(task):
    y = made_cases(300, task=task).y
    again = y * 3.0 + 4 if task == "regression" else np.array(["p", "q", "r"], dtype=object)[y]
    check = run("L6", made_cases(300, task=task, columns={"ward": again}))
    assert check.verdict == "warn" and check.figures["by_value"] == 1


def test_a_date_on_or_after_the_outcomes_date_is_named():
    rng = np.random.default_rng(0)
    died = 20_000 + rng.integers(0, 300, 300).astype(float)
    cases = made_cases(columns={"seen": died - 30, "tested": died + rng.integers(-5, 5, 300), "death_date": died})
    cases = replace(cases, kinds=cases.kinds | dict.fromkeys(["seen", "tested", "death_date"], "date"))
    check = run("L6", cases)
    assert check.verdict == "warn" and "“tested”" in check.what and "“seen”" not in check.what


def test_what_the_scan_suspected_is_repeated():
    column = Column(name="crp", kind="number", missing=0, distinct=300, suspicions=[
        Suspicion(code="outcome_proxy", severity="caution", what="It is known late.", fix="Leave it out.")])
    assert run("L6", table={"columns": [column]}).verdict == "warn"
    assert run("L6").verdict == "pass"


# ---- L7 L8 L9 L10 L11 ------------------------------------------------------------------------------------------

def test_cleaning_learned_from_all_rows_blocks():
    folds = dealt(np.arange(300))
    assert run("L7", folds=folds).verdict == "pass"
    for wrong in ({"cleaner_rows": 300}, {"encoder_rows": 300}, {"n_train": 300}, {"rows_sha256": "other rows"}):
        check = run("L7", folds=folds, fold_facts=facts(folds, **wrong))
        assert check.verdict == "block" and check.figures["folds"] == 5
    assert run("L7", folds=folds, fold_facts=facts(folds)[1:]).figures["folds"] == 1  # a fold that says nothing


def test_selection_on_all_rows_blocks():
    folds = dealt(np.arange(300))
    on = {"selection": SelectionPlan(on=True)}
    inside = [replace(each, selector_rows=each.n_train) for each in facts(folds)]
    scores = [SelectionScore(column="crp", frequency=1.0), SelectionScore(column="sex", frequency=0.2)]
    check = run("L8", folds=folds, config=on, fold_facts=inside, selection=scores)
    assert check.verdict == "pass" and "Stability" in check.what
    assert run("L8", folds=folds, config=on, fold_facts=facts(folds, selector_rows=300)).verdict == "block"
    assert run("L8", folds=folds, config=on).verdict == "block"  # selection on, and no fold says from what
    assert run("L8", folds=folds).verdict == "pass"


def test_lists_made_after_the_scores_warn_though_selection_is_off():
    folds = dealt(np.arange(300))
    plan = SelectionPlan(on=False, forced_in=["crp"], override_after_scores=True)
    check = run("L8", folds=folds, config={"selection": plan})
    assert check.verdict == "warn" and "after scores" in check.what and check.fix


def test_lists_changed_after_the_scores_are_printed():
    folds = dealt(np.arange(300))
    plan = SelectionPlan(on=True, forced_in=["crp"], override_after_scores=True)
    cases = made_cases()
    context = made_context(cases, folds, config={"selection": plan},
                           fold_facts=[replace(each, selector_rows=each.n_train) for each in facts(folds)])
    report = evaluate(predicted(cases, folds), baselines(cases, folds), context, seed=0)
    assert next(each for each in report.checks if each.id == "L8").verdict == "warn"
    assert "crp (kept)" in report.selection_note and "after scores" in report.selection_note


def test_stability_worked_by_hand():
    """Two of four columns in each of 5 folds, always the same: 1. One always, two half the time (Nogueira, eq. 4):
    1 - (5/4 * 0.12) / (0.5 * 0.5) with variances 0, 0, 0.24, 0.24."""
    steady = [SelectionScore(column=str(each), frequency=float(each < 2)) for each in range(4)]
    assert stability(steady, 5) == pytest.approx(1.0)
    mixed = [SelectionScore(column=str(each), frequency=share) for each, share in enumerate([1.0, 0.0, 0.6, 0.4])]
    assert stability(mixed, 5) == pytest.approx(1 - 1.25 * 0.12 / 0.25)
    assert stability([SelectionScore(column="a", frequency=1.0)], 5) is None


def test_resampling_outside_the_fold_blocks_and_without_recalibration_warns():
    folds = dealt(np.arange(300))
    inside = [replace(each, resampled_rows=each.n_train // 2) for each in facts(folds)]
    assert run("L9", folds=folds).verdict == "pass"
    assert run("L9", folds=folds, fold_facts=inside, prediction={"shift": -0.3}).verdict == "pass"
    assert run("L9", folds=folds, fold_facts=facts(folds, resampled_rows=300)).verdict == "block"
    shifted = run("L9", folds=folds, fold_facts=inside, prediction={"shift": 1.0})  # weights that were not taken off
    assert shifted.verdict == "warn" and shifted.figures["off"] > 0.05 and "mean probability" in shifted.what
    assert run("L9", folds=folds, prediction={"shift": 1.0}).verdict == "pass"  # nothing was weighted


def test_looks_at_the_held_out_part_are_counted():
    assert looks_check(0).verdict == looks_check(1).verdict == "pass"
    assert looks_check(3).what == "The held-out part was opened 3 times: treat it as validation."
    assert looks_check(3).verdict == "warn" and looks_check(3).figures == {"looks": 3}
    folds = dealt(np.arange(240))
    assert run("L10", folds=folds, looks=2, held_out=np.arange(240, 300), config=HELD_OUT).verdict == "warn"
    assert "No part was held out" in run("L10").what


def test_too_good_calls_for_a_leak_review():
    assert run("L11").verdict == "pass"
    assert run("L11", prediction={"signal": 30.0}).verdict == "warn"
    perfect = made_cases(300, task="multiclass")  # notes written from templates: F1 = 1.0 in every fold
    check = run("L11", perfect, prediction={"signal": 50.0})
    assert check.verdict == "warn" and check.figures["f1"] == 1.0
    assert run("L11", made_cases(300, task="regression"), prediction={"signal": 200.0}).verdict == "pass"  # R2 0.0
