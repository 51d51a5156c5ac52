"""Covariates as columns a model can hold.

A category becomes indicator columns against its most frequent level. Columns that would single out fewer
than k students (D7), that do not vary, or that follow from the others are left out and named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook


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


def design(frame: pd.DataFrame, codebook: Codebook, covariates: str) -> Design:
    """Covariate columns for the students of a population.

    Parameters
    ----------
    frame : DataFrame, n rows
        Students.
    codebook : Codebook
        Says which covariates a set holds, and their types and levels.
    covariates : str
        Name of a covariate set, such as ``C_ENV``; empty for none.

    Returns
    -------
    Design
        Columns of full rank.
    """
    if not covariates:
        return Design(pd.DataFrame(index=frame.index))
    if covariates not in codebook.covariate_sets:
        known = ", ".join(sorted(codebook.covariate_sets))
        raise StudyError(f"the codebook has no covariate set {covariates!r}; it has {known}")
    parts, left_out = [], []
    for key in codebook.covariate_sets[covariates]:
        column = codebook.columns[key]
        if column.type in ("category", "text") or column.levels:
            columns = _indicators(frame[key], key)
            small = [name for name in columns if columns[name].sum() < codebook.disclosure.k]
            left_out += [f"{name}: fewer than {codebook.disclosure.k} students" for name in small]
            parts.append(columns.drop(columns=small))
        else:
            parts.append(((frame[[key]] - frame[key].mean()) / frame[key].std()).astype(float))
    columns = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=frame.index)
    dependent = _dependent(columns)
    left_out += [f"{name}: constant or given by the others" for name in dependent]
    return Design(columns.drop(columns=dependent), tuple(left_out))


def _indicators(values: pd.Series, key: str) -> pd.DataFrame:
    levels = values.value_counts().index[1:]  # the most frequent level is the one compared with
    columns = {f"{key}_{_identifier(level)}": (values == level).astype(float) for level in levels}
    return pd.DataFrame(columns, index=values.index).where(values.notna())


def _identifier(level: object) -> str:
    return "".join(character if character.isalnum() else "_" for character in str(level))


def _dependent(columns: pd.DataFrame) -> list[str]:
    """Columns without variance, or that are linear combinations of those before them."""
    kept, dependent = np.ones((len(columns), 1)), []
    filled = columns.fillna(columns.mean()).fillna(0.0)
    for name in columns:
        candidate = np.column_stack([kept, filled[name]])
        if np.linalg.matrix_rank(candidate) > kept.shape[1]:
            kept = candidate
        else:
            dependent.append(name)
    return dependent
