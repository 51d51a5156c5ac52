"""Maximum likelihood with missing answers for many subsets of one table.

EM with one scoring step a round (Lange, 1995; Jamshidian & Bentler, 1999): a round completes each subset's moments
under its current model and moves the model toward them, beginning at the fit to complete cases. Means are
unrestricted. Where few answers are missing, six rounds give the full-information estimates to four decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.batch import ManyFits, fit_many
from lib.sem.implied import imply, lay_out, row_values
from lib.sem.likelihood import Moments, evaluate
from lib.sem.sample import neutralise, read_table
from lib.sem.scoring import solve
from lib.sem.spec import PATH
from lib.sem.specify import build_spec
from lib.sem.start import fill_covariates
from lib.sem.syntax import parse_model

ROUNDS = 6
RIDGE = 1e-9
ARRIVED = 1e-3
"""Squared distance from the optimum in standard errors below which a fit has converged."""


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
    sums = _sums(weight[:, whole], table[whole])
    mean, cov = _moments(sums.n, sums.first, sums.second, kept)
    fits = fit_many(model, _problems(sums.n, mean, cov, kept), start="own")
    return (
        fits if whole.all() else _finished(fits, sums, mean, weight[:, ~whole], table[~whole], kept, rounds)
    )


def _finished(
    fits: ManyFits,
    sums: _Sums,
    mean: np.ndarray,
    weight: np.ndarray,
    values: np.ndarray,
    kept: np.ndarray,
    rounds: int,
) -> ManyFits:
    """The fits to complete cases, taken to the optimum for all cases."""
    spec, layout = fits.spec, lay_out(fits.spec)
    use = np.flatnonzero(fits.status == "ok")
    tau, value, mean, kept = fits.tau[use], fits.value[use], mean[use], kept[use]
    sums, weight = sums.take(use), weight[use]
    n = sums.n + weight.sum(1)
    gain = np.zeros(len(use))
    for _ in range(rounds):
        mean, cov = _complete(sums, mean, imply(spec, tau, value).cov[:, 0], weight, values, kept)
        value = fill_covariates(spec, mean[:, None], cov[:, None])
        _, slope, information = evaluate(spec, layout, tau, value, _problems(n, mean, cov, kept))
        step = solve(information, slope)
        gain = np.abs((step * slope).sum(1)) * n
        tau = tau - step
    vcov = np.linalg.inv(information) / sums.n[:, None, None]
    arrived = (gain < ARRIVED) & np.isfinite(tau).all(1)
    status, everyone = fits.status.copy(), fits.n_obs.copy()
    status[use[~arrived]] = "not_converged"
    everyone[use] = n
    found = {"tau": tau, "value": value, "vcov": vcov}
    filled = {name: getattr(fits, name).copy() for name in found}
    for name, numbers in found.items():
        filled[name][use] = np.where(arrived.reshape(-1, *[1] * (numbers.ndim - 1)), numbers, np.nan)
    return replace(fits, status=status, n_obs=everyone, **filled)


@dataclass(frozen=True)
class _Sums:
    """Number of complete cases of each subset, sums of their values and of their products."""

    n: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def take(self, which: np.ndarray) -> _Sums:
        """The sums of some of the subsets."""
        return _Sums(self.n[which], self.first[which], self.second[which])


def _sums(weight: np.ndarray, values: np.ndarray) -> _Sums:
    p = values.shape[1]
    row, column = np.tril_indices(p)
    both = weight @ np.concatenate([values, values[:, row] * values[:, column]], axis=1)
    second = np.empty((len(weight), p, p))
    second[:, row, column] = second[:, column, row] = both[:, p:]
    return _Sums(weight.sum(1), both[:, :p], second)


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
