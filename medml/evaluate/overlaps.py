"""Groups of several columns overlap: what one column's groups lack of another's could be counted by subtraction (bands
of an age and a column of age classes). Numpy alone, because a capsule takes this file along."""

import numpy as np

FEWEST = 10  # patients of a group that may be told


def harmless(columns, patients, fewest=FEWEST):
    """Which groups may be told of all columns together.

    columns  lists of (n,) bool, one mask a group that may be told by itself, no two of a column overlap
    patients (n,) codes
    returns  (n groups,) bool a column: of a later column the smallest groups are left out until no union of its groups,
             with those left out as one more, differs from a union of an earlier one's by a few patients
    """
    told, kept = [], []
    for groups in columns:
        stays = np.ones(len(groups), dtype=bool)
        sizes = [len(np.unique(patients[each])) for each in groups]
        while stays.any() and _tells_of_few(told, mine := parts_of(_some(groups, stays), patients), patients, fewest):
            stays[min(np.flatnonzero(stays), key=lambda place: sizes[place])] = False
        if stays.any():
            told.append(mine)
        kept.append(stays)
    return kept


def _tells_of_few(told, mine, patients, fewest):
    return any(few_between(*pair, patients, fewest) for each in told for pair in ((each, mine), (mine, each)))


def parts_of(groups, patients):
    """(n,) int: the group of each row, one more for the rows of none."""
    found = np.full(len(patients), len(groups))
    for place, each in enumerate(groups):
        found[each] = place
    return found


def few_between(inner, outer, patients, fewest=FEWEST):
    """Whether a union of outer parts holds, besides the inner parts that lie wholly in it, some patients and fewer than
    `fewest`.   inner, outer  (n,) int, the part of each row"""
    rows, some = _table(inner, outer, np.ones(len(inner))), _pieces(inner, outer, patients)
    for taken, partly, whole in _unions(rows):
        left = partly[:, :, None] & taken[:, None, :] & (rows > 0)[None]   # (unions, inner, outer)
        small = left.any(axis=(1, 2)) & ((left * some[None]).max(axis=(1, 2)) < fewest) & whole
        for union in np.flatnonzero(small):
            if _n_patients(left[union], inner, outer, patients) < fewest:
                return True
    return False


def countable(columns, y, fewest=FEWEST):
    """Whether events of each column's groups can be told: what a union of one column's groups lacks of another's, whose
    events are told, holds nobody, or `fewest` of both classes.   columns  (n,) int each;   y  (n,) 0 and 1"""
    told, found = [], []
    for parts in columns:
        found.append(not any(_few_of_a_class(one, other, y, fewest) for each in told
                             for one, other in ((each, parts), (parts, each))))
        if found[-1]:
            told.append(parts)
    return found


def _few_of_a_class(inner, outer, y, fewest):
    rows, yes = _table(inner, outer, np.ones(len(y))), _table(inner, outer, y)
    for taken, partly, whole in _unions(rows):
        weight = taken[:, None, :] & partly[:, :, None]
        n, events = (weight * rows).sum(axis=(1, 2)), (weight * yes).sum(axis=(1, 2))
        if (whole & (n > 0) & (np.minimum(events, n - events) < fewest)).any():
            return True
    return False


def _some(groups, stays):
    return [each for each, here in zip(groups, stays, strict=True) if here]


def _table(inner, outer, weights):
    """(inner parts, outer parts): sums of weights."""
    found = np.zeros((inner.max() + 1, outer.max() + 1))
    np.add.at(found, (inner, outer), weights)
    return found


def _pieces(inner, outer, patients):
    """(inner parts, outer parts): patients who are in both."""
    some = np.unique(np.column_stack([inner, outer, patients]), axis=0)
    found = np.zeros((inner.max() + 1, outer.max() + 1))
    np.add.at(found, (some[:, 0], some[:, 1]), 1)
    return found


def _unions(rows, together=512):
    """Unions of the outer parts, some at a time: (unions, outer) which are in it, (unions, inner) which inner parts lie
    partly in it, so that they cannot be taken off, and (unions,) whether one can: it lies wholly in it."""
    n_outer, filled = rows.shape[1], rows.any(axis=1)
    for first in range(1, 2**n_outer, together):
        numbers = np.arange(first, min(first + together, 2**n_outer))
        taken = (numbers[:, None] >> np.arange(n_outer) & 1).astype(bool)
        inside = taken @ rows.T   # (unions, inner): rows of each inner part in the union
        partly = (inside > 0) & (inside < rows.sum(axis=1))
        yield taken, partly, (filled & (inside > 0) & ~partly).any(axis=1)


def _n_patients(cells, inner, outer, patients):
    return len(np.unique(patients[cells[inner, outer]]))
