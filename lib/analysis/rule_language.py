"""The language in which rules judge result rows: names, arithmetic, comparisons and a fixed list of functions.

A comparison with an undefined element is false, and one with an unknown element is ``fill``. A condition that comes
out the same with both fills is known all the same.
"""

from __future__ import annotations

import ast
import operator

import numpy as np

from lib.analysis.rule_functions import CALLS
from lib.analysis.rule_vectors import CannotTell, Scope, Vector, mapped, pairwise, selection
from lib.errors import StudyError
from lib.study.codebook import nearest

COMPARE = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


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


def number_of(tree: ast.Expression, scope: Scope) -> float | bool:
    """The number, or the truth, that an expression comes to; NaN where it is unknown.

    Raises
    ------
    CannotTell
        If a selection has no rows.
    StudyError
        If the expression comes to several numbers, or to a key.
    """
    value = _value(tree.body, scope)
    if isinstance(value, Vector):
        if len(value.values) != 1:
            raise StudyError(f"an expression gives {len(value.values)} numbers; sum, count or average them")
        return value.values[0].item()
    if isinstance(value, (str, set)):
        raise StudyError(f"an expression gives {value!r} and not a number")
    return value


def _value(node: ast.expr, scope: Scope):
    match node:
        case ast.Constant():
            return node.value
        case ast.Set() | ast.List():
            return {_value(element, scope) for element in node.elts}
        case ast.Name():
            return _named(node.id, scope)
        case ast.UnaryOp(op=ast.Not()):
            return mapped(operator.not_, _value(node.operand, scope))
        case ast.UnaryOp():
            return mapped(operator.neg, _value(node.operand, scope))
        case ast.BoolOp():
            both = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            values = [_value(one, scope) for one in node.values]
            result = values[0]
            for value in values[1:]:
                result = pairwise(both, result, value)
            return result
        case ast.BinOp():
            return pairwise(ARITHMETIC[type(node.op)], _value(node.left, scope), _value(node.right, scope))
        case ast.Compare():
            return _chain(node, scope)
        case ast.Call(func=ast.Name(id="exists")):
            return all(not scope.selections[name.id].empty for name in node.args)
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
    if isinstance(rows, Vector):  # made beforehand, where one rule judges many specifications
        return rows
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
        result = pairwise(np.logical_and, result, link)
    return result


def _compare(op: ast.cmpop, left, right, scope: Scope):
    if isinstance(op, (ast.In, ast.NotIn)):
        return (left in right) == isinstance(op, ast.In)
    function = COMPARE[type(op)]
    if not isinstance(left, Vector) and not isinstance(right, Vector):
        return bool(function(left, right))
    result = pairwise(function, left, right)
    scope.reduced.filled |= bool(result.unknown.any())
    return result.with_values(np.where(result.unknown, scope.fill, np.asarray(result.values, bool)))
