"""Maximum likelihood with missing answers for many subsets of one table.

EM with one scoring step a round (Lange, 1995; Jamshidian & Bentler, 1999): a round completes each subset's moments
under its current model and moves the model toward them, beginning at the fit of the largest subset. Means are
unrestricted. Where few answers are missing, five rounds give the full-information estimates to four decimals.
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
from lib.sem.spec import PATH, Spec
from lib.sem.specify import build_spec
from lib.sem.start import fill_covariates
from lib.sem.syntax import parse_model

ROUNDS = 5
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
    if not sums.n.any():
        raise ModelError(
            f"none of {len(table)} students answered everything in the model; take a smaller model"
        )
    gaps = _Gaps(sums, weight[:, ~whole], table[~whole], kept)
    largest = np.array([int(np.argmax(sums.n))])
    first = fit_many(
        model, gaps.take(largest).problems(*gaps.take(largest).known(), complete=True), start="own"
    )
    tau, mean, cov, late = _improve(spec, gaps, np.repeat(first.tau, len(subsets), axis=0), rounds)
    if len(late):
        some = gaps.take(late)
        own = fit_many(model, some.problems(*some.known(), complete=True), start="own").tau
        tau[late], mean[late], cov[late], _ = _improve(spec, some, own, rounds)
    fits = fit_many(model, gaps.problems(mean, cov), start=tau)
    return replace(fits, vcov=fits.vcov * (fits.n_obs / np.maximum(sums.n, 1))[:, None, None])


def _improve(
    spec: Spec, gaps: _Gaps, tau: np.ndarray, rounds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Estimates and completed moments after some rounds, and the subsets that have not arrived by then."""
    layout = lay_out(spec)
    mean, cov = gaps.known()
    lost = ~np.isfinite(tau).all(1)
    tau = np.where(lost[:, None], np.nanmean(np.where(lost[:, None], np.nan, tau), axis=0), tau)
    gain = np.full(len(tau), np.inf)
    for _ in range(rounds):
        value = fill_covariates(spec, mean[:, None], cov[:, None])
        mean, cov = gaps.complete(mean, imply(spec, tau, value).cov[:, 0])
        problems = gaps.problems(mean, cov)
        value = fill_covariates(spec, mean[:, None], cov[:, None])
        objective, slope, information = evaluate(spec, layout, tau, value, problems)
        step = solve(information, slope)
        fine = np.isfinite(objective) & np.isfinite(step).all(1)
        gain = np.where(fine, np.abs((step * slope).sum(1)) * problems.n[:, 0], np.inf)
        tau = tau - np.where(fine[:, None], step, 0.0)
    return tau, mean, cov, np.flatnonzero((gain >= ARRIVED) | lost)


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


@dataclass(frozen=True)
class _Gaps:
    """Complete cases of each subset as sums, the other cases as they are."""

    sums: _Sums
    weight: np.ndarray
    values: np.ndarray
    kept: np.ndarray

    def take(self, which: np.ndarray) -> _Gaps:
        """Some of the subsets."""
        return _Gaps(self.sums.take(which), self.weight[which], self.values, self.kept[which])

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of the complete cases."""
        return _moments(self.sums.n, self.sums.first, self.sums.second, self.kept)

    def problems(self, mean: np.ndarray, cov: np.ndarray, *, complete: bool = False) -> Moments:
        """Moments as `fit_many` takes them, of everyone or of the complete cases."""
        n = self.sums.n + (0 if complete else self.weight.sum(1))
        return Moments(n[:, None], mean[:, None], cov[:, None], self.kept[:, None])

    def complete(self, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moments expected of everyone, given what they answered and each subset's current moments."""
        n, first, second = self.sums.n.copy(), self.sums.first.copy(), self.sums.second.copy()
        answered, pattern = np.unique(~np.isnan(self.values), axis=0, return_inverse=True)
        for k, seen in enumerate(answered):
            gone = np.flatnonzero(~seen)
            inside = pattern.ravel() == k
            rows, share = self.values[inside], self.weight[:, inside]
            across = cov[:, seen][:, :, gone]
            slope = np.linalg.solve(cov[:, seen][:, :, seen] + RIDGE * np.eye(seen.sum()), across)
            filled = np.broadcast_to(rows, (len(mean), *rows.shape)).copy()
            filled[:, :, gone] = mean[:, None, gone] + (rows[:, seen] - mean[:, None, seen]) @ slope
            count, counted = share.sum(1), share[:, :, None] * filled
            n += count
            first += counted.sum(1)
            second += counted.swapaxes(1, 2) @ filled
            left = cov[:, gone][:, :, gone] - across.swapaxes(1, 2) @ slope
            second[:, gone[:, None], gone] += count[:, None, None] * left
        return _moments(n, first, second, self.kept)


def _moments(n: np.ndarray, first: np.ndarray, second: np.ndarray, kept: np.ndarray) -> tuple:
    mean = first / np.maximum(n, 1)[:, None]
    cov = second / np.maximum(n, 1)[:, None, None] - mean[:, :, None] * mean[:, None, :]
    neutralise(mean, cov, kept)
    return mean, cov


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
