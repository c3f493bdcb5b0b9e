"""Labels changed and cases left out by a clinician who had looked at them again, knowing what a model said.

A case is named by its keyed hash (see medml.saved_split), so a recipe names nobody; the file itself is never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml import home
from medml.errors import UserError
from medml.steps import Fixed, registry
from medml.steps.step import ROW, About, plural, were
from medml.types import Choice, Effect, Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl

THE_OTHER = ""  # instead of a label: yes becomes no, and no yes


class SecondLook(Fixed):
    """Settings: `relabel` {case: label, or "" for the other of two classes};  `exclude` [case]."""

    name = "second_look"
    title = "Looked at again"
    sentence = ("Changes the outcome of cases that were found to be labelled wrongly, and leaves out those that do not "
                "belong here, after a second look at the file.")
    drops_rows = True
    lists = ("relabel", "exclude")

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        import polars as pl

        relabel, exclude = dict(params.get("relabel", {})), set(params.get("exclude", []))
        if not relabel and not exclude or about.choice.target not in frame.columns:
            return frame, self._effect(frame, frame, 0, "No case is changed.")
        keys = pl.Series(keys_of(frame[ROW].to_numpy(), about.table.sha256))
        changed = _relabelled(frame, keys, relabel, about.choice)
        kept = changed.filter(~keys.is_in(list(exclude)))
        n = int(keys.is_in(list(relabel)).sum())
        gone = frame.height - kept.height
        return kept, self._effect(frame, kept, n, f"The outcome of {plural(n, 'case')} {were(n)} changed, "
                                                  f"{plural(gone, 'case')} {were(gone)} left out.")

    def _effect(self, before: pl.DataFrame, after: pl.DataFrame, cells: int, sentence: str) -> Effect:
        return Effect(step=self.name, rows_before=before.height, rows_after=after.height, cells_changed=cells,
                      sentence=sentence)


def keys_of(rows: np.ndarray, data_sha256: str) -> list[str]:
    """The keyed hashes of the rows at these places of the table, as a run's split names them."""
    hashed = home.hasher()
    return [hashed("case", data_sha256, str(row)) for row in rows.tolist()]


def require_known(recipe: Recipe, effects: Sequence[Effect]) -> None:
    """UserError where cases that were decided about are not in the table as it is: after the installation's key was
    lost, or the table changed, they are known by other hashes, and a report would count what nobody changed."""
    step = next((each for each in recipe.steps if each.name == SecondLook.name and each.on), None)
    done = next((each for each in effects if each.step == SecondLook.name), None)
    if step is None or done is None:
        return
    lost = sum(len(step.params.get(name, ())) for name in SecondLook.lists)
    lost -= done.cells_changed + done.rows_before - done.rows_after
    if lost > 0:
        raise UserError(
            what=f"{plural(lost, 'case')} that {were(lost)} looked at again {'is' if lost == 1 else 'are'} not found "
                 "in this table: it has changed, or the key in MedML's folder is another. Your file is as it was.",
            fix="Switch off “Looked at again” on the Cleanup page and train; then look at the doubtful cases of that "
                "run again.", code="looked_at")


def of_any_table(recipe: Recipe) -> Recipe:
    """The recipe without decisions about single cases: another table has other patients in the same rows."""
    return recipe.model_copy(update={"steps": [step for step in recipe.steps if step.name != SecondLook.name]})


def to_take_away(recipe: Recipe) -> Recipe:
    """The recipe as it may leave the machine: how many cases were decided about, but no case and no label."""
    return recipe.model_copy(update={"steps": [_counted(step) if step.name == SecondLook.name else step
                                               for step in recipe.steps]})


def _counted(step: Step) -> Step:
    places = {name: [str(at) for at in range(len(step.params.get(name, [])))] for name in SecondLook.lists}
    return step.model_copy(update={"params": step.params | {"relabel": dict.fromkeys(places["relabel"], THE_OTHER),
                                                            "exclude": places["exclude"]}})


def audit(recipe: Recipe) -> str:
    """What a report must say of a second look, without a full stop; "" where there was none."""
    step = next((each for each in recipe.steps if each.name == SecondLook.name and each.on), None)
    if step is None:
        return ""
    n, gone = len(step.params.get("relabel", {})), len(step.params.get("exclude", []))
    told = [f"{plural(n, 'label')} changed"] * bool(n) + [f"{plural(gone, 'case')} left out"] * bool(gone)
    return f"{' and '.join(told)} after a model's answers had been seen" if told else ""


def _relabelled(frame: pl.DataFrame, keys: pl.Series, relabel: dict[str, str], choice: Choice) -> pl.DataFrame:
    """The frame with the outcome of these cases changed; a case without an outcome keeps having none."""
    import polars as pl

    target, column = choice.target, frame[choice.target].cast(pl.String)
    at = [place for place, key in enumerate(keys.to_list()) if key in relabel and column[place] is not None]
    if not at:
        return frame
    yes, no = _both(column, choice) if THE_OTHER in relabel.values() else ("", "")
    is_yes = _is_yes(column, choice)
    new = [relabel[keys[place]] or (no if is_yes[place] else yes) for place in at]
    return frame.with_columns(column.scatter(at, new).alias(target))


def _is_yes(column: pl.Series, choice: Choice) -> list[bool]:
    """Whether each cell counts as yes."""
    import polars as pl

    from medml.recipe.reading import category_names, yes_no

    if choice.positive == ">0":
        return (column.cast(pl.Float64, strict=False) > 0).fill_null(False).to_list()
    plain, spelt = category_names(column), yes_no(column)
    return [choice.positive in (a, b) for a, b in zip(plain.to_list(), spelt.to_list(), strict=True)]


def _both(column: pl.Series, choice: Choice) -> tuple[str, str]:
    """A cell that counts as yes and one that counts as no, as most cells of the table write them."""
    if choice.positive == ">0":
        return "1", "0"
    found = []
    for wanted in (True, False):
        cells = column.filter([each == wanted for each in _is_yes(column, choice)]).drop_nulls()
        found.append(str(cells.mode().sort()[0]) if len(cells) else str(choice.positive))
    return found[0], found[1]


registry.add(SecondLook.name, SecondLook())
