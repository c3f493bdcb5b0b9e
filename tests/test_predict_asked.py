"""A screen asks a model: the form that it needs, an answer at once from a child that stays, and no value written."""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import psutil
import pytest
from canaries import found_in
from tables import clinic, planned, saved

import worker
from medml import asking, gallery, home, spreadsheet
from medml.errors import Stopped, UserError
from medml.predict import predict_file
from medml.recipe import propose_recipe
from medml.train import train
from medml.watch import Silent
from worker.standby import Standby, standby


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, and the home that it lies in."""
    folder = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(clinic(300).rename(columns={"pressure": "pressure (mmHg)"}), folder)
        return train(source, *planned(source)), folder / "home"


@pytest.fixture(autouse=True)
def at_home(trained, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(trained[1]))
    yield
    standby.close()


def given(**changed) -> dict[str, str | float]:
    values = {"age": 71.25, "pressure (mmHg)": 151.0, "sex": "female", "ward": "north"}
    return {name: value for name, value in (values | changed).items() if value is not None}


def test_the_form_asks_what_the_model_uses_with_ranges_units_and_choices(trained):
    run = gallery.open_run(trained[0])
    asked = {each.name: each for each in asking.fields(run)}
    assert list(asked)[:2] == ["age", "pressure (mmHg)"] and asked["age"].needed and not asked["sex"].needed
    assert set(asked) == {"age", "pressure (mmHg)", "sex", "ward"}
    column = run.profile.table(run.config.choice.table).column("pressure (mmHg)")
    assert (asked["pressure (mmHg)"].unit, asked["pressure (mmHg)"].low) == ("mmHg", column.low) and column.low > 80
    assert sorted(asked["ward"].choices) == ["east", "north", "south"] and not asked["age"].choices


def test_a_form_is_answered_like_a_file_by_a_child_that_stays(trained, tmp_path):
    pl.DataFrame({name: [value] for name, value in given().items()}).write_csv(tmp_path / "one.csv")
    row = predict_file(trained[0], tmp_path / "one.csv").row(0, named=True)
    worker.answer("patient", run=trained[0], values={})
    child = standby.pid
    found = worker.answer("patient", run=trained[0], values=given())
    assert found["p"][1] == pytest.approx(row["probability of 1"], abs=1e-12) and str(found["why"]) == ""
    assert set(found["columns"]) & {"age", "pressure (mmHg)"} and len(found["adds"]) == len(found["columns"]) <= 3
    assert str(found["unit"]) == "log-odds"
    silent = worker.answer("patient", run=trained[0], values=given(age=None))
    assert str(silent["why"]) == "age: missing, and the answer depends on it" and set(silent) == {"why"}
    assert standby.pid == child is not None


def test_a_number_is_the_same_whether_the_table_had_commas_or_points(tmp_path):
    """The training table wrote 71,25; the form gives 71.25."""
    table = clinic(200).assign(age=lambda each: each["age"].map(lambda value: f"{value:.2f}".replace(".", ",")),
                               seen=[f"2024-0{1 + at % 9}-1{at % 9}" for at in range(200)])
    (tmp_path / "commas.csv").write_text(table.to_csv(index=False, sep=";"))
    profile, recipe, config = planned(tmp_path / "commas.csv")
    kept = config.choice.model_copy(update={"leave_out": ["patient_id"]})  # learn from the date too
    recipe = propose_recipe(profile.table(kept.table), kept, config.profile_sha256)
    steps = [each for each in recipe.steps if each.name != "drop_columns"]
    run = train(tmp_path / "commas.csv", profile, recipe.model_copy(update={"steps": steps}),
                config.model_copy(update={"choice": kept}))
    pl.DataFrame({"age": ["71,25"], "pressure": ["151"], "sex": ["female"], "ward": ["north"], "seen": ["2024-05-11"]}
                 ).write_csv(tmp_path / "one.csv", separator=";")
    row = predict_file(run, tmp_path / "one.csv").row(0, named=True)
    values = {"age": 71.25, "pressure": 151.0, "sex": "female", "ward": "north", "seen": "2024-05-11"}
    fields = asking.fields(gallery.open_run(run))
    assert {each.name: each.kind for each in fields}["seen"] == "date"
    found = asking.patient(run, {each.name: values[each.name] for each in fields})
    assert found["p"][1] == pytest.approx(row["probability of 1"], abs=1e-12)


def test_a_child_that_was_killed_is_started_anew_and_a_refusal_is_in_words(trained):
    worker.answer("patient", run=trained[0], values={})
    first = psutil.Process(standby.pid)
    first.kill()
    first.wait(20)
    assert worker.answer("patient", run=trained[0], values=given())["p"].shape == (2,)
    assert standby.pid != first.pid
    with pytest.raises(UserError) as refused:
        worker.answer("patient", run="no-such-run", values=given())
    assert "There is no run no-such-run" in refused.value.what
    assert standby.pid is not None  # a refusal ends nothing


def test_the_child_ends_when_it_is_let_go_or_asked_for_another_home(trained, tmp_path, monkeypatch):
    own = Standby()
    own.ask("patient", run=trained[0], values={})
    child = psutil.Process(own.pid)
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "other"))
    with pytest.raises(UserError):
        own.ask("patient", run=trained[0], values=given())
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    own.close()
    assert own.pid is None


def test_a_file_is_answered_beside_it_and_nothing_is_written_over(trained, tmp_path):
    pl.DataFrame({name: [value, value] for name, value in given().items()}
                 | {"age": [71.25, 900.0]}).write_csv(tmp_path / "two.csv")
    out = asking.place_for(tmp_path / "two.csv")
    found = asking.patients(trained[0], tmp_path / "two.csv", out, sheet=None, level=0.8, explain=True)
    back = pl.read_csv(out)
    assert found == {"n": 2, "silent": 1, "unread": 0} and out.name == "two answers.csv"
    assert asking.place_for(tmp_path / "two.csv", " ").name == "two answers2.csv"
    for wanted, code in ((tmp_path / "two.csv", "taken"), (out, "taken"), (tmp_path / "gone" / "a.csv", "missing")):
        with pytest.raises(UserError) as refused:
            asking.patients(trained[0], tmp_path / "two.csv", wanted, sheet=None, level=0.8, explain=True)
        assert refused.value.code == code
    assert back["abstained"][1].startswith("age: far outside")
    assert back["set at 80%"][0] and back["reasons"][0] and back["reasons"][1] is None


def test_a_file_that_came_to_lie_there_meanwhile_is_not_written_over(trained, tmp_path, monkeypatch):
    pl.DataFrame({name: [value] for name, value in given().items()}).write_csv(tmp_path / "one.csv")
    out = asking.place_for(tmp_path / "one.csv")

    def slow(*about, **more):
        out.write_text("of somebody else")
        return predict_file(*about, **more)
    monkeypatch.setattr("medml.predict.predict_file", slow)
    with pytest.raises(UserError) as refused:
        asking.patients(trained[0], tmp_path / "one.csv", out, sheet=None, level=0.8, explain=False)
    assert refused.value.code == "taken" and out.read_text() == "of somebody else"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one answers.csv", "one.csv"]


class Heard(Silent):
    """What was said, and a stop after so many words."""

    def __init__(self, most: int = 99) -> None:
        self.said: list[tuple[float, str]] = []
        self.most = most

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        self.said.append((fraction, message))

    def stopping(self) -> bool:
        return len(self.said) >= self.most


def test_a_long_file_tells_how_far_it_is_says_the_same_in_pieces_and_can_be_stopped(trained, tmp_path, monkeypatch):
    file = saved(clinic(90, seed=3).drop(columns="outcome").rename(columns={"pressure": "pressure (mmHg)"}), tmp_path)
    whole = predict_file(trained[0], file, explain=True)
    monkeypatch.setattr("medml.predict.A_PIECE_EXPLAINED", 40)
    heard = Heard()
    assert predict_file(trained[0], file, explain=True, watch=heard).equals(whole)
    assert [message for _, message in heard.said][-4:] == [
        *(f"{done} of 90 asked about" for done in (0, 40, 80)), "90 asked about"]  # some may have no answer
    assert [fraction for fraction, _ in heard.said] == sorted(fraction for fraction, _ in heard.said)
    with pytest.raises(Stopped):
        asking.patients(trained[0], file, tmp_path / "out.csv", sheet=None, level=0.9, explain=True, watch=Heard(4))
    assert not (tmp_path / "out.csv").exists()


def test_an_answer_that_looks_like_a_formula_is_found_again_as_the_model_has_it(tmp_path):
    """Folders called "+" and "-" are common among pictures; a file of answers has an apostrophe before them."""
    from pages._ui_predict_many import answers_in

    home.write_bytes(tmp_path / "a.csv", spreadsheet.csv(pl.DataFrame(
        {"picture": ["=1.png", "b.png", "c.png"], "predicted": ["+", "-", None], "abstained": [None, None, "far"]})))
    assert answers_in(tmp_path / "a.csv") == {"=1.png": "+", "b.png": "-"}


def test_an_answer_about_a_picture_is_never_shown_without_its_probability_and_its_set(tmp_path):
    from pages._ui_predict_many import firsts

    home.write_bytes(tmp_path / "a.csv", spreadsheet.csv(pl.DataFrame(
        {"picture": ["a.png", "b.png", "c.png"], "probability of -": [0.4975, 0.1, None],
         "probability of +": [0.5025, 0.9, None], "predicted": ["+", "+", None],
         "set at 90%": ["- or +", "+", None], "how often right": ["Of 100, 44 had it.", "", None],
         "abstained": [None, None, "far"]})))
    assert firsts(tmp_path / "a.csv", 2) == (
        ["Picture", "Answer", "Probability", "Set at 90 %", "How often right"],
        [["a.png", "+", "50 %", "- or +", "Of 100, 44 had it."], ["b.png", "+", "90 %", "+", ""]])
    home.write_bytes(tmp_path / "a.csv", spreadsheet.csv(pl.DataFrame(
        {"picture": ["a.png"], "predicted": [3.25], "interval low at 90%": [1.5], "interval high at 90%": [5.123],
         "how often right": ["Off by 1 on average."], "abstained": [None]})))
    assert firsts(tmp_path / "a.csv", 2) == (
        ["Picture", "Answer", "Interval at 90 %", "How often right"],
        [["a.png", "3.25", "1.5 to 5.12", "Off by 1 on average."]])


def test_no_value_that_was_typed_is_written_anywhere(trained, tmp_path):
    """Not by an answer, a refusal, an answer withheld, or a file; the numbers are such as nobody else has."""
    numbers = np.array([61.2837465, 139.8372651])
    mine = given(age=numbers[0], **{"pressure (mmHg)": numbers[1]})
    pl.DataFrame({name: [value] for name, value in mine.items()} | {"sex": ["ZZRAREsex"]}).write_csv(tmp_path / "a.csv")
    before = os.environ["MEDML_HOME"]
    assert worker.answer("patient", run=trained[0], values=mine)["p"].shape == (2,)
    assert "ward" in str(worker.answer("patient", run=trained[0], values=mine | {"ward": "ZZRAREward"})["why"])
    with pytest.raises(UserError):
        worker.answer("patient", run=trained[0], values=mine | {"age": {"ZZNOTE": "no text"}})
    asking.patients(trained[0], tmp_path / "a.csv", tmp_path / "b.csv", sheet=None, level=0.9, explain=True)
    assert os.environ["MEDML_HOME"] == before and (home.home() / "logs").is_dir()
    assert found_in(home.home(), numbers) == []
