"""Groups of several columns overlap: what one column's groups lack of another's could be counted by subtraction (bands
of an age and a column of age classes). Numpy alone, because a capsule takes this file along."""

from itertools import combinations

import numpy as np

FEWEST = 10  # patients of a group that may be told
MOST_JOINED = 20_000  # unions of two columns' groups that are looked through; with more of them nothing is told


def harmless(columns, patients, fewest=FEWEST):
    """Which groups may be told of all columns together.

    columns  lists of (n,) bool, one mask a group that may be told by itself, no two of a column overlap
    patients (n,) codes
    returns  (n groups,) bool a column: of a later column the smallest groups are left out until no union of its groups,
             with those left out as one more, differs from a union of an earlier one's, or of groups of two columns that
             share nobody, by a few patients
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
    return any(few_between(*pair, patients, fewest) for each in told for pair in ((each, mine), (mine, each))) or \
        any(few_among(*three, patients, fewest) for three in _threes(told, mine))


def _threes(told, mine):
    """Every two earlier columns with this one, each of the three as the last in turn."""
    for one, other in combinations(told, 2):
        yield from ((one, other, mine), (one, mine, other), (other, mine, one))


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


def few_among(one, other, third, patients, fewest=FEWEST):
    """Whether groups of two columns that share nobody hold together, besides groups of a third that lie wholly in them,
    some patients and fewer than `fewest`; or lack that many of groups of the third.   (n,) int, the part of each row"""
    at, lefts = _joined(one, other, third)
    who = _who(at, patients)
    return any(left is None or _fewer(left, who, fewest) for left in lefts)


def countable(columns, y, patients, fewest=FEWEST):
    """Whether events of each column's groups can be told: what a union of one column's groups lacks of another's, whose
    events are told, holds nobody, or `fewest` patients of both classes; groups of two columns beside a third alike.

    columns  (n,) int each;   y  (n,) 0 and 1;   patients  (n,) codes
    """
    told, found = [], []
    for parts in columns:
        found.append(not any(_few_of_a_class(one, other, y, patients, fewest) for each in told
                             for one, other in ((each, parts), (parts, each)))
                     and not any(_few_of_a_class_among(*three, y, patients, fewest) for three in _threes(told, parts)))
        if found[-1]:
            told.append(parts)
    return found


def _few_of_a_class(inner, outer, y, patients, fewest):
    rows = _table(inner, outer, np.ones(len(y)))
    of_classes = _who_of_classes(inner * rows.shape[1] + outer, y, patients)
    for taken, partly, whole in _unions(rows):
        left = (partly[:, :, None] & taken[:, None, :] & (rows > 0)[None]).reshape(-1, rows.size)
        if _fewer_of_a_class(left[whole], of_classes, fewest):
            return True
    return False


def _few_of_a_class_among(one, other, third, y, patients, fewest):
    at, lefts = _joined(one, other, third)
    of_classes = _who_of_classes(at, y, patients)
    return any(left is None or _fewer_of_a_class(left, of_classes, fewest) for left in lefts)


def _who(at, patients):
    """(m, 2) each cell with each of its patients, once, and in how many cells a patient is at most."""
    step = int(patients.max(initial=0)) + 1
    pairs = np.unique(at * step + patients)
    pairs = np.column_stack([pairs // step, pairs % step])
    return pairs, np.bincount(pairs[:, 1], minlength=1).max()


def _who_of_classes(at, y, patients):
    return [_who(at[y == each], patients[y == each]) for each in (0, 1)]


def _fewer_of_a_class(left, of_classes, fewest):
    """As `_fewer`, of either class; somebody must be left."""
    left = left[left.any(axis=1)]
    return any(_fewer(left, who, fewest, even_none=True) for who in of_classes)


def _fewer(left, who, fewest, *, even_none=False):
    """Whether one of these sets of cells holds fewer than `fewest` patients, and somebody.

    left  (sets, cells) bool;   who  see `_who`;   even_none  nobody counts as few
    """
    pairs, often = who
    whole = left @ np.bincount(pairs[:, 0], minlength=left.shape[1]).astype(float)
    small = (whole < max(often, 1) * fewest) & (even_none | (whole > 0))   # so many patients at least: whole / often
    return any(len(np.unique(pairs[left[place][pairs[:, 0]], 1])) < fewest for place in np.flatnonzero(small))


def _joined(one, other, third, together=512):
    """Groups of two columns that share nobody, set together, against the third's: (n,) the cell of each row, and pieces
    of (sets, cells) bool: what such a set holds besides the third's groups wholly in it, and what it lacks of those
    that it meets; None where there are too many such sets to look at."""
    cells, at = np.unique(np.column_stack([one, other, third]), axis=0, return_inverse=True)
    parts = [column[:, None] == np.arange(column.max() + 1)[None] for column in cells.T]   # (cells, groups)
    return at.ravel(), _against(*parts, together)


def _against(one, other, third, together):
    sizes, n_sets = third.sum(axis=0), 0
    for taken, beside in _sharing_nobody(one, other):
        n_sets += len(beside)
        if n_sets > MOST_JOINED:
            yield None
            return
        for first in range(0, len(beside), together):
            both = taken[None] | beside[first:first + together]   # (sets, cells)
            meets = both.astype(float) @ third
            inside = (meets == sizes) & (sizes > 0)
            yield (both & ~(inside.astype(float) @ third.T > 0))[inside.any(axis=1)]
            yield ((meets > 0).astype(float) @ third.T > 0) & ~both


def _sharing_nobody(one, other):
    """(cells,) a union of one column's groups, and (sets, cells) the unions of the other's that share no cell."""
    for number in range(1, 2**one.shape[1]):
        taken = one[:, (number >> np.arange(one.shape[1]) & 1).astype(bool)].any(axis=1)
        free = other[:, ~other[taken].any(axis=0) & other.any(axis=0)]
        if taken.any() and free.shape[1]:
            numbers = np.arange(1, 2**free.shape[1])
            chosen = (numbers[:, None] >> np.arange(free.shape[1]) & 1).astype(float)
            yield taken, chosen @ free.T > 0


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
