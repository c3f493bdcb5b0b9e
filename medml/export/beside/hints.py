"""What validate.py says on the screen of whoever runs it: what came of it, and which values ask to be recoded. A value
is named where ten patients and more have it; all others are counted together."""

import numpy as np
from groups import FEWEST, told_of

NO_VALUE = {"", "-", "--", ".", "?", "na", "n/a", "nan", "null", "none", "missing", "unknown"}  # no number, none meant
MOST = 5  # values of a column that are named


def done(file, n_rows, n_patients, left_out, hints):
    """The summary, line by line.   left_out  rows without an outcome that the model knows, and copies; as told_of"""
    left = f"; {left_out} rows were left out" if left_out else ""
    yield f"{file} was written: figures of {n_rows} rows of {n_patients} patients{left}."
    if hints:
        yield "Look at these first. Recode what is meant otherwise in a copy of your table, then run this again:"
        yield from (f"  {each}" for each in hints)
    yield "Open it in any editor, see that it tells of no single patient, and send it back to whoever gave you this."


def of_column(column, raw, cells, patients):
    """Sentences on one predictor.   raw (n,) its cells as they stand;   cells (n,) as the model reads them"""
    name, usual = column["name"], column["usual"]
    if column["type"] == "text":
        which = f"which too few patients of the training had, or none (it knows: {_listed(usual)})" if usual else ""
        return of_values(name, [each if each and each not in usual else None for each in cells], patients, which)
    numbers = np.array(cells, dtype=float)
    codes = {str(each) for each in column["codes"]}
    odd = np.array([bool(np.isnan(number)) and _meant(text, codes) for number, text in zip(numbers, raw, strict=True)])
    kind = "a date" if column["type"] == "date" else "a number"
    said = [f"{name}: {told_of(odd, patients)} rows hold what cannot be read as {kind}"] if odd.any() else []
    known = np.isfinite(numbers)
    if column["type"] == "number" and None not in usual and len(np.unique(patients[known])) >= 2 * FEWEST:
        middle = float(np.median(numbers[known]))
        if not usual[0] <= middle <= usual[1]:
            unit = f" ({column['unit']})" if column["unit"] else ""
            said.append(f"{name}: its median here, {middle:.3g}, lies outside of where nine of ten lay in training, "
                        f"{usual[0]:g} to {usual[1]:g}{unit}. Is it in the same unit?")
    return said


def _meant(text, codes):
    """Whether somebody wrote a value, and no word or code for none."""
    text = text.strip().lower()
    return text not in NO_VALUE and text not in codes and f"{text}.0" not in codes


def of_values(name, values, patients, which):
    """Sentences on values that the model does not know.   values (n,), None: known;   which  what they are not"""
    if not which:
        return []
    values = np.array(values, dtype=object)
    named = {each: told_of(values == each, patients) for each in sorted({each for each in values if each is not None})}
    most = sorted((each for each, n in named.items() if not isinstance(n, str)), key=lambda each: -named[each])[:MOST]
    said = [f"{name}: {named[each]} rows hold “{each}”, {which}" for each in most]
    others = np.array([each is not None and each not in most for each in values])
    return [*said, f"{name}: {told_of(others, patients)} rows hold other values, {which}"] if others.any() else said


def _listed(names):
    return ", ".join(names[:12]) + (" and others" if len(names) > 12 else "")
