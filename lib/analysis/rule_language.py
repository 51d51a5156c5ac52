"""The language in which rules judge result rows: names, arithmetic, comparisons and a fixed list of functions.

A selection is a vector of estimates, one element for each row. Arithmetic between two selections pairs their rows by
whatever distinguishes them within each (the term, say). An element is *unknown* where its row is hidden or was
not estimated, and *undefined* where the quantity does not exist (a share of a total that may be zero): a comparison
with an undefined element is false, and one with an unknown element is ``fill``. A condition that comes out the same
with both fills is known all the same.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.analysis.estimates import mediator_of
from lib.errors import StudyError
from lib.study.codebook import Codebook, nearest

KEYS = ("population", "group", "contrast", "model", "term")
UNDEFINED = "inadmissible"
COMPARE = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


class CannotTell(Exception):
    """A condition has no value: no rows were found, or those that decide are hidden. Never leaves this room."""


@dataclass(frozen=True)
class Vector:
    """Numbers or truth values, one for each selected row.

    Attributes
    ----------
    values : array, n
        NaN where unknown or undefined; truth values as booleans.
    unknown : array of bool, n
    keys : DataFrame, n rows
        What distinguishes the elements, columns ``KEYS``.
    ids : tuple of tuple of str
        Rows behind each element.
    rows : DataFrame or None
        The rows themselves, for a selection that nothing was done to.
    """

    values: np.ndarray
    unknown: np.ndarray
    keys: pd.DataFrame
    ids: tuple[tuple[str, ...], ...]
    rows: pd.DataFrame | None = None

    def with_values(self, values: np.ndarray) -> Vector:
        """The same elements with other values."""
        return replace(self, values=np.asarray(values), rows=None)


@dataclass
class Reduced:
    """What the last reduction of truth values saw: which rows met the condition and which did not."""

    function: str = ""
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    k: int = 0
    n: int = 0


@dataclass(frozen=True)
class Scope:
    """What the names of an expression mean.

    ``p_column`` is ``p_value``, or the corrected one; ``fill`` is what a comparison with an unknown element gives.
    """

    selections: Mapping[str, pd.DataFrame]
    thresholds: Mapping[str, float]
    codebook: Codebook
    p_column: str = "p_value"
    fill: bool = False
    reduced: Reduced = field(default_factory=Reduced)


def evaluate(tree: ast.Expression, scope: Scope) -> bool:
    """The truth of a condition.

    Raises
    ------
    CannotTell
        If a selection has no rows, or a number that decides is unknown.
    StudyError
        If the condition does not come to one truth value, or two selections cannot be paired.
    """
    value = _value(tree.body, scope)
    if isinstance(value, Vector):
        if len(value.values) != 1:
            raise StudyError(
                f"a condition gives {len(value.values)} truth values; wrap it in all(), any() or count()"
            )
        return bool(value.values[0])
    if not isinstance(value, (bool, np.bool_)):
        raise StudyError(f"a condition gives {value!r} and not a truth value; compare it with something")
    return bool(value)


def selection(rows: pd.DataFrame) -> Vector:
    """Rows as a vector of their estimates."""
    rows = rows.reset_index(drop=True)
    shown = (rows["status"] == "ok").to_numpy()
    return Vector(
        values=rows["estimate"].where(shown).to_numpy(float),
        unknown=~shown & (rows["status"] != UNDEFINED).to_numpy(),
        keys=rows[list(KEYS)],
        ids=tuple((row_id,) for row_id in rows["row_id"]),
        rows=rows,
    )


def _value(node: ast.expr, scope: Scope):
    match node:
        case ast.Constant():
            return node.value
        case ast.Set() | ast.List():
            return {_value(element, scope) for element in node.elts}
        case ast.Name():
            return _named(node.id, scope)
        case ast.UnaryOp(op=ast.Not()):
            return _map(operator.not_, _value(node.operand, scope))
        case ast.UnaryOp():
            return _map(operator.neg, _value(node.operand, scope))
        case ast.BoolOp():
            both = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            values = [_value(one, scope) for one in node.values]
            result = values[0]
            for value in values[1:]:
                result = _pairwise(both, result, value)
            return result
        case ast.BinOp():
            return _pairwise(ARITHMETIC[type(node.op)], _value(node.left, scope), _value(node.right, scope))
        case ast.Compare():
            return _chain(node, scope)
        case ast.Call():
            return CALLS[node.func.id](scope, *(_value(one, scope) for one in node.args))
    raise StudyError(f"a rule may not hold {type(node).__name__}")


def _named(name: str, scope: Scope):
    if name in scope.thresholds:
        return float(scope.thresholds[name])
    if name not in scope.selections:
        known = [*scope.selections, *scope.thresholds]
        raise StudyError(f"no selection or threshold {name!r}{nearest(name, known)}")
    rows = scope.selections[name]
    if rows.empty:
        raise CannotTell(name)
    return selection(rows)


def _chain(node: ast.Compare, scope: Scope):
    """``0 < share < 100``: every link holds."""
    values = [_value(one, scope) for one in (node.left, *node.comparators)]
    links = [
        _compare(op, left, right, scope)
        for op, left, right in zip(node.ops, values, values[1:], strict=False)
    ]
    result = links[0]
    for link in links[1:]:
        result = _pairwise(np.logical_and, result, link)
    return result


def _compare(op: ast.cmpop, left, right, scope: Scope):
    if isinstance(op, (ast.In, ast.NotIn)):
        return (left in right) == isinstance(op, ast.In)
    function = COMPARE[type(op)]
    if not isinstance(left, Vector) and not isinstance(right, Vector):
        return bool(function(left, right))
    result = _pairwise(function, left, right)
    return result.with_values(np.where(result.unknown, scope.fill, np.asarray(result.values, bool)))


def _map(function: Callable, value):
    if not isinstance(value, Vector):
        return function(value)
    return value.with_values(np.array([function(one) for one in value.values]))


def _pairwise(function: Callable, left, right):
    """A function of two values, vectors paired by what distinguishes their elements."""
    if not isinstance(left, Vector) and not isinstance(right, Vector):
        return function(left, right)
    if not isinstance(left, Vector):
        return right.with_values(function(left, right.values))
    if not isinstance(right, Vector):
        return left.with_values(function(left.values, right))
    places = _places(left, right)
    return Vector(
        values=function(left.values[places[0]], right.values[places[1]]),
        unknown=left.unknown[places[0]] | right.unknown[places[1]],
        keys=left.keys.iloc[places[0]] if len(left.ids) >= len(right.ids) else right.keys.iloc[places[1]],
        ids=tuple(
            tuple(dict.fromkeys((*left.ids[one], *right.ids[two]))) for one, two in zip(*places, strict=True)
        ),
    )


def _places(left: Vector, right: Vector) -> tuple[list[int], list[int]]:
    if len(left.ids) == 1:
        return [0] * len(right.ids), list(range(len(right.ids)))
    if len(right.ids) == 1:
        return list(range(len(left.ids))), [0] * len(left.ids)
    if left.ids == right.ids:
        return list(range(len(left.ids))), list(range(len(left.ids)))
    varying = [key for key in KEYS if left.keys[key].nunique() > 1 or right.keys[key].nunique() > 1]
    mine, others = (list(side.keys[varying].itertuples(index=False, name=None)) for side in (left, right))
    if len(set(others)) < len(others) or len(set(mine)) < len(mine) or not set(mine) & set(others):
        raise StudyError(
            f"two selections of {len(mine)} and {len(others)} rows cannot be paired by {', '.join(varying)}"
        )
    if set(mine) != set(others):
        raise CannotTell("")
    return list(range(len(mine))), [others.index(key) for key in mine]


def _column(name: str) -> Callable:
    def read(scope: Scope, given: Vector) -> Vector:
        values = _rows(given)[scope.p_column if name == "p_value" else name].to_numpy(float)
        missing = np.isnan(values) & ~np.isnan(given.values)
        return replace(
            given.with_values(np.where(given.unknown, np.nan, values)), unknown=given.unknown | missing
        )

    return read


def _rows(given: Vector) -> pd.DataFrame:
    if not isinstance(given, Vector) or given.rows is None:
        raise StudyError("p(), low(), high(), expected() and the like take the name of a selection")
    return given.rows


def _expected(scope: Scope, given: Vector) -> Vector:
    scales = scope.codebook.scales
    signs = [scales[term].sign if term in scales else 1 for term in _rows(given)["term"]]
    return replace(given.with_values(np.array(signs, float)), unknown=np.zeros(len(signs), bool))


def _interval(test: Callable) -> Callable:
    """A test of each row's interval; corrected verdicts ask for the corrected p-value as well."""

    def apply(scope: Scope, given: Vector) -> Vector:
        rows = _rows(given)
        met = test(rows["conf_low"].to_numpy(float), rows["conf_high"].to_numpy(float))
        if scope.p_column != "p_value":
            met = met & (rows[scope.p_column].to_numpy(float) < scope.thresholds["alpha"])
        return given.with_values(np.where(given.unknown, scope.fill, met & ~np.isnan(given.values)))

    return apply


def _states(test: Callable) -> Callable:
    def apply(scope: Scope, given: Vector) -> Vector:
        return replace(
            given.with_values(test(_rows(given)).to_numpy(bool)), unknown=np.zeros(len(given.ids), bool)
        )

    return apply


def _truths(name: str, function: Callable) -> Callable:
    """A reduction of truth values, which remembers the rows that met the condition."""

    def reduce(scope: Scope, given) -> bool | int | float:
        if not isinstance(given, Vector):
            raise StudyError(f"{name}() takes a condition on each row of a selection")
        met = np.asarray(given.values, bool)
        seen = scope.reduced
        seen.function, seen.k, seen.n = name, int(met.sum()), len(met)
        seen.met = tuple(row for yes, ids in zip(met, given.ids, strict=True) if yes for row in ids)
        seen.missed = tuple(row for yes, ids in zip(met, given.ids, strict=True) if not yes for row in ids)
        return function(met)

    return reduce


def _number(function: Callable) -> Callable:
    """A summary of numbers; undefined elements are left out, an unknown one leaves it unknown."""

    def reduce(scope: Scope, given: Vector) -> Vector:
        if not isinstance(given, Vector):
            raise StudyError("median(), mean() and the like take a selection")
        kept = given.values[~np.isnan(given.values.astype(float))].astype(float)
        value = function(kept) if len(kept) else np.nan
        ids = (tuple(dict.fromkeys(one for row in given.ids for one in row)),)
        return Vector(np.array([value]), np.array([given.unknown.any()]), given.keys.iloc[:1], ids)

    return reduce


def _where(scope: Scope, given: Vector, condition: Vector) -> Vector:
    keep = np.asarray(condition.values, bool)
    if len(keep) != len(given.ids) or not keep.any():
        raise CannotTell("")
    rows = None if given.rows is None else given.rows[keep].reset_index(drop=True)
    ids = tuple(ids for ids, yes in zip(given.ids, keep, strict=True) if yes)
    return Vector(given.values[keep], given.unknown[keep], given.keys[keep], ids, rows)


def _mean_by(scope: Scope, given: Vector, column: str) -> Vector:
    """Means by a column over the terms that are defined in every group."""
    if given.unknown.any():
        raise CannotTell("")
    by = given.keys["model"].map(mediator_of) if column == "mediator" else given.keys[column]
    other = given.keys["term"] if column != "term" else given.keys["model"]
    wide = pd.DataFrame({"by": by, "other": other, "value": given.values}).pivot(
        index="other", columns="by", values="value"
    )
    means = wide.dropna().mean().reindex(list(dict.fromkeys(by)))
    keys = pd.DataFrame({key: [""] * len(means) for key in KEYS}).assign(term=list(means.index))
    ids = tuple(
        tuple(row for value, ids in zip(by, given.ids, strict=True) if value == one for row in ids)
        for one in means.index
    )
    return Vector(means.to_numpy(), np.zeros(len(means), bool), keys, ids)


def _extreme(sign: int) -> Callable:
    def find(scope: Scope, given: Vector, number: int = 0) -> str | set[str]:
        """The key of the largest element, or the set of the ``number`` largest."""
        if given.unknown.any():
            raise CannotTell("")
        varying = [key for key in KEYS if given.keys[key].nunique() > 1]
        if len(varying) > 1:
            raise StudyError(
                f"largest() and lowest() take rows that differ in one column, not in {', '.join(varying)}"
            )
        names = given.keys[varying[0] if varying else "term"].tolist()
        names = [mediator_of(name) or name for name in names]
        values = sign * np.nan_to_num(given.values.astype(float), nan=-np.inf * sign)
        order = np.argsort(-values, kind="stable")
        if np.isinf(values[order[0]]):
            return set() if number else ""
        return {names[place] for place in order[: int(number)]} if number else names[order[0]]

    return find


CALLS: dict[str, Callable] = {
    "p": _column("p_value"),
    "p_holm": _column("p_holm"),
    "p_bh": _column("p_bh"),
    "low": _column("conf_low"),
    "high": _column("conf_high"),
    "n": _column("n_obs"),
    "sign": lambda scope, given: _map(np.sign, given),
    "abs": lambda scope, given: _map(abs, given),
    "expected": _expected,
    "above_zero": _interval(lambda low, high: low > 0),
    "below_zero": _interval(lambda low, high: high < 0),
    "excludes_zero": _interval(lambda low, high: (low > 0) | (high < 0)),
    "inconsistent": _states(lambda rows: rows["status_reason"].str.startswith("inconsistent mediation")),
    "comparable": _states(lambda rows: rows["status"] != "not_comparable"),
    "all": _truths("all", lambda met: bool(met.all())),
    "any": _truths("any", lambda met: bool(met.any())),
    "count": _truths("count", lambda met: int(met.sum())),
    "share": _truths("share", lambda met: float(met.mean())),
    "median": _number(np.median),
    "mean": _number(np.mean),
    "least": _number(np.min),
    "most": _number(np.max),
    "total": _number(np.sum),
    "spread": _number(np.ptp),
    "where": _where,
    "mean_by": _mean_by,
    "largest": _extreme(1),
    "lowest": _extreme(-1),
    "size": lambda scope, given: len(given.ids),
}
