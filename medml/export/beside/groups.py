"""Figures of groups of patients (sex, age, site, and what was asked for): of ten patients and more, and none that lets
a smaller one be worked out by difference."""

import numpy as np
from figures import auroc_of, calibration_line, r2_of
from overlaps import countable, harmless, parts_of

FEWEST = 10  # patients of a group that may be told of
ENOUGH = 30  # patients below which a group's size alone is told


def told_of(rows, patients):
    """How many of these rows (n,) bool there are; none where they are of 1 to 9 patients."""
    n = len(np.unique(patients[rows]))
    return int(rows.sum()) if n == 0 or n >= FEWEST else f"fewer than {FEWEST}"


def without_small(counts, fewest):
    """{name: n} -> those that may be told of everybody: none under `fewest`, nor one that with the others named would
    let the rest be worked out. counts holds everybody; the name None is never told."""
    shown = {name: n for name, n in counts.items() if name is not None and n >= fewest}
    hidden = sum(counts.values()) - sum(shown.values())
    while shown and 0 < hidden < fewest:
        hidden += shown.pop(min(shown, key=shown.get))
    return shown


def labels_of(cells, column, cuts):
    """(n,) the group of each row: known categories, or the bands between `cuts`; None for any other."""
    if column["type"] == "text":
        return [each if each in column["usual"] else None for each in cells]
    names = [f"under {cuts[0]:g}", *(f"{low:g} to under {high:g}" for low, high in zip(cuts, cuts[1:], strict=False)),
             f"{cuts[-1]:g} and over"]
    return [names[int(np.searchsorted(cuts, each, side="right"))] if each == each else None for each in cells]


def groups_of(schema, cells_of, y, p, patients, fewest):
    """Every group that may be named, as MedML keeps it.   cells_of  column -> (n,) its cells as the model reads them"""
    found, told = [], []
    for asked in schema["subgroups"]:
        column = next(each for each in schema["columns"] if each["name"] == asked["column"])
        labels = np.array(labels_of(cells_of(column), column, asked["cuts"]), dtype=object)
        counts = {label: len(np.unique(patients[labels == label])) for label in dict.fromkeys(labels.tolist())}
        shown = sorted(without_small(counts, fewest))
        told.append([(asked["column"], label, labels == label) for label in shown])
    may = harmless([[mask for _, _, mask in groups] for groups in told], patients, fewest)
    told = [[each for each, said in zip(groups, here, strict=True) if said]
            for groups, here in zip(told, may, strict=True)]
    for groups, counted in zip(told, _counted(schema, y, told, patients, fewest), strict=True):
        found += [_told(schema, {"column": column, "label": label}, y[mine], p[mine],
                        np.unique(patients[mine], return_inverse=True)[1], counted, fewest)
                  for column, label, mine in groups]
    return found


def _counted(schema, y, told, patients, fewest):
    """Of which columns events can be told: by itself, and beside the columns before it."""
    if schema["task"] != "binary":
        return [False] * len(told)
    alone = [_may_count(y, [np.flatnonzero(mask) for _, _, mask in groups], patients, fewest) for groups in told]
    beside = iter(countable([parts_of([mask for _, _, mask in groups], patients)
                             for groups, here in zip(told, alone, strict=True) if here], y, patients, fewest))
    return [here and next(beside) for here in alone]


def _may_count(y, groups, patients, fewest):
    """Whether events can be told a group: `fewest` patients of both classes in each, and in what is left of all."""
    rest = np.setdiff1d(np.arange(len(y)), np.concatenate(groups)) if groups else np.arange(len(y))
    parts = [*groups, rest] if len(rest) else groups
    return all(rarest(y[each], patients[each], 2) >= fewest for each in parts)


def rarest(y, patients, n_classes):
    """Patients of the rarest class (all patients for a number, n_classes 0): the rows of one are not many."""
    return min((len(np.unique(patients[y == each])) for each in range(n_classes)), default=len(np.unique(patients)))


def _told(schema, named, y, p, patients, counted, fewest):
    n_patients = int(patients.max()) + 1
    # a figure of fewer of a class tells how many they are
    enough = n_patients >= ENOUGH and rarest(y, patients, len(schema["classes"])) >= fewest
    known = named | {"n": len(y), "n_patients": n_patients, "enough": enough,
                     "n_events": int((y == 1).sum()) if counted else None, "figure": None, "slope": None}
    if not enough:
        return known
    figure = auroc_of(y, p, patients) if schema["classes"] else r2_of(y, p, patients)
    return known | {"figure": figure, "slope": calibration_line(schema, y, p, patients).get("slope")}
