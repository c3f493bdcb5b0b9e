"""A finished run judged on another folder: its own threshold and cleaning, aggregates kept, nothing learned."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved, trained_once

from medml import external, gallery, outside, same_source, vault
from medml.__main__ import main
from medml.errors import UserError
from medml.evaluate import delong
from medml.evaluate.catalogue import doubts, external_check, from_elsewhere, left_out
from medml.pipeline import Pipeline
from medml.report.content import document_of
from medml.saved_split import read as read_split
from medml.steps.second_look import keys_of
from medml.train import train
from medml.types import External, Metric, SplitPlan, Step, UsePlan
from medml.watch import Silent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A logistic run on 160 patients, in a home of this module's own; yields (name, folder)."""
    place = tmp_path_factory.mktemp("outside")
    with trained_once(place) as name:
        yield name, place


@pytest.fixture(autouse=True)
def its_home(run, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(run[1] / "home"))


def elsewhere(folder, n: int = 120, **changed) -> pd.DataFrame:
    """Patients 25 years older: a place that can be told from our own."""
    table = clinic(n, seed=7).assign(**changed)
    table["age"] += 25
    table["patient_id"] = [f"X{place:05d}" for place in range(len(table))]
    saved(table, folder)
    return table


def test_their_patients_are_judged_by_our_model_and_threshold(run, tmp_path):
    name, _ = run
    table = elsewhere(tmp_path)
    before = gallery.open_run(name).report
    assert "internally validated only" in before.stamps and not before.external
    found = outside.validate(name, tmp_path)
    opened = gallery.open_run(name)
    p = Pipeline.load(opened.sealed("final"), "logistic").predict(
        table[["age", "pressure", "sex", "ward"]].assign(age=table["age"].astype(float)))[:, 1]
    assert found.metrics["auroc"].value == pytest.approx(roc_auc_score(table["outcome"], p))
    yes = p >= opened.report.threshold
    assert found.metrics["sensitivity"].value == pytest.approx(yes[table["outcome"] == 1].mean())
    assert found.n_cases == found.n_patients == 120 and found.n_events == table["outcome"].sum()
    assert found.auroc_delong.low < found.metrics["auroc"].value < found.auroc_delong.high
    assert set(found.calibration_line) == {"slope", "intercept", "ici"} and found.net_benefit is not None
    assert {each.column for each in found.subgroups} == {"sex", "age", "ward"}
    report = opened.report
    assert report.stamps == [each for each in before.stamps if each != "internally validated only"]
    assert next(each for each in report.checks if each.id == "X1").verdict == "pass"
    assert report.external == [found] and report.metrics == before.metrics


def drawn(run: str) -> None:
    from medml import gallery
    from pages import _ui_outside

    report = gallery.open_run(run).report
    _ui_outside.beside(report, report.external[-1])


def on_the_screen(run: str) -> tuple[AppTest, str]:
    page = AppTest.from_function(drawn, args=(run,), default_timeout=60).run()
    assert not page.exception
    return page, "".join(each.body for each in page.html)


def test_the_screen_shows_what_other_patients_gain_and_for_whom_it_holds_there(run, tmp_path):
    elsewhere(tmp_path, 130)
    outside.validate(run[0], tmp_path, draws=20)
    page, said = on_the_screen(run[0])
    assert "beyond the better of treating everybody and nobody" in said
    assert page.expander[0].label == "For whom there" and "<td>ward</td><td><strong>east</strong>" in said


def test_the_same_validation_twice_is_one(run, tmp_path):
    name, _ = run
    elsewhere(tmp_path, 90)
    first = outside.validate(name, tmp_path)
    assert outside.validate(name, tmp_path) == first
    assert sum(each.id == first.id for each in gallery.open_run(name).report.external) == 1


def test_columns_with_other_names_are_mapped_and_a_lacking_one_is_named(run, tmp_path, capsys):
    name, _ = run
    table = clinic(100, seed=9).rename(columns={"pressure": "RR syst", "outcome": "died"})
    saved(table, tmp_path / "b")
    assert main(["evaluate", name, str(tmp_path / "b")]) == 2
    assert "has no column “outcome”, “pressure”" in (said := capsys.readouterr().err) and "--map" in said
    assert main(["evaluate", name, str(tmp_path / "b"), "--map", "RR syst=pressure", "--map", "died=outcome", "--json",
                 str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["external"]["renamed"] == {"RR syst": "pressure", "died": "outcome"}
    assert told["external"]["metrics"]["auroc"]["n"] == 100 and told["internal"]["metrics"]["auroc"]["n"] == 160
    assert "internally validated only" not in told["stamps"] and "AUROC" in capsys.readouterr().out
    assert main(["evaluate", name, str(tmp_path / "b"), "--map", "pressure"]) == 2


def test_rows_that_cleaning_takes_away_are_not_said_to_have_no_outcome(run, tmp_path, capsys):
    table = clinic(90, seed=21)
    saved(pd.concat([table, table.iloc[:12]]), tmp_path)
    assert main(["evaluate", run[0], str(tmp_path)]) == 0
    assert "12 rows there, without an outcome that the model knows, or taken away by the run's own cleaning" in \
        capsys.readouterr().out


def test_an_outcome_that_the_run_does_not_know_is_left_out_and_counted(run, tmp_path):
    table = elsewhere(tmp_path, 120)
    odd = table["outcome"].astype(object)
    odd.iloc[:5], odd.iloc[5:8] = "unclear", None
    saved(table.assign(outcome=odd), tmp_path)
    found = outside.validate(run[0], tmp_path)
    assert (found.n_cases, found.n_left_out, found.under_ten) == (112, 0, ["n_left_out"])
    assert left_out(found).startswith("fewer than 10 rows there") and "8" not in json.dumps([
        found.n_left_out, found.n_copies, found.n_same_patients])


def test_fewer_than_ten_events_elsewhere_are_not_counted_out(run, tmp_path):
    table = elsewhere(tmp_path, 120)
    few = pd.concat([table[table["outcome"] == 0], table[table["outcome"] == 1].head(6)])
    saved(few, tmp_path)
    found = outside.validate(run[0], tmp_path, draws=50)
    assert found.n_events is None and found.n_cases == len(few)


def test_the_runs_own_table_is_refused_and_its_rows_are_counted_elsewhere(run, tmp_path):
    name, place = run
    with pytest.raises(UserError, match="the very table"):
        outside.validate(name, place / "own")
    own = clinic()
    saved(pd.concat([clinic(80, seed=3), own.iloc[:6]]), tmp_path)
    found = outside.validate(name, tmp_path)   # 6 of 86: too few to be counted, too many for other patients
    assert found.n_copies == 0 and "n_copies" in found.under_ten and not from_elsewhere(found)
    assert "fewer than 10 rows of the outside data" in external_check([found]).what.lower()


def test_decisions_about_single_cases_of_our_table_touch_no_row_of_theirs(run, tmp_path):
    """A second look names cases by the row of the run's own table: row 3 elsewhere is another patient."""
    table, opened = elsewhere(tmp_path), gallery.open_run(run[0])
    keys = keys_of(np.arange(6), opened.config.data_sha256)
    step = Step(name="second_look", params={"relabel": {key: "" for key in keys[:3]}, "exclude": keys[3:]}, reason="")
    looked = replace(opened, recipe=opened.recipe.model_copy(update={"steps": [step, *opened.recipe.steps]}))
    theirs = outside.read(looked, tmp_path, {}, None, Silent())
    assert theirs.n_left_out == 0 and (theirs.cases.y == table["outcome"]).all()


def test_rows_of_the_runs_own_table_take_no_stamp_away(tmp_path, monkeypatch):
    """The same patients in another file: one row more, in another order."""
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(clinic(), tmp_path / "own")
    name = train(source, *planned(source))
    saved(pd.concat([clinic().iloc[::-1], clinic(1, seed=3)]), tmp_path / "again")
    outside.validate(name, tmp_path / "again", draws=50)
    report = gallery.open_run(name).report
    assert "internally validated only" in report.stamps and report.external[0].n_copies >= 160
    assert next(each for each in report.checks if each.id == "X1").verdict == "warn"
    elsewhere(tmp_path / "other")
    outside.validate(name, tmp_path / "other", draws=50)
    assert "internally validated only" not in gallery.open_run(name).report.stamps
    outside.validate(name, tmp_path / "again", draws=60)
    assert "internally validated only" not in gallery.open_run(name).report.stamps


def test_rows_that_the_run_keeps_closed_are_refused_alone_and_among_others(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    own = clinic(240)
    source = saved(own, tmp_path / "own")
    name = train(source, *planned(source, split=SplitPlan(by="row", scheme="held_out", folds=3, repeats=1)))
    opened = gallery.open_run(name)
    saved_rows = read_split(opened.folder / "private" / "split.npz").held_out
    closed = own.drop_duplicates().iloc[saved_rows]
    others = clinic(100, seed=5).assign(age=lambda each: each["age"] + 25)
    for at, table in enumerate((closed, pd.concat([closed.head(len(closed) // 2), others]), own.iloc[::-1])):
        with pytest.raises(UserError, match="keeps closed"):
            outside.validate(name, saved(table, tmp_path / str(at)), draws=20)
    learned = own.drop(index=closed.index)
    assert outside.validate(name, saved(learned, tmp_path / "learned"), draws=20).n_copies == len(learned)
    assert not vault.read(opened.config).looks and "internally validated only" in gallery.open_run(name).report.stamps


def test_where_the_runs_own_table_is_gone_nothing_takes_the_stamp_away_unless_somebody_says_so(tmp_path, monkeypatch):
    """Rows kept closed could not be recognised."""
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    own = clinic(240)
    source = saved(own, tmp_path / "own")
    name = train(source, *planned(source, split=SplitPlan(by="row", scheme="held_out", folds=3, repeats=1)))
    source.rename(tmp_path / "taken away.csv")
    closed = own.iloc[read_split(gallery.open_run(name).folder / "private" / "split.npz").held_out]
    theirs = saved(closed, tmp_path / "theirs")
    found = outside.validate(name, theirs, draws=20)
    report = gallery.open_run(name).report
    judged = next(each for each in report.checks if each.id == "X1")
    assert found.n_copies is None and not from_elsewhere(found) and "internally validated only" in report.stamps
    assert judged.verdict == "warn" and "could not be compared with the run's own" in judged.what
    assert from_elsewhere(outside.validate(name, theirs, stated=True, draws=20))


def test_outcomes_that_the_run_keeps_closed_help_to_tell_no_tables_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(clinic(240), tmp_path / "own")
    name = train(source, *planned(source, split=SplitPlan(by="row", scheme="held_out", folds=3, repeats=1)))
    held = set(read_split(gallery.open_run(name).folder / "private" / "split.npz").held_out.tolist())
    seen = []
    monkeypatch.setattr(same_source, "told_apart", lambda own, cases, seed: seen.extend(own.rows.tolist()))
    elsewhere(tmp_path / "theirs")
    outside.validate(name, tmp_path / "theirs", draws=20)
    assert held and sorted(seen) == sorted(set(range(240)) - held)


@pytest.mark.parametrize(("table", "said"), [
    (clinic(150, seed=8).assign(patient_id=[f"Y{at}" for at in range(150)]), "can hardly be told from the run's own"),
    (clinic(90, seed=8).assign(age=lambda each: each["age"] + 25), "90 of its 90 patients have an identifier")])
def test_what_may_be_a_part_of_the_same_source_takes_no_stamp_away_until_somebody_says_so(tmp_path, monkeypatch, table,
                                                                                          said, capsys):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(clinic(), tmp_path / "own")
    name = train(source, *planned(source, patient="patient_id"))
    theirs = saved(table, tmp_path / "theirs")
    found = outside.validate(name, theirs, draws=20)
    assert [said in each for each in doubts(found)] == [True]
    report = gallery.open_run(name).report
    judged = next(each for each in report.checks if each.id == "X1")
    assert "internally validated only" in report.stamps and judged.verdict == "warn" and said in judged.what
    assert main(["evaluate", name, str(theirs), "--other-patients"]) == 0
    assert said in (printed := capsys.readouterr().out) and "is the word of the owner of this machine on 20" in printed
    report = gallery.open_run(name).report
    (word,) = [each for each in report.stamps if "by the word of" in each]
    assert word == (f"on other patients by the word of the owner of this machine on {report.external[-1].made[:10]}, "
                    "which MedML could not confirm") and word in gallery.open_run(name).report.stamps
    assert word[1:] in str(document_of(gallery.open_run(name)))   # the first words of the PDF and the Word file
    judged = next(each for each in report.checks if each.id == "X1")
    assert "internally validated only" not in report.stamps and "MedML is in doubt" in judged.what
    far = clinic(150, seed=9).assign(age=lambda each: each["age"] + 25, patient_id=[f"Z{at}" for at in range(150)])
    assert from_elsewhere(outside.validate(name, saved(far, tmp_path / "far"), draws=20))   # beyond doubt
    assert not [each for each in gallery.open_run(name).report.stamps if "other patients" in each]


def test_an_identifier_is_the_same_however_a_file_writes_it_and_an_empty_one_is_nobodys():
    """A column of numbers with an empty cell comes out of many programs as 1001.0."""
    written = [pl.Series("pid", values) for values in (["1001.0", " 1002.0", "  ", None], [1001, 1002, None, None],
                                                       ["1001", "1002 ", "", None], [1001.0, 1002.0, None, None])]
    for each in written:
        assert sorted(same_source.identifiers(each.to_frame(), "pid").tolist()) == ["1001", "1002"]


def test_a_file_beside_the_runs_own_table_is_asked_about(run, tmp_path):
    name, place = run
    elsewhere(place / "own" / "later")
    found = outside.validate(name, place / "own" / "later", draws=20)
    assert found.own_folder and not from_elsewhere(found) and from_elsewhere(found.model_copy(update={"stated": True}))


def test_a_validation_kept_before_a_field_came_into_use_keeps_its_name(run, tmp_path):
    name, _ = run
    found = outside.validate(name, (elsewhere(tmp_path, 95), tmp_path)[1], draws=20)
    older = {key: each for key, each in found.model_dump().items() if key not in ("told_apart", "stated")}
    before = External.model_validate(older | {"id": external.name_of(External.model_validate(older))})
    assert external.name_of(External.model_validate_json(before.model_dump_json(exclude_unset=True))) == before.id


def test_too_few_cases_to_tell_a_figure_take_no_stamp_away():
    bare = {"id": "", "made": "", "checkpoint": 0, "source": "", "data_sha256": "", "n_cases": 12, "n_patients": 12,
            "n_copies": 0}
    untold = External(**bare, metrics={"auroc": Metric(value=None, low=None, high=None, n=12)})
    told = External(**bare | {"n_cases": 100, "n_patients": 100},
                    metrics={"auroc": Metric(value=0.7, low=0.6, high=0.8, n=100)})
    assert external_check([untold]).verdict == "could_not_tell" and not from_elsewhere(untold)
    assert external_check([told]).verdict == "pass" and from_elsewhere(told)
    assert external_check([told, untold]).verdict == "pass"


def test_a_validation_that_was_changed_afterwards_is_not_believed(run, tmp_path):
    name, _ = run
    elsewhere(tmp_path, 70)
    found = outside.validate(name, tmp_path)
    path = gallery.open_run(name).folder / "external" / f"{found.id}.json"
    honest = path.read_text()
    path.write_text(honest.replace(f'"n_cases": {found.n_cases}', '"n_cases": 9999'))
    with pytest.raises(UserError, match="has been changed"):
        gallery.open_run(name)
    path.write_text(honest)
    assert found in gallery.open_run(name).report.external


def test_no_patient_of_theirs_is_kept(run, tmp_path):
    """Ages of 17 digits are nowhere; groups of under 10 are not named."""
    name, _ = run
    rng = np.random.default_rng(4)
    ward = np.where(np.arange(120) < 4, "CANARYWARD", rng.choice(["north", "south"], 120))
    table = elsewhere(tmp_path, 120, ward=ward, age=rng.normal(60, 12, 120))
    text = outside.validate(name, tmp_path).model_dump_json()
    assert "CANARY" not in text and not any(repr(each) in text for each in table["age"])


def test_the_score_in_use_is_compared_there_too(tmp_path):
    source = saved(clinic(), tmp_path / "own")
    profile, recipe, config = planned(source)
    name = train(source, profile, recipe, config.model_copy(update={"use": UsePlan(score="-age")}))
    table = elsewhere(tmp_path / "other", 120)
    found = outside.validate(name, tmp_path / "other", draws=200).score_in_use
    assert found.auroc.value == pytest.approx(roc_auc_score(table["outcome"], table["age"]))  # low is bad: turned round
    whole = gallery.open_run(name).report.external[0].metrics["auroc"].value
    assert found.auroc_difference.value == pytest.approx(whole - found.auroc.value) and "your score" in found.said
    saved(table.drop(columns="age").assign(age_now=table["age"]), tmp_path / "third")
    renamed = outside.validate(name, tmp_path / "third", renamed={"age_now": "age"}, draws=200)
    assert renamed.score_in_use.auroc_difference == found.auroc_difference
    saved(table.assign(outcome=1 - table["outcome"]), tmp_path / "turned")  # there old patients do well
    turned = outside.validate(name, tmp_path / "turned", draws=200).score_in_use
    assert turned.auroc.value == pytest.approx(1 - found.auroc.value)  # which way is bad is not learned from them


def test_the_job_of_the_screen_does_the_same(run, tmp_path):
    from types import SimpleNamespace

    from worker.jobs import registry

    elsewhere(tmp_path, 75)
    payload = {"run": run[0], "source": str(tmp_path), "renamed": {}}
    told = registry.get("external").run(SimpleNamespace(id="j", payload=payload), Silent())
    assert told["external"] in [each.id for each in gallery.open_run(run[0]).report.external]


def test_several_classes_and_a_number_are_judged_elsewhere_too(tmp_path):
    for target, task in (("ward", "multiclass"), ("age", "regression")):
        source = saved(clinic().drop(columns="outcome"), tmp_path / task / "own")
        name = train(source, *planned(source, target=target, patient="patient_id"))
        elsewhere(tmp_path / task / "other", 100)
        found = outside.validate(name, tmp_path / task / "other", draws=50)
        assert found.n_cases == 100 and found.metrics and found.auroc_delong is None
        assert external.of_run(gallery.open_run(name).folder, 0) == [found]
        classes = found.calibration_of_classes
        assert all(set(line) == {"slope", "intercept"} for line in classes.values())
        assert ("of no class can be told" in on_the_screen(name)[1]) == (task == "multiclass")
        assert bool(classes) == (task == "multiclass") and set(classes) <= set(gallery.open_run(name).report.classes)


# ---- DeLong ----------------------------------------------------------------------------------------------------

def test_delong_gives_the_published_figures_of_the_ct_readings():
    """Hanley and McNeil, Radiology 1982;143:29, table I: 109 CT readings in 5 grades. Stata's manual (roctab) gives
    0.8932 with DeLong's standard error 0.0307 and the interval 0.83295 to 0.95339."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    score = np.concatenate([np.repeat(np.arange(1, 6), normal), np.repeat(np.arange(1, 6), abnormal)]).astype(float)
    y = np.repeat([0, 1], [sum(normal), sum(abnormal)])
    found, spread = delong.covariance(y, score[None, :])
    assert found[0] == pytest.approx(0.8932, abs=5e-5) and np.sqrt(spread[0, 0]) == pytest.approx(0.0307, abs=5e-5)
    told = delong.interval(y, score)
    assert (told.low, told.high) == pytest.approx((0.83295, 0.95339), abs=1e-5)


def test_delong_of_two_scores_equals_its_definition_pair_by_pair():
    """DeLong 1988, equations 4 to 6, by counting every pair."""
    rng = np.random.default_rng(0)
    y = (np.arange(60) < 25).astype(int)
    one = np.round(y + rng.normal(size=60), 1)
    other = np.round(0.6 * one + rng.normal(size=60), 1)
    aurocs, v10, v01 = [], [], []
    for score in (one, other):
        wins = np.array([[float(a > b) + 0.5 * float(a == b) for b in score[y == 0]] for a in score[y == 1]])
        aurocs.append(wins.mean())
        v10.append(wins.mean(axis=1))
        v01.append(wins.mean(axis=0))
    spread = np.cov(v10) / 25 + np.cov(v01) / 35
    found, covariance = delong.covariance(y, np.stack([one, other]))
    assert found == pytest.approx(aurocs) and covariance == pytest.approx(spread)
    told, p = delong.difference(y, one, other)
    half = 1.959964 * np.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    assert (told.value, told.high - told.value) == pytest.approx((aurocs[0] - aurocs[1], half))
    assert 0 < p < 1 and delong.difference(y, one, one)[1] == 1.0


def test_delong_is_silent_where_its_variance_says_nothing():
    """Classes wholly apart: 1.0 (1.0 to 1.0) from 12 cases would be a certainty that nobody has."""
    y, flat = np.repeat([0, 1], 6), np.zeros(12)
    assert delong.interval(y, y.astype(float)).value is None and delong.interval(y, flat).value is None
    told, p = delong.difference(y, y.astype(float), flat)
    assert told.value is None and p == 1.0 and delong.difference(y, flat, flat)[0].value == 0.0
