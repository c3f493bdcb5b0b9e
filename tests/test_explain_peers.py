"""Beside the shap package, which is no part of the program: the same values. bench/explain.py compares the speed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from test_families import fitted, table

from medml.explain import _families, _trees

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    shap = pytest.importorskip("shap")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_forest_is_explained_as_shap_explains_it(task):
    model, X = fitted("forest", task).model, table(task, seed=3).X[:30]
    theirs = np.asarray(shap.TreeExplainer(model).shap_values(X, check_additivity=False))
    ours, _ = _trees.values(model, X)
    expected = theirs[:, None, :] if task == "regression" else theirs.transpose(0, 2, 1)
    assert np.allclose(ours, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))


def test_boosted_trees_are_explained_as_shap_explains_them():
    model, X = fitted("boosting", "binary"), table("binary", seed=3).X[:30]
    asked = _families.Asked("binary", np.arange(6), X)
    ours, base = _families.explain("boosting", model, X, asked)
    explainer = shap.TreeExplainer(model.booster)
    assert np.allclose(ours[:, 0], explainer.shap_values(X.astype(np.float32)), atol=1e-4)
