"""From a model text to a numbered specification: defaults, groups, labels and equality over groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.errors import ModelError
from lib.sem.constraints import constrain
from lib.sem.partable import Row, Variables, complete_rows
from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec
from lib.sem.syntax import Model

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
        equal = bool(group_equal) and _is_equal(row, variables, group_equal)
        if partial:
            lhs, op, rhs = row.key
            names = {lhs + op + rhs, rhs + op + lhs} if op == "~~" else {lhs + op + rhs}
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
    return constrain(spec, model.constraints)


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
