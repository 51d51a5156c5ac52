"""Specification: a model's parameters numbered for estimation, with groups and equality constraints.

Notation is the reticular action model (McArdle & McDonald, 1984): v = A v + a + z with cov(z) = P over observed
variables and latents, so that the implied moments are those of the first rows of (I - A)^-1. Free parameters
are theta = shift + basis @ tau; tau are the coordinates in which linear constraints hold by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.errors import ModelError
from lib.sem.expressions import Expression
from lib.sem.partable import Row, Variables, complete_rows
from lib.sem.syntax import Model

PATH, COVARIANCE, MEAN = 0, 1, 2
GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "residuals",
    "residual.covariances",
    "regressions",
    "lv.variances",
    "lv.covariances",
)


@dataclass(frozen=True)
class Spec:
    """A model ready to be estimated.

    Attributes
    ----------
    variables : Variables
        Names; the first p of the m variables are observed, the others latent.
    rows : tuple of Row
        The e parameters, the same in each group.
    groups : tuple of str
        Labels of the G groups; ``("",)`` for a single group.
    kind, i, j : ndarray (e,)
        Where a parameter sits: PATH A[i, j], COVARIANCE P[i, j], MEAN a[i].
    free : ndarray (G, e)
        Position in theta, or -1 where fixed.
    value : ndarray (G, e)
        Fixed values; NaN where free, and for covariates' moments until the data give them.
    label : tuple of tuple of str (G, e)
    start : ndarray (G, e)
        Starting values from the text, else NaN.
    basis, shift : ndarray (q, r), (q,)
        theta = shift + basis @ tau.
    """

    variables: Variables
    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    meanstructure: bool
    fixed_x: bool
    kind: np.ndarray
    i: np.ndarray
    j: np.ndarray
    free: np.ndarray
    value: np.ndarray
    label: tuple[tuple[str, ...], ...]
    start: np.ndarray
    basis: np.ndarray
    shift: np.ndarray
    definitions: tuple[tuple[str, Expression], ...] = ()

    @property
    def observed(self) -> tuple[str, ...]:
        return self.variables.observed

    @property
    def names(self) -> tuple[str, ...]:
        return self.variables.observed + self.variables.latents

    @property
    def n_theta(self) -> int:
        return self.basis.shape[0]

    @property
    def n_free(self) -> int:
        """Number of parameters estimated, after constraints."""
        return self.basis.shape[1]

    def labels(self) -> dict[str, tuple[int, float]]:
        """Each label's position in theta (-1 where fixed) and its fixed value."""
        return {
            self.label[g][e]: (int(self.free[g, e]), float(self.value[g, e]))
            for g in range(len(self.groups))
            for e in range(len(self.rows))
            if self.label[g][e]
        }

    def find(self, lhs: str, op: str, rhs: str = "") -> int:
        """The row of a parameter; covariances in either order.

        Raises
        ------
        ModelError
            If the model has no such parameter.
        """
        for e, row in enumerate(self.rows):
            if row.key == (lhs, op, rhs) or (op == "~~" and row.key == (rhs, op, lhs)):
                return e
        raise ModelError(f"the model has no parameter '{lhs} {op} {rhs}'")


def build_spec(
    model: Model,
    *,
    groups: Sequence[str] = ("",),
    meanstructure: bool,
    fixed_x: bool = True,
    group_equal: Sequence[str] = (),
    group_partial: Sequence[str] = (),
) -> Spec:
    """Number a model's parameters.

    Parameters
    ----------
    model : Model
        A parsed text.
    groups : sequence of str
        Group labels in order; one empty label for a model without groups.
    meanstructure, fixed_x : bool
        See `lib.sem.partable.complete_rows`.
    group_equal : sequence of str
        Kinds of parameters held equal over groups, of `GROUP_EQUAL`.
    group_partial : sequence of str
        Parameters (``"x3 ~ 1"``) freed again.

    Raises
    ------
    ModelError
        For group options without groups, unknown names, or constraints that are not linear.
    """
    _check_group_options(groups, group_equal)
    variables, rows = complete_rows(model, meanstructure=meanstructure, fixed_x=fixed_x)
    kind, i, j = _places(variables, rows)
    shape = (len(groups), len(rows))
    value, start = np.full(shape, np.nan), np.full(shape, np.nan)
    label = [[""] * len(rows) for _ in groups]
    fixed = np.zeros(shape, bool)
    partial = {_squeeze(text) for text in group_partial}
    used = set()
    keys: dict[object, int] = {}
    free = np.full(shape, -1)
    for e, row in enumerate(rows):
        equal = _is_equal(row, variables, group_equal)
        names = {_squeeze("".join(row.key)), _squeeze(row.term.rhs + row.term.op + row.term.lhs)}
        if row.term.op == "~1":
            names = {_squeeze(row.term.lhs + "~1")}
        if names & partial:
            equal, used = False, used | (names & partial)
        for g in range(len(groups)):
            given, said, begun = _modifiers(row, g, groups)
            if given is None:
                given = _default(row, g, variables, group_equal)
            fixed[g, e] = given == given or row.from_data
            value[g, e] = np.nan if row.from_data else given
            start[g, e] = np.nan if begun is None else begun
            label[g][e] = said or ""
            if not fixed[g, e]:
                key = said or ((e, "all") if equal else (e, g))
                free[g, e] = keys.setdefault(key, len(keys))
    if partial - used:
        raise ModelError(
            f"group_partial names no parameter of the model: {', '.join(sorted(partial - used))}"
        )
    spec = Spec(
        variables, rows, tuple(groups), meanstructure, fixed_x, kind, i, j, free, value,
        tuple(map(tuple, label)), start, np.eye(len(keys)), np.zeros(len(keys)), model.definitions,
    )  # fmt: skip
    return _constrain(spec, model.constraints)


def renumber(spec: Spec, free: np.ndarray, value: np.ndarray) -> Spec:
    """The spec with other fixed parameters: ``free`` may lack positions, which are closed up.

    Constraints are restricted to the parameters that remain.
    """
    kept = np.unique(free[free >= 0])
    position = np.full(spec.n_theta + 1, -1)
    position[kept] = np.arange(len(kept))
    basis = spec.basis[kept]
    if basis.shape[0] != basis.shape[1]:
        left, size, _ = np.linalg.svd(basis, full_matrices=False)
        basis = left[:, size > 1e-10]
    if basis.shape[0] == basis.shape[1]:
        basis = np.eye(len(kept))
    return replace(spec, free=position[free], value=value, basis=basis, shift=spec.shift[kept])


def _check_group_options(groups: Sequence[str], group_equal: Sequence[str]) -> None:
    unknown = [name for name in group_equal if name not in GROUP_EQUAL]
    if unknown:
        raise ModelError(
            f"group_equal does not know {', '.join(unknown)}; choose from {', '.join(GROUP_EQUAL)}"
        )
    if group_equal and len(groups) < 2:
        raise ModelError(
            "group_equal is given but the model has no groups; name the grouping column in group="
        )


def _modifiers(row: Row, g: int, groups: Sequence[str]) -> tuple[float | None, str | None, float | None]:
    """Value, label and start that the text gives in group g."""
    found = []
    for said in (row.term.values, row.term.labels, row.term.starts):
        if len(said) not in (1, len(groups)):
            term = f"{row.term.lhs} {row.term.op} {row.term.rhs}".strip()
            hint = "name the grouping column in group=" if len(groups) == 1 else "give one per group"
            raise ModelError(f"'{term}' has {len(said)} modifiers but there are {len(groups)} groups; {hint}")
        found.append(said[g if len(said) > 1 else 0])
    return tuple(found)


def _default(row: Row, g: int, variables: Variables, group_equal: Sequence[str]) -> float:
    """A latent mean is fixed at 0, but free in later groups once intercepts are equal."""
    mean = row.term.op == "~1" and row.term.lhs in variables.latents and not row.user
    if mean and g > 0 and "intercepts" in group_equal and "means" not in group_equal:
        return np.nan
    return row.default


def _is_equal(row: Row, variables: Variables, group_equal: Sequence[str]) -> bool:
    lhs, op, rhs = row.key
    modelled = lhs not in variables.latents and lhs not in variables.covariates
    latent = lhs in variables.latents
    rules = {
        "loadings": op == "=~",
        "regressions": op == "~",
        "intercepts": op == "~1" and modelled,
        "means": op == "~1" and latent,
        "residuals": op == "~~" and lhs == rhs and modelled,
        "residual.covariances": op == "~~" and lhs != rhs and modelled,
        "lv.variances": op == "~~" and lhs == rhs and latent,
        "lv.covariances": op == "~~" and lhs != rhs and latent,
    }
    return any(rules[name] for name in group_equal)


def _places(variables: Variables, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = {name: k for k, name in enumerate(variables.observed + variables.latents)}
    kind, i, j = [], [], []
    for row in rows:
        lhs, op, rhs = row.key
        if op == "=~":
            lhs, rhs = rhs, lhs
        kind.append({"=~": PATH, "~": PATH, "~~": COVARIANCE, "~1": MEAN}[op])
        i.append(at[lhs])
        j.append(at[rhs] if rhs else 0)
    return np.array(kind), np.array(i), np.array(j)


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _constrain(spec: Spec, constraints: Sequence[tuple[Expression, Expression]]) -> Spec:
    """Solve the linear constraints among labels for a basis of the parameters that satisfy them."""
    if not constraints:
        return spec
    labels = spec.labels()
    matrix, right = np.zeros((len(constraints), spec.n_theta)), np.zeros(len(constraints))
    for row, (left_side, right_side) in enumerate(constraints):
        names = dict.fromkeys(left_side.names() + right_side.names())
        unknown = [name for name in names if name not in labels]
        if unknown:
            raise ModelError(
                f"the constraint {left_side.text} == {right_side.text} names no label: {unknown[0]}"
            )

        def gap(at: dict[str, float], one=left_side, other=right_side) -> float:
            return float(one.evaluate(at) - other.evaluate(at))

        zero = {name: 0.0 for name in names}
        slope = {name: gap({**zero, name: 1.0}) - gap(zero) for name in names}
        probe = {name: 0.7 + 0.31 * k for k, name in enumerate(names)}
        if not abs(gap(probe) - gap(zero) - sum(slope[n] * probe[n] for n in names)) < 1e-9:
            raise ModelError(
                f"the constraint {left_side.text} == {right_side.text} is not linear; only linear ones are"
            )
        right[row] = -gap(zero)
        for name in names:
            position, fixed = labels[name]
            if position >= 0:
                matrix[row, position] += slope[name]
            else:
                right[row] -= slope[name] * fixed
    left, size, rows = np.linalg.svd(matrix)
    rank = int((size > 1e-10).sum())
    shift = np.linalg.pinv(matrix) @ right
    if not np.allclose(matrix @ shift, right):
        raise ModelError("the == constraints contradict each other; remove one")
    return replace(spec, basis=rows[rank:].T, shift=shift)
