"""Functions that rules may call on vectors of result rows; ``lib.analysis.findings`` lists what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from lib.analysis.estimates import mediator_of
from lib.analysis.rule_vectors import KEYS, CannotTell, Scope, Vector, mapped
from lib.errors import StudyError

NOT_INVARIANT = "does not hold"


def _column(name: str) -> Callable:
    def read(scope: Scope, given: Vector) -> Vector:
        values = _rows(given)[scope.p_column if name == "p_value" else name].astype(float)
        missing = np.isnan(values) & ~np.isnan(given.values)
        return replace(
            given.with_values(np.where(given.unknown, np.nan, values)), unknown=given.unknown | missing
        )

    return read


def _rows(given: Vector) -> Mapping[str, np.ndarray]:
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
        met = test(rows["conf_low"].astype(float), rows["conf_high"].astype(float))
        if scope.p_column != "p_value":
            met = met & (rows[scope.p_column].astype(float) < scope.thresholds["alpha"])
        scope.reduced.filled |= bool(given.unknown.any())
        return given.with_values(np.where(given.unknown, scope.fill, met & ~np.isnan(given.values)))

    return apply


def _states(test: Callable) -> Callable:
    def apply(scope: Scope, given: Vector) -> Vector:
        return replace(given.with_values(test(_rows(given))), unknown=np.zeros(len(given.ids), bool))

    return apply


def _truths(name: str, function: Callable) -> Callable:
    """A reduction of truth values, which remembers the rows that met the condition."""

    def reduce(scope: Scope, given) -> bool | int | float:
        if not isinstance(given, Vector):
            raise StudyError(f"{name}() takes a condition on each row of a selection")
        met = np.asarray(given.values, bool)
        seen = scope.reduced
        seen.function, seen.k, seen.n = name, seen.k + int(met.sum()), seen.n + len(met)
        seen.met += tuple(row for yes, ids in zip(met, given.ids, strict=True) if yes for row in ids)
        seen.missed += tuple(row for yes, ids in zip(met, given.ids, strict=True) if not yes for row in ids)
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
        return Vector(np.array([value]), np.array([given.unknown.any()]), given.keys[:1], ids)

    return reduce


def _where(scope: Scope, given: Vector, condition: Vector) -> Vector:
    keep = np.asarray(condition.values, bool)
    if len(keep) != len(given.ids) or not keep.any():
        raise CannotTell("")
    rows = None if given.rows is None else {name: values[keep] for name, values in given.rows.items()}
    keys, ids = (
        tuple(one for one, yes in zip(all_, keep, strict=True) if yes) for all_ in (given.keys, given.ids)
    )
    return Vector(given.values[keep], given.unknown[keep], keys, ids, rows)


def _grouped(summary: str) -> Callable:
    def by_column(scope: Scope, given: Vector, column: str) -> Vector:
        """One element for each value of a column; means are over what every value has."""
        if given.unknown.any():
            raise CannotTell("")
        by = (
            [mediator_of(one) for one in given.column("model")]
            if column == "mediator"
            else given.column(column)
        )
        other = given.column("model" if column == "term" else "term")
        columns, lines = list(dict.fromkeys(by)), list(dict.fromkeys(other))
        wide = np.full((len(lines), len(columns)), np.nan)
        places = [lines.index(one) for one in other], [columns.index(one) for one in by]
        if len(set(zip(*places, strict=True))) < len(by):
            raise StudyError(f"rows cannot be put in a table of {column}: some stand twice")
        wide[places] = given.values
        if summary == "mean":
            wide = wide[~np.isnan(wide).any(1)]
        known = ~np.isnan(wide)
        values = np.full(len(columns), np.nan)
        for at in np.flatnonzero(known.any(0)):
            values[at] = (np.mean if summary == "mean" else np.max)(wide[known[:, at], at])
        keys = tuple(("",) * (len(KEYS) - 1) + (one,) for one in columns)
        ids = tuple(tuple(row for name, ids in zip(by, given.ids, strict=True) if name == one for row in ids)
                    for one in columns)  # fmt: skip
        return Vector(values, np.zeros(len(values), bool), keys, ids)

    return by_column


def _extreme(sign: int) -> Callable:
    def find(scope: Scope, given: Vector, number: int = 0) -> str | set[str]:
        """The key of the largest element, or the set of the ``number`` largest."""
        if given.unknown.any():
            raise CannotTell("")
        varying = given.varying()
        if len(varying) > 1:
            raise StudyError(
                f"largest() and lowest() take rows that differ in one column, not in {', '.join(varying)}"
            )
        names = given.column(varying[0] if varying else "term")
        names = [mediator_of(name) or name for name in names]
        values = sign * np.nan_to_num(given.values.astype(float), nan=-np.inf * sign)
        order = np.argsort(-values, kind="stable")
        if np.isinf(values[order[0]]):
            return set() if number else ""
        return {names[place] for place in order[: int(number)]} if number else names[order[0]]

    return find


def _reads(rows: Mapping[str, np.ndarray], beginning: str) -> np.ndarray:
    """Rows (n,) of bool whose reason begins so."""
    return np.array([str(reason).startswith(beginning) for reason in rows["status_reason"]], bool)


CALLS: dict[str, Callable] = {
    "p": _column("p_value"),
    "p_holm": _column("p_holm"),
    "p_bh": _column("p_bh"),
    "low": _column("conf_low"),
    "high": _column("conf_high"),
    "n": _column("n_obs"),
    "sign": lambda scope, given: mapped(np.sign, given),
    "abs": lambda scope, given: mapped(abs, given),
    "expected": _expected,
    "above_zero": _interval(lambda low, high: low > 0),
    "below_zero": _interval(lambda low, high: high < 0),
    "excludes_zero": _interval(lambda low, high: (low > 0) | (high < 0)),
    "inconsistent": _states(lambda rows: _reads(rows, "inconsistent mediation")),
    "comparable": _states(lambda rows: (rows["status"] != "not_comparable") & ~_reads(rows, NOT_INVARIANT)),
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
    "mean_by": _grouped("mean"),
    "most_by": _grouped("most"),
    "largest": _extreme(1),
    "lowest": _extreme(-1),
    "size": lambda scope, given: len(given.ids),
}
