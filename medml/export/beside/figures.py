"""What validate.py measures: the figures of MedML's own evaluation, in numpy alone, with patient-level bootstrap."""

import math

import numpy as np
from smooth import cells_of, distance_of

DRAWS, TOGETHER = 1000, 50  # bootstrap draws, and how many at once
SHARES = {"sensitivity", "specificity", "ppv", "npv", "accuracy"}
PERFECT_AT_ONE = SHARES | {"auroc", "auprc", "f1", "balanced_accuracy", "mcc"}
GRID = np.round(np.arange(101) / 100, 2)


def figures_of(schema, y, p, patients):
    """{name: {"value", "low", "high", "n"}} with 95 % percentile intervals over draws of whole patients."""
    if schema["task"] == "regression":
        return with_intervals(lambda w: _number(y, p, w), patients, len(y))
    codes, n_classes = y.astype(int), len(schema["classes"])
    threshold = schema["computed_threshold"]
    decided = (p[:, 1] >= threshold).astype(int) if n_classes == 2 and threshold is not None else p.argmax(axis=1)
    found = with_intervals(lambda w: _classes(codes, p, decided, w), patients, len(y))
    return {name: _widened(name, each, y, patients) for name, each in found.items()}


def calibration_line(schema, y, p, patients):
    """Slope, intercept (calibration in the large) and the mean distance from the smooth curve (ICI); of several classes
    the last alone, of how sure the model was (see `lines_of_classes`); of a number the first two."""
    if schema["task"] == "multiclass":
        sure = p.max(axis=1)
        return {"ici": distance(p.argmax(axis=1) == y, sure, patients)}
    if schema["task"] == "regression":
        return with_intervals(lambda w: _number_line(y, p, w), patients, len(y))
    return with_intervals(_line(y, _logit(p[:, 1])), patients, len(y)) | {
        "ici": distance(y == 1, p[:, 1], patients)}


def distance(yes, p, patients):
    """The integrated calibration index, to 4 digits: those behind would tell more than everybody together."""
    place, centre = cells_of(p)
    order, apart = np.argsort(place, kind="stable"), distance_of(p, centre)
    starts = np.searchsorted(place[order], np.arange(len(centre)))

    def measure(weights):
        gathered = [np.add.reduceat(each[order], starts, axis=0) for each in (weights, weights * yes[:, None])]
        return {"ici": apart(*gathered)}
    found = with_intervals(measure, patients, len(p), centred=True)["ici"]
    return {name: each if each is None else round(each, 4) for name, each in found.items()}


def lines_of_classes(schema, y, p, patients):
    """{class: slope and intercept of it against the rest}; {} where there are not several."""
    if schema["task"] != "multiclass":
        return {}
    lines = [_line((y == place).astype(float), _logit(p[:, place])) for place in range(p.shape[1])]
    found = with_intervals(lambda w: {f"{name} {place}": drawn for place, line in enumerate(lines)
                                      for name, drawn in line(w).items()}, patients, len(y))
    return {label: {name: found[f"{name} {place}"] for name in ("slope", "intercept")}
            for place, label in enumerate(schema["classes"])}


def delong(y, score):
    """AUROC with DeLong's interval (Biometrics 1988;44:837); rows are patients."""
    yes, no = score[y == 1], score[y == 0]
    of_yes, of_no = _placements(yes, no), 1 - _placements(no, yes)
    variance, value = of_yes.var(ddof=1) / len(yes) + of_no.var(ddof=1) / len(no), float(of_yes.mean())
    if variance <= 1e-15:  # wholly apart, or one score for everybody: no interval can be told
        return {"value": None, "low": None, "high": None, "n": len(y)}
    half = 1.959963984540054 * math.sqrt(variance)
    return {"value": value, "low": max(0.0, value - half), "high": min(1.0, value + half), "n": len(y)}


def auroc_of(y, p, patients):
    """AUROC, of several classes the mean of each against the rest."""
    codes, of = y.astype(int), [1] if p.shape[1] == 2 else range(p.shape[1])
    found = with_intervals(lambda w: {"auroc": np.mean([_auroc(codes == each, p[:, each], w) for each in of], axis=0)},
                           patients, len(y))["auroc"]
    return _widened("auroc", found, y, patients)


def r2_of(y, p, patients):
    """The share of a number's variance that is explained."""
    return with_intervals(lambda w: {"r2": _number(y, p, w)["r2"]}, patients, len(y))["r2"]


# ---- one draw after the other: weights (n, draws) -> name -> (draws,) ---------------------------------------------

def with_intervals(measure, patients, n, centred=False):
    """{name: figure} of measure(weights (n, draws)) -> {name: (draws,)}, whole patients drawn.

    centred  move the draws until their mean is the figure, a share: patients drawn twice put a curve off
    """
    values = {name: float(each[0]) for name, each in measure(np.ones((len(patients), 1))).items()}
    rng, drawn = np.random.default_rng(0), []
    n_patients = int(patients.max()) + 1
    for _ in range(DRAWS // TOGETHER):
        draws = rng.multinomial(n_patients, np.full(n_patients, 1 / n_patients), TOGETHER).T
        drawn.append(measure(draws[patients].astype(float)))
    drawn = {name: np.concatenate([each[name] for each in drawn]) for name in values}
    if centred:
        drawn = {name: np.clip(each - np.nanmean(each) + values[name], 0, 1) for name, each in drawn.items()}
    return {name: _metric(value, drawn[name], n) for name, value in values.items()}


def _metric(value, drawn, n):
    told = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(told) < 0.9 * len(drawn):
        return {"value": None, "low": None, "high": None, "n": n}
    low, high = np.quantile(told, [0.025, 0.975])
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value), "n": n}


def _widened(name, found, y, patients):
    """No draw can be worse than perfect where nobody was wrong: Wilson's interval (JASA 1927;22:209) for the rarest
    class instead."""
    if found["value"] is None or found["high"] - found["low"] > 1e-9 or name not in PERFECT_AT_ONE:
        return found
    fewest = min(len(np.unique(patients[y == each])) for each in np.unique(y))
    low = fewest / (fewest + 1.959963984540054**2)   # of as many out of as many
    if found["value"] > 1 - 1e-9:
        return found | {"low": 2 * low - 1 if name == "mcc" else low}
    return found | {"high": 1 - low} if found["value"] < 1e-9 and name in SHARES else found


def _classes(y, p, decided, weights):
    n_classes = p.shape[1]
    of = [1] if n_classes == 2 else range(n_classes)
    table = np.array([[weights[(y == true) & (decided == said)].sum(axis=0) for said in range(n_classes)]
                      for true in range(n_classes)])   # (true, decided, draws)
    brier = (p[:, 1] - y) ** 2 if n_classes == 2 else ((p - np.eye(n_classes)[y]) ** 2).sum(axis=1)
    least = np.finfo(float).eps
    loss = -np.log(np.clip(p[np.arange(len(y)), y], least, 1 - least))
    total = weights.sum(axis=0)
    return {"auroc": np.mean([_auroc(y == each, p[:, each], weights) for each in of], axis=0),
            "auprc": np.mean([_auprc(y == each, p[:, each], weights) for each in of], axis=0),
            "brier": brier @ weights / total, "log_loss": loss @ weights / total} | _at(table)


def _at(table):
    """(k, k, draws) -> figures at the decision; macro averages of each class against the rest where k > 2."""
    k, everybody = len(table), table.sum(axis=(0, 1))
    true, said, hit = table.sum(axis=1), table.sum(axis=0), np.einsum("iij->ij", table)
    part = slice(1, 2) if k == 2 else slice(None)
    tp, fn, fp = hit[part], (true - hit)[part], (said - hit)[part]
    tn = everybody - tp - fn - fp
    ppv, f1 = _share(tp, tp + fp), _share(2 * tp, 2 * tp + fp + fn)
    if k > 2:
        ppv = np.where(tp + fp == 0, 0.0, ppv)
    covariance = hit.sum(axis=0) * everybody - (true * said).sum(axis=0)
    spread = np.sqrt((everybody**2 - (true**2).sum(axis=0)) * (everybody**2 - (said**2).sum(axis=0)))
    found = {"accuracy": [_share(hit.sum(axis=0), everybody)], "sensitivity": _share(tp, tp + fn),
             "specificity": _share(tn, tn + fp), "ppv": ppv, "npv": _share(tn, tn + fn), "f1": f1,
             "balanced_accuracy": _share(hit, true),
             "mcc": [np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0)]}
    return {name: np.mean(each, axis=0) for name, each in found.items()}


def _auroc(positive, score, weights):
    order = np.argsort(score, kind="stable")
    positive, score, weights = positive[order], score[order], weights[order]
    below = np.vstack([np.zeros(weights.shape[1]), np.cumsum(weights * ~positive[:, None], axis=0)])
    at = score[positive]
    ahead = (below[np.searchsorted(score, at, "left")] + below[np.searchsorted(score, at, "right")]) / 2
    mine = weights[positive]
    return _share((mine * ahead).sum(axis=0), mine.sum(axis=0) * below[-1])


def _auprc(positive, score, weights):
    order = np.argsort(-score, kind="stable")
    positive, score, weights = positive[order], score[order], weights[order]
    ends = np.flatnonzero(np.append(np.diff(score) != 0, True))
    flagged = np.cumsum(weights, axis=0)[ends]
    true = np.cumsum(weights * positive[:, None], axis=0)[ends]
    steps = np.diff(true, axis=0, prepend=np.zeros((1, weights.shape[1])))
    precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
    return _share((steps * precision).sum(axis=0), true[-1])


def _number(y, p, weights):
    total, error = weights.sum(axis=0), y - p
    mean = y @ weights / total
    squared = error**2 @ weights / total
    spread = ((y[:, None] - mean) ** 2 * weights).sum(axis=0) / total
    return {"mae": np.abs(error) @ weights / total, "rmse": np.sqrt(squared), "r2": 1 - _share(squared, spread)}


def _number_line(y, p, weights):
    total = weights.sum(axis=0)
    mean_y, mean_p = y @ weights / total, p @ weights / total
    both = (p * y) @ weights / total - mean_y * mean_p
    return {"slope": _share(both, p**2 @ weights / total - mean_p**2), "intercept": mean_y - mean_p}


def _line(y, x):
    """Logistic regression of the outcome on logit(p) (Cox, Biometrika 1958;45:562); draws one Newton step away."""
    slope, own = _newton(np.column_stack([x, np.ones_like(x)]), y, 0 * x)
    large = _newton(np.ones((len(x), 1)), y, x)[0]
    fitted, shifted = _logistic(slope * x + own), _logistic(x + large)
    spread, narrow = fitted * (1 - fitted), shifted * (1 - shifted)
    sums = np.stack([(y - fitted) * x, y - fitted, spread * x * x, spread * x, spread, y - shifted, narrow])

    def line(weights):
        gx, g1, hxx, hx1, h11, residual, information = sums @ weights
        return {"slope": slope + _share(h11 * gx - hx1 * g1, hxx * h11 - hx1**2),
                "intercept": large + _share(residual, information)}
    return line


def _logit(p):
    held = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(held / (1 - held))


def _newton(design, y, offset):
    found = np.zeros(design.shape[1])
    for _ in range(50):
        mean = _logistic(offset + design @ found)
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        if np.linalg.cond(information) > 1e14:
            break
        step = np.linalg.solve(information, design.T @ (y - mean))
        found = found + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            return found
    return np.full_like(found, np.nan)


def _logistic(x):
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def _placements(mine, others):
    ordered = np.sort(others)
    return (np.searchsorted(ordered, mine, "left") + np.searchsorted(ordered, mine, "right")) / 2 / len(others)


def _share(top, bottom):
    top, bottom = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
