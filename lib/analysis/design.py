"""Covariates as columns a model can hold.

A category becomes indicator columns against its most frequent level. Columns that would single out fewer
than k students (D7), that do not vary, or that follow from the others are left out and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook

TOLERANCE = 1e-9
"""A column whose part outside the span of the others is smaller than this share of it adds nothing."""


@dataclass(frozen=True)
class Design:
    """Covariate columns of one population.

    Attributes
    ----------
    columns : DataFrame, n by q
        Indicator and standardized numeric covariates; NaN where the covariate is missing.
    left_out : tuple of str
        Columns dropped before fitting, each with its reason.
    """

    columns: pd.DataFrame
    left_out: tuple[str, ...] = ()


def design(
    frame: pd.DataFrame, codebook: Codebook, covariates: str, *, beside: pd.Series | None = None
) -> Design:
    """Covariate columns for the students of a population.

    Parameters
    ----------
    frame : DataFrame, n rows
        Students.
    codebook : Codebook
        Says which covariates a set holds, and their types and levels.
    covariates : str
        Name of a covariate set, such as ``C_ENV``; empty for none.
    beside : Series of n, optional
        A column that stands in the model anyway, such as a group's indicator; covariates that follow from it
        are left out.

    Returns
    -------
    Design
        Columns of full rank.
    """
    if covariates and covariates not in codebook.covariate_sets:
        known = ", ".join(sorted(codebook.covariate_sets))
        raise StudyError(f"the codebook has no covariate set {covariates!r}; it has {known}")
    return design_of(
        frame, codebook, codebook.covariate_sets[covariates] if covariates else (), beside=beside
    )


def design_of(
    frame: pd.DataFrame, codebook: Codebook, keys: Sequence[str], *, beside: pd.Series | None = None
) -> Design:
    """Covariate columns from the columns named, for the rows of any file; as of ``design``."""
    parts, left_out = [], []
    for key in keys:
        column = codebook.columns[key]
        if column.type in ("category", "text") or column.levels:
            columns = _indicators(frame[key], key)
            small = [name for name in columns if columns[name].sum() < codebook.disclosure.k]
            left_out += [f"{name}: fewer than {codebook.disclosure.k} students" for name in small]
            parts.append(columns.drop(columns=small))
        else:
            parts.append(((frame[[key]] - frame[key].mean()) / frame[key].std()).astype(float))
    columns = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=frame.index)
    dependent = _dependent(columns, [] if beside is None else [beside])
    left_out += [f"{name}: constant or given by the others" for name in dependent]
    return Design(columns.drop(columns=dependent), tuple(left_out))


def _indicators(values: pd.Series, key: str) -> pd.DataFrame:
    levels = values.value_counts().index  # the first, the most frequent, is the one compared with
    codes = levels.get_indexer(values)
    table = np.eye(len(levels) + 1)[codes, 1:-1]
    table[codes < 0] = np.nan
    return pd.DataFrame(
        table, index=values.index, columns=[f"{key}_{_identifier(level)}" for level in levels[1:]]
    )


def _identifier(level: object) -> str:
    return "".join(character if character.isalnum() else "_" for character in str(level))


def _dependent(columns: pd.DataFrame, before: list[pd.Series]) -> list[str]:
    """Columns without variance, or that are linear combinations of those before them."""
    n, given = len(columns), np.column_stack([*before, columns.to_numpy(float)]).astype(float)
    known = ~np.isnan(given)
    mean = np.where(known, given, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    given = np.where(known, given, mean)
    basis, dependent = np.full((n, 1), 1 / np.sqrt(max(n, 1))), []
    for name, values in zip([""] * len(before) + list(columns), given.T, strict=True):
        rest = values - basis @ (basis.T @ values)
        rest -= basis @ (basis.T @ rest)  # once more, because the first pass leaves rounding behind
        size = np.linalg.norm(rest)
        if size > TOLERANCE * max(np.linalg.norm(values), 1e-300):
            basis = np.column_stack([basis, rest / size])
        elif name:
            dependent.append(name)
    return dependent
