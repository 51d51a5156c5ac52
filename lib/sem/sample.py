"""Data for a model: checked, split into groups, with covariates that cannot be estimated dropped and named."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.likelihood import Moments

COLLINEAR = 1e-9
"""A variable whose variance given others is below this share of its own is taken as their combination."""


@dataclass(frozen=True)
class Sample:
    """The cases of a model, by group.

    Attributes
    ----------
    values : tuple of ndarray (n_g, p)
        Observed variables in the spec's order, NaN where missing.
    kept : ndarray (G, p)
        False where a covariate is dropped in a group.
    case : tuple of ndarray (n_g,)
        Row positions in the caller's data.
    cluster : tuple of ndarray (n_g,) or None
        Cluster codes 0..C-1, shared over groups.
    excluded : int
        Rows of the caller's data that were left out.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[np.ndarray, ...]
    kept: np.ndarray
    case: tuple[np.ndarray, ...]
    cluster: tuple[np.ndarray, ...] | None
    excluded: int

    @property
    def n(self) -> np.ndarray:
        """Cases per group (G,)."""
        return np.array([len(values) for values in self.values])

    @property
    def n_clusters(self) -> int:
        return 0 if self.cluster is None else len(np.unique(np.concatenate(self.cluster)))

    @property
    def dropped(self) -> dict[str, tuple[str, ...]]:
        """Covariates dropped, by group."""
        return {
            group: tuple(name for name, keep in zip(self.names, kept, strict=True) if not keep)
            for group, kept in zip(self.groups, self.kept, strict=True)
            if not kept.all()
        }

    def moments(self) -> Moments:
        """First and second moments of complete data, as a batch of one problem."""
        mean = np.array([values.mean(0) for values in self.values])
        cov = np.array(
            [np.cov(values, rowvar=False, bias=True).reshape(2 * values.shape[1:]) for values in self.values]
        )
        neutralise(mean, cov, self.kept)
        return Moments(self.n[None], mean[None], cov[None], self.kept[None])


def neutralise(mean: np.ndarray, cov: np.ndarray, kept: np.ndarray) -> None:
    """Give dropped variables mean 0, variance 1 and no covariances, in place (arrays (..., p), (..., p, p))."""
    mean[~kept] = 0.0
    cov *= kept[..., :, None] & kept[..., None, :]
    cov += (~kept)[..., None] * np.eye(kept.shape[-1])


def find_groups(data: pd.DataFrame, group: str | None) -> tuple[str, ...]:
    """Group labels in order: a category's own order, else order of first appearance, as in lavaan."""
    if group is None:
        return ("",)
    _check_columns(data, [group], "the grouping column")
    column = data[group].dropna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column.unique())
        labels = [level for level in column.cat.categories if level in present]
    else:
        labels = list(column.unique())
    if len(labels) < 2:
        raise ModelError(
            f"'{group}' has {len(labels)} group(s) with students; a model with groups needs at least 2"
        )
    return tuple(str(label) for label in labels)


def take_sample(
    data: pd.DataFrame,
    names: Sequence[str],
    *,
    covariates: Sequence[str],
    group: str | None = None,
    cluster: str | None = None,
    missing: str = "listwise",
    fixed_x: bool = True,
) -> Sample:
    """Check a table and take a model's cases from it.

    Parameters
    ----------
    data : DataFrame
        One row per student.
    names : sequence of str
        The observed variables.
    covariates : sequence of str
        Those of them that may be dropped when constant or collinear.
    group, cluster : str, optional
        Columns that hold groups and clusters; rows without a value are left out.
    missing : {"listwise", "fiml", "ml.x"}
        With ``"fiml"`` and ``fixed_x`` rows must be complete on the covariates.

    Raises
    ------
    ModelError
        For unknown, textual, infinite, constant or collinear columns and for groups that are too small.
    """
    _check_columns(data, names, "the model")
    table = read_table(data, names)
    present = ~np.isnan(table)
    use = present.all(1) if missing == "listwise" else present.any(1)
    columns = [list(names).index(name) for name in covariates]
    if missing == "fiml" and fixed_x:
        use &= present[:, columns].all(1)
    for column in filter(None, (group, cluster)):
        _check_columns(data, [column], "the model")
        use &= data[column].notna().to_numpy()
    groups = find_groups(data, group)
    member = np.zeros(len(data), int) if group is None else _codes(data[group], groups)
    case = tuple(np.flatnonzero(use & (member == g)) for g in range(len(groups)))
    values = tuple(table[rows] for rows in case)
    clusters = None
    if cluster is not None:
        codes = pd.factorize(data[cluster])[0]
        clusters = tuple(codes[rows] for rows in case)
    kept = np.ones((len(groups), len(names)), bool)
    for g, label in enumerate(groups):
        where = f"group '{label}' of '{group}'" if group else "the data"
        if len(values[g]) <= len(names):
            raise ModelError(
                f"{where} has {len(values[g])} usable rows for a model of {len(names)} variables; "
                "use a larger group, merge groups or take a smaller model"
            )
        kept[g] = _kept(values[g], names, columns, where)
        _check_coverage(values[g], names, kept[g], where)
    return Sample(tuple(names), groups, values, kept, case, clusters, int(len(data) - sum(map(len, case))))


def _codes(column: pd.Series, groups: Sequence[str]) -> np.ndarray:
    at = {label: g for g, label in enumerate(groups)}
    codes, values = pd.factorize(column)
    # the last place serves missing values, whose code is -1
    return np.array([at[str(value)] for value in values] + [-1])[codes]


def _check_columns(data: pd.DataFrame, names: Sequence[str], user: str) -> None:
    unknown = [name for name in names if name not in data.columns]
    if unknown:
        near = difflib.get_close_matches(unknown[0], [str(c) for c in data.columns], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; check the names against the codebook"
        others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise ModelError(f"{user} uses '{unknown[0]}'{others}, which the data do not have{hint}")


def read_table(data: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Columns as floats (N, p), NaN where missing; unknown, textual and infinite columns are errors."""
    columns = [data[name] for name in names]
    if all(isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub" for column in columns):
        table = np.empty((len(data), len(columns)))
        for k, column in enumerate(columns):
            table[:, k] = column.to_numpy()
        if not np.isinf(table).any():
            return table
    return np.column_stack([read_numbers(data, name) for name in names])


def read_numbers(data: pd.DataFrame, name: str) -> np.ndarray:
    """A column as floats (N,), NaN where missing; unknown, textual and infinite columns are errors."""
    _check_columns(data, [name], "the model")
    column = data[name]
    if not pd.api.types.is_numeric_dtype(column):
        text = int(pd.to_numeric(column, errors="coerce").isna().sum() - column.isna().sum())
        raise ModelError(
            f"'{name}' is not numeric ({text} of {len(column)} rows hold text); "
            "code it as numbers or make 0/1 columns of its levels"
        )
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise ModelError(
            f"'{name}' is infinite in {infinite} of {len(numbers)} rows; correct them or set them missing"
        )
    return numbers


def _kept(values: np.ndarray, names: Sequence[str], covariates: Sequence[int], where: str) -> np.ndarray:
    """Which variables a group can estimate; an indicator or outcome it cannot estimate is an error."""
    kept = np.ones(len(names), bool)
    seen = ~np.isnan(values)
    high = np.where(seen, values, -np.inf).max(0)
    low = np.where(seen, values, np.inf).min(0)
    for column in np.flatnonzero((seen.sum(0) < 2) | (high <= low)):
        if column not in covariates:
            raise ModelError(
                f"'{names[column]}' does not vary in {where} ({seen[:, column].sum()} values); "
                "leave it out of the model"
            )
        kept[column] = False
    order = [c for c in covariates if kept[c]]
    complete = values[:, order][~np.isnan(values[:, order]).any(1)]
    if len(complete) > len(order):
        for column in _redundant(complete):
            kept[order[column]] = False
    rest = [c for c in range(len(names)) if kept[c]]
    complete = values[:, rest][~np.isnan(values[:, rest]).any(1)]
    if len(complete) > len(rest):
        redundant = _redundant(complete)
        if redundant:
            tied = ", ".join(f"'{names[rest[c]]}'" for c in redundant)
            raise ModelError(
                f"{tied} is an exact combination of other variables of the model in {where}, so their covariance "
                "matrix is not positive definite; leave it out"
            )
    return kept


def _check_coverage(values: np.ndarray, names: Sequence[str], kept: np.ndarray, where: str) -> None:
    """Two variables that nobody answered together have no covariance to estimate."""
    seen = (~np.isnan(values)).astype(float)
    never = np.argwhere((seen.T @ seen < 2) & kept[:, None] & kept)
    if len(never):
        first, second = (names[c] for c in never[0])
        raise ModelError(
            f"'{first}' and '{second}' were hardly ever answered together in {where}; leave one out"
        )


def _redundant(table: np.ndarray) -> list[int]:
    """Columns that are linear combinations of earlier ones, by sweeping their covariance matrix in order."""
    cov = np.cov(table, rowvar=False, bias=True).reshape(table.shape[1], table.shape[1])
    variance = np.diag(cov).copy()
    out = []
    for column in range(len(cov)):
        if cov[column, column] <= COLLINEAR * variance[column]:
            out.append(column)
            continue
        cov = cov - np.outer(cov[:, column], cov[column]) / cov[column, column]
    return out
