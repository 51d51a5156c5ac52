"""Moments of many subsets of one table, for `lib.sem.batch.fit_many`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.likelihood import Moments
from lib.sem.sample import COLLINEAR, neutralise, read_table
from lib.sem.specify import build_spec
from lib.sem.syntax import parse_model


def subset_moments(model: str, data: pd.DataFrame, subsets: np.ndarray) -> Moments:
    """Moments of many subsets of complete data in a few matrix products.

    Parameters
    ----------
    model : str
        The model whose observed variables are taken, in its order.
    data : DataFrame (N rows)
        Rows with a missing value in any of them belong to no subset.
    subsets : ndarray (B, N)
        Membership (bool) or how often each row counts.

    Returns
    -------
    Moments
        Of B problems with one group; constant and collinear covariates are marked in ``kept`` and neutralised.
    """
    spec = build_spec(parse_model(model), meanstructure=False)
    table = read_table(data, spec.observed)
    if subsets.ndim != 2 or subsets.shape[1] != len(data):
        raise ModelError(
            f"subsets has shape {subsets.shape}; it needs one column for each of {len(data)} rows"
        )
    whole = ~np.isnan(table).any(1)
    values = table[whole] - table[whole].mean(0)
    weight = subsets[:, whole].astype(float)
    n = weight.sum(1)
    p = table.shape[1]
    row, column = np.tril_indices(p)
    sums = (
        weight
        @ np.concatenate([values, values[:, row] * values[:, column]], axis=1)
        / np.maximum(n, 1)[:, None]
    )
    mean, cov = sums[:, :p], np.empty((len(n), p, p))
    cov[:, row, column] = cov[:, column, row] = sums[:, p:]
    cov -= mean[:, :, None] * mean[:, None, :]
    kept = estimable(cov, [spec.observed.index(name) for name in spec.variables.covariates], values.var(0))
    mean = mean + table[whole].mean(0)
    neutralise(mean, cov, kept)
    return Moments(n[:, None], mean[:, None], cov[:, None], kept[:, None])


def estimable(cov: np.ndarray, covariates: Sequence[int], overall: np.ndarray) -> np.ndarray:
    """Which covariates of each subset vary and are no combination of earlier ones (B, p), by a sweep in order."""
    kept = np.ones(cov.shape[:2], bool)
    rest = cov.copy()
    for column in covariates:
        own = rest[:, column, column]
        bad = own <= COLLINEAR * np.maximum(cov[:, column, column], overall[column])
        kept[bad, column] = False
        slope = np.where(bad[:, None], 0.0, rest[:, :, column] / np.where(bad, 1.0, own)[:, None])
        rest = rest - slope[:, :, None] * rest[:, column][:, None, :]
    return kept
