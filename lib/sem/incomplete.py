"""Maximum likelihood with missing answers for many subsets of one table.

EM (Jamshidian & Bentler, 1999): the E-step completes each subset's moments under its current model, the M-step
is one `fit_many`. Means are unrestricted. Where few answers are missing, four rounds give the full-information
estimates to four decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.batch import ManyFits, fit_many
from lib.sem.implied import imply, lay_out, row_values
from lib.sem.likelihood import Moments
from lib.sem.sample import neutralise, read_table
from lib.sem.spec import PATH
from lib.sem.specify import build_spec
from lib.sem.syntax import parse_model

ROUNDS = 4
RIDGE = 1e-9


def fit_incomplete(
    model: str, data: pd.DataFrame, subsets: np.ndarray, *, kept: np.ndarray, rounds: int = ROUNDS
) -> ManyFits:
    """Fit one model to many subsets of a table with missing answers.

    Parameters
    ----------
    model : str
        lavaan syntax, one group.
    data : DataFrame (N rows)
        NaN where an answer is missing.
    subsets : ndarray (B, N) of bool
        Who belongs to each subset.
    kept : ndarray (B, p) of bool
        Variables, in the model's order, that a subset's model holds; False for covariates it cannot estimate.
    rounds : int
        Rounds of EM.

    Returns
    -------
    ManyFits
        ``n_obs`` counts everyone with an answer. Standard errors rest on the expected information of those who
        answered everything in the model.

    Raises
    ------
    ModelError
        If ``subsets`` or ``kept`` do not fit the table and the model.
    """
    spec = build_spec(parse_model(model), meanstructure=False)
    table = read_table(data, spec.observed)
    size = (len(subsets), len(spec.observed))
    if subsets.shape[1] != len(table) or kept.shape != size:
        raise ModelError(
            f"subsets has shape {subsets.shape} and kept {kept.shape}; needed are {(size[0], len(table))} and {size}"
        )
    table = table - np.nanmean(table, axis=0)
    answered = ~np.isnan(table)
    weight = (subsets & answered.any(1)).astype(float)
    whole = answered.all(1)
    sums = _Sums(weight[:, whole], table[whole])
    mean, cov = sums.moments(kept)
    n = weight.sum(1)
    if whole.all():
        return fit_many(model, _problems(n, mean, cov, kept), start="own")
    start = "own"
    for _ in range(rounds):
        mean, cov = _complete(sums, mean, cov, weight[:, ~whole], table[~whole], kept)
        fits = fit_many(model, _problems(n, mean, cov, kept), start=start)
        implied = imply(fits.spec, np.nan_to_num(fits.tau), fits.value).cov[:, 0]
        start = fits.tau
        cov = np.where((fits.status == "ok")[:, None, None], implied, cov)
    return replace(fits, vcov=fits.vcov * (n / np.maximum(sums.n, 1))[:, None, None])


class _Sums:
    """Sums of values and of their products over the complete cases of each subset."""

    def __init__(self, weight: np.ndarray, values: np.ndarray):
        p = values.shape[1]
        row, column = np.tril_indices(p)
        both = weight @ np.concatenate([values, values[:, row] * values[:, column]], axis=1)
        self.n, self.first = weight.sum(1), both[:, :p]
        self.second = np.empty((len(weight), p, p))
        self.second[:, row, column] = self.second[:, column, row] = both[:, p:]

    def moments(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _moments(self.n, self.first, self.second, kept)


def _problems(n: np.ndarray, mean: np.ndarray, cov: np.ndarray, kept: np.ndarray) -> Moments:
    return Moments(n[:, None], mean[:, None], cov[:, None], kept[:, None])


def _moments(n: np.ndarray, first: np.ndarray, second: np.ndarray, kept: np.ndarray) -> tuple:
    mean = first / np.maximum(n, 1)[:, None]
    cov = second / np.maximum(n, 1)[:, None, None] - mean[:, :, None] * mean[:, None, :]
    neutralise(mean, cov, kept)
    return mean, cov


def _complete(
    sums: _Sums, mean: np.ndarray, cov: np.ndarray, weight: np.ndarray, values: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Moments expected of everyone, given what they answered and each subset's current moments."""
    n, first, second = sums.n.copy(), sums.first.copy(), sums.second.copy()
    _, start, pattern = np.unique(~np.isnan(values), axis=0, return_index=True, return_inverse=True)
    for k, example in enumerate(start):
        gone = np.isnan(values[example])
        rows, share = values[pattern.ravel() == k], weight[:, pattern.ravel() == k]
        inside = cov[:, ~gone][:, :, ~gone] + RIDGE * np.eye((~gone).sum())
        across = cov[:, ~gone][:, :, gone]
        slope = np.linalg.solve(inside, across)
        filled = np.broadcast_to(rows, (len(mean), *rows.shape)).copy()
        filled[:, :, gone] = mean[:, None, gone] + (rows[:, ~gone] - mean[:, None, ~gone]) @ slope
        count = share.sum(1)
        n += count
        first += np.einsum("br,brp->bp", share, filled)
        second += np.einsum("br,brp,brq->bpq", share, filled, filled, optimize=True)
        left = cov[:, gone][:, :, gone] - across.swapaxes(1, 2) @ slope
        second[:, np.flatnonzero(gone)[:, None], np.flatnonzero(gone)] += count[:, None, None] * left
    return _moments(n, first, second, kept)


def standardized_paths(fits: ManyFits, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Standardized paths of every fit and their joint covariance, by the delta method.

    A path from x to y is multiplied by SD(x) / SD(y), both implied by the model.

    Parameters
    ----------
    fits : ManyFits
    labels : sequence of str
        Labels of L paths.

    Returns
    -------
    estimate : ndarray (B, L)
        NaN where a fit's status is not ``ok``.
    vcov : ndarray (B, L, L)
    """
    spec, layout = fits.spec, lay_out(fits.spec)
    implied = imply(spec, np.nan_to_num(fits.tau), fits.value)
    spread, full = implied.spread[:, 0], implied.full[:, 0]
    rows = row_values(spec, fits.tau, fits.value)[:, 0]
    factor = np.where(layout.kind == PATH, 2.0, 2.0 * layout.half)
    estimates, slopes = [], []
    for label in labels:
        place = spec.named[label][1]
        y, x = spec.i[place], spec.j[place]
        variance, log_slope = {}, {}
        for one in (x, y):
            other = np.where(layout.kind == PATH, full[:, one][:, layout.j], spread[:, one][:, layout.j])
            variance[one] = full[:, one, one]
            log_slope[one] = factor * spread[:, one][:, layout.i] * other / variance[one][:, None]
        ratio = np.sqrt(variance[x] / variance[y])
        value = rows[:, place] * ratio
        slope = value[:, None] * (log_slope[x] - log_slope[y]) / 2
        slope[:, np.flatnonzero(layout.rows == place)] += ratio[:, None]
        estimates.append(value)
        slopes.append(layout.to_tau(slope, 0))
    slope = np.stack(slopes, axis=1)
    return np.stack(estimates, axis=1), slope @ fits.vcov @ slope.swapaxes(1, 2)
