"""A boosted model from a stranger: what XGBoost writes passes, what would lead it outside of the file does not."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import xgboost
from tables import trained_once

from medml import booster, gallery, one_file
from medml.errors import UserError

NUMBER = b"L" + bytes(7)


def made(rounds: int = 5, **settings) -> xgboost.Booster:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(200, 4)), random.integers(0, settings.get("num_class", 2), 200)
    return xgboost.train({"max_depth": 3, "verbosity": 0} | settings, xgboost.DMatrix(X, label=y), rounds)


def written(found: xgboost.Booster) -> bytes:
    return bytes(found.save_raw("ubj"))


def with_node(name: str, value: int) -> bytes:
    """A model whose first node says that of itself: places are 32 bits, the first after the array's length."""
    content = bytearray(written(made(objective="binary:logistic")))
    at = content.index(name.encode() + b"[$l#L") + len(name) + 5 + 8
    content[at:at + 4] = value.to_bytes(4, "big", signed=True)
    return bytes(content)


@pytest.mark.parametrize("settings", [
    {"objective": "binary:logistic"}, {"objective": "multi:softprob", "num_class": 3},
    {"objective": "reg:squarederror"}, {"objective": "binary:logistic", "gamma": 2.0, "max_depth": 6, "subsample": 0.7},
    {"rounds": 1, "max_depth": 1, "objective": "reg:squarederror"},
    {"objective": "binary:logistic", "grow_policy": "lossguide", "max_depth": 0, "max_leaves": 20}])
def test_what_xgboost_writes_passes(settings):
    booster.check(written(made(**settings)))


@pytest.mark.parametrize(("name", "value"), [("left_children", 999_999), ("right_children", -5), ("left_children", 0),
                                             ("split_indices", 1_000_000), ("split_indices", -1), ("parents", 3)])
def test_a_place_outside_of_the_tree_or_back_to_its_root_does_not_pass(name, value):
    """Each of the first four ended the process that loaded it, or asked it."""
    with pytest.raises(ValueError, match="no model of trees"):
        booster.check(with_node(name, value))


def chain(levels: int) -> bytes:
    """A model of one tree whose every right child asks again."""
    about = json.loads(made(rounds=1, max_depth=1).save_raw("json"))
    tree, n = about["learner"]["gradient_booster"]["model"]["trees"][0], 2 * levels + 1
    inner = [at % 2 == 0 and at < n - 1 for at in range(n)]
    for name in tree:
        if isinstance(tree[name], list) and len(tree[name]) == 3:
            tree[name] = [tree[name][0]] * n
    tree["left_children"] = [at + 1 if asks else -1 for at, asks in enumerate(inner)]
    tree["right_children"] = [at + 2 if asks else -1 for at, asks in enumerate(inner)]
    tree["parents"] = [2**31 - 1, *((at - 1) // 2 * 2 for at in range(1, n))]
    tree["tree_param"]["num_nodes"] = str(n)
    found = xgboost.Booster()
    found.load_model(bytearray(json.dumps(about).encode()))
    return written(found)


def test_a_tree_too_deep_for_the_stack_does_not_pass():
    """Of 300,000 levels one ended the process that asked it, of 20,000 one in a thread with a small stack."""
    booster.check(chain(booster.DEEPEST_TREE))
    with pytest.raises(ValueError, match="no model of trees"):
        booster.check(chain(booster.DEEPEST_TREE + 1))


def test_what_no_training_here_aims_at_does_not_pass():
    with pytest.raises(ValueError, match="no model of trees"):
        booster.check(written(made(objective="reg:quantileerror", quantile_alpha=0.5)))


@pytest.mark.parametrize("content", [
    b"", b"{", b"{" + (NUMBER + b"\x01a{") * 100_000, b"{L\x7f" + b"\xff" * 7 + b"a",
    b"{" + NUMBER + b"\x01a[$d#L\x00\x00\x00\x00\x40\x00\x00\x00",
    b"{" + NUMBER + b"\x01a[#L\x00\x00\x00\x40" + bytes(4),
    json.dumps({"learner": {}}).encode()], ids=["empty", "begun", "deep", "key", "array", "list", "json"])
def test_what_is_no_such_file_is_refused_at_once(content):
    with pytest.raises(ValueError, match="no model of trees"):
        booster.check(content)


def test_a_model_that_is_cut_off_anywhere_or_goes_on_does_not_pass():
    whole = written(made(rounds=1, max_depth=1))
    for content in (*(whole[:n] for n in range(0, len(whole), 7)), whole + b"}"):
        with pytest.raises(ValueError):  # noqa: PT011 - of text, or of places
            booster.check(content)


def test_a_run_with_such_trees_is_not_brought_in(tmp_path, medml_home, monkeypatch):
    with trained_once(tmp_path, family="boosting", params={"trees": 5}) as run:
        content = one_file.pack(run)
        gallery.delete(run)
        seen = []
        with monkeypatch.context() as patch, pytest.raises(UserError, match="no model from a Gallery"):
            patch.setattr(booster, "check", lambda trees: (seen.append(trees), booster._must(False)))
            one_file.bring(io.BytesIO(content))
        assert seen and not gallery.is_there(run)
        assert one_file.bring(io.BytesIO(content)) == run
