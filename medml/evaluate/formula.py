"""A score in use today, as a person writes it: a column, or a formula of columns. Read as a tree; nothing is executed.

    NEWS            "SOFA score" + 2 * (lactate > 4)            min(age / 10, 9) - GCS
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from medml.errors import UserError

LONGEST, DEEPEST = 500, 40
TWO: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq}
ONE: dict[str, Callable[[Any], Any]] = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs}
SEVERAL: dict[str, Callable[[Any, Any], Any]] = {"min": np.minimum, "max": np.maximum}
HELP = ('Name one column, or combine columns with + - * / ( ) > < >= <= ==, min, max, log, exp, sqrt, abs. '
        'A name with spaces stands in double quotes: "SOFA score" + 2 * (lactate > 4).')


def columns_of(formula: str, known: Sequence[str]) -> list[str]:
    """The columns that a formula names, in its order; [] for an empty one.

    known   columns that there are
    raises  UserError where it cannot be read, or names a column that is not there
    """
    if not formula.strip():
        return []
    if formula.strip() in known:
        return [formula.strip()]
    named = []
    for node in ast.walk(_tree(formula)):
        if isinstance(node, ast.Name) and node.id not in ONE | SEVERAL:
            named.append(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.append(node.value)
    gone = [name for name in named if name not in known]
    if gone:
        raise UserError(what=f"The score names “{gone[0]}”, and there is no such column.",
                        fix=HELP, code="score_column")
    if not named:
        raise UserError(what="The score names no column.", fix=HELP, code="score")
    return list(dict.fromkeys(named))


def worked_out(formula: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n,) float64 of the formula over columns (n,) of float64 with NaN; NaN where it cannot be worked out."""
    if formula.strip() in columns:
        found = columns[formula.strip()]
    else:
        with np.errstate(all="ignore"):  # a division by 0 or the log of 0 is a score that is not there
            found = _value(_tree(formula), columns)
    n = len(next(iter(columns.values())))
    values = np.broadcast_to(np.asarray(found, dtype=float), n)
    return np.where(np.isfinite(values), values, np.nan)


def _tree(formula: str) -> ast.expr:
    try:
        if len(formula) > LONGEST:
            raise SyntaxError
        tree = ast.parse(formula.strip(), mode="eval").body
        _check(tree, 0)
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise UserError(what="The score cannot be read as a formula.", fix=HELP, code="score") from None
    return tree


def _check(node: ast.expr, depth: int) -> None:
    """SyntaxError for anything but the few kinds of nodes that a score is made of."""
    if depth > DEEPEST:
        raise SyntaxError
    for inside in _parts(node):
        _check(inside, depth + 1)


def _parts(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.Name() | ast.Constant(value=str()):
            return []
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in TWO:
            return [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in TWO:
            return [left, right]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if \
                (name in ONE and len(args) == 1) or (name in SEVERAL and len(args) > 1):
            return args
    raise SyntaxError


def _value(node: ast.expr, columns: Mapping[str, np.ndarray]) -> Any:
    match node:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=str() as name):
            return columns[name]
        case ast.Constant(value=value):
            return float(value)
        case ast.BinOp(left=left, op=op, right=right):
            return TWO[type(op)](_value(left, columns), _value(right, columns))
        case ast.UnaryOp(op=op, operand=operand):
            return -_value(operand, columns) if isinstance(op, ast.USub) else _value(operand, columns)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(type(op), _value(left, columns), _value(right, columns))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(each, columns) for each in args]
            return ONE[name](values[0]) if name in ONE else _folded(SEVERAL[name], values)
    raise ValueError(f"a checked formula holds {type(node).__name__}")


def _compared(op: type, left: Any, right: Any) -> np.ndarray:
    """1 or 0; a comparison with a value that is not there is not there either."""
    both = np.asarray(left, dtype=float) + np.asarray(right, dtype=float)
    return np.where(np.isnan(both), np.nan, TWO[op](left, right))


def _folded(of: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    found = values[0]
    for each in values[1:]:
        found = of(found, each)
    return found
