"""Maximum likelihood with missing answers for many subsets of one table: `lib.sem.one_latent`'s model, or none.

EM (Dempster, Laird & Rubin, 1977): a round completes each subset's moments under its current model and fits the model
to them; means are unrestricted. Without a model the completed moments are the estimates. A round reduces the distance
to the full-information estimates by the fraction of what is missing, so that eight rounds leave less than a millionth
of an SD where few answers are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.errors import ModelError
from lib.sem.one_latent import Given, Latent, estimate, start
from lib.sem.sample import neutralise

ROUNDS = 8
SINGULAR = 1e-12
SETTLED = 1e-5
"""A covariance that the last round moved by more than this share of its variables' SDs is not converged."""


@dataclass(frozen=True)
class LatentFits:
    """Fits of one model to B subsets.

    Attributes
    ----------
    latent : Latent
        Estimates; those whose ``status`` is not ``ok`` mean nothing.
    n_obs : ndarray (B,)
        Students with an answer.
    n_whole : ndarray (B,)
        Students who answered everything in the model; standard errors rest on them.
    status : ndarray (B,) of str
        ``ok``, ``not_converged``, ``inadmissible`` or ``too_few``.
    """

    latent: Latent
    n_obs: np.ndarray
    n_whole: np.ndarray
    status: np.ndarray


@dataclass(frozen=True)
class SaturatedFits:
    """Covariances of B subsets without a model.

    Attributes
    ----------
    cov : ndarray (B, p, p)
        What a subset does not hold has variance 1 and no covariances; where ``status`` is not ``ok`` it means
        nothing.
    n_obs, n_whole, status
        As of ``LatentFits``.
    """

    cov: np.ndarray
    n_obs: np.ndarray
    n_whole: np.ndarray
    status: np.ndarray


def saturate_incomplete(
    table: np.ndarray, subsets: np.ndarray, *, kept: np.ndarray, rounds: int = ROUNDS
) -> SaturatedFits:
    """Covariance matrix of some variables in subsets of a table; parameters and errors as of ``fit_incomplete``."""
    answers = _Answers.of(table, subsets, kept)
    mean, cov = answers.sums.moments(kept)
    sized, enough = _sized(cov), answers.sums.n > kept.sum(1)
    _mend(cov, sized & enough)
    settled = np.ones(len(cov), bool)
    for _ in range(rounds if answers.gaps else 0):
        before = cov
        mean, cov = answers.complete(mean, np.linalg.inv(cov)).moments(kept)
        _mend(cov, sized & enough)
        size = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        settled = (np.abs(cov - before) <= SETTLED * size[:, :, None] * size[:, None, :]).all((1, 2))
    proper = np.where(sized, np.where(settled, "ok", "not_converged"), "inadmissible")
    status = np.where(enough, proper, "too_few").astype(object)
    return SaturatedFits(cov, answers.n_obs, np.maximum(answers.sums.n, 1), status)


def fit_incomplete(
    table: np.ndarray,
    subsets: np.ndarray,
    *,
    indicators: int,
    outcomes: int,
    kept: np.ndarray,
    loading: np.ndarray | None = None,
    rounds: int = ROUNDS,
) -> LatentFits:
    """Fit one latent variable, its indicators and its outcomes, given covariates, to subsets of a table.

    Parameters
    ----------
    table : ndarray (N, p)
        Indicators, outcomes and covariates; NaN where an answer is missing.
    subsets : ndarray (B, N) of bool
        Who belongs to each subset.
    indicators, outcomes : int
        How many of the first columns are indicators, and how many of the next are outcomes.
    kept : ndarray (B, p) of bool
        False for covariates that a subset's model does not hold.
    loading : ndarray (indicators,), optional
        Loadings that are held.
    rounds : int
        Rounds of EM.

    Raises
    ------
    ModelError
        If the shapes do not fit, or nobody answered everything.
    """
    answers = _Answers.of(table, subsets, kept)
    sums, n_obs = answers.sums, answers.n_obs
    mean, cov = sums.moments(kept)
    sized, enough = _sized(cov), sums.n > kept.sum(1)
    _mend(cov, sized & enough)
    v = indicators + outcomes
    largest = [int(np.argmax(np.where(sized, sums.n, 0)))]
    begin = start(Given.of(cov[largest], v).measured(indicators)[0])
    latent = estimate(Given.of(cov[largest], v), begin, sums.n[largest], loading=loading)
    repeated = np.zeros(len(subsets), dtype=int)
    begin = (latent.loading / latent.unique)[repeated], latent.unique[repeated]
    latent = estimate(Given.of(cov, v), begin, sums.n, loading=loading)
    for _ in range(rounds if answers.gaps else 0):
        mean, cov = answers.complete(mean, _inverse(latent)).moments(kept)
        _mend(cov, sized & enough)
        begin = np.where(latent.converged[:, None], (latent.loading / latent.unique, latent.unique), begin)
        latent = estimate(Given.of(cov, v), tuple(begin), n_obs, loading=loading)
    proper = np.where(sized & latent.proper(), "ok", "inadmissible")
    status = np.where(enough, np.where(latent.converged, proper, "not_converged"), "too_few").astype(object)
    return LatentFits(latent, n_obs, np.maximum(sums.n, 1), status)


def _sized(cov: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(cov)[:, 0] > SINGULAR


def _mend(cov: np.ndarray, usable: np.ndarray) -> None:
    """Put a matrix that can be fitted, in place, where there is none; its group has a status instead."""
    cov[~(usable & np.isfinite(cov).all((1, 2)))] = np.eye(cov.shape[1])


@dataclass(frozen=True)
class _Sums:
    """Number of students of each subset, sums of their values and of the values' products."""

    n: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, weight: np.ndarray, values: np.ndarray) -> _Sums:
        """Of the rows of ``values``, as often as ``weight`` says."""
        p = values.shape[1]
        row, column = np.tril_indices(p)
        both = weight @ np.concatenate([values, values[:, row] * values[:, column]], axis=1)
        second = np.empty((len(weight), p, p))
        second[:, row, column] = second[:, column, row] = both[:, p:]
        return cls(weight.sum(1), both[:, :p], second)

    def moments(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance; what is not kept is neutralised."""
        n = np.maximum(self.n, 1)
        mean = self.first / n[:, None]
        cov = self.second / n[:, None, None] - mean[:, :, None] * mean[:, None, :]
        neutralise(mean, cov, kept)
        return mean, cov


@dataclass(frozen=True)
class _Gap:
    """Students who left the same answers: what they left, what they said (0 elsewhere), and whose they are."""

    gone: np.ndarray
    values: np.ndarray
    weight: np.ndarray


def _gaps(values: np.ndarray, weight: np.ndarray) -> list[_Gap]:
    answered, pattern = np.unique(~np.isnan(values), axis=0, return_inverse=True)
    said, pattern = np.nan_to_num(values), pattern.ravel()
    found = [(np.flatnonzero(~seen), pattern == k) for k, seen in enumerate(answered)]
    return [_Gap(gone, said[inside], weight[:, inside]) for gone, inside in found]


@dataclass(frozen=True)
class _Answers:
    """What the students of each subset said: sums over those who answered everything, and the others' gaps."""

    sums: _Sums
    gaps: list[_Gap]
    n_obs: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray, subsets: np.ndarray, kept: np.ndarray) -> _Answers:
        if subsets.shape[1] != len(table) or kept.shape != (len(subsets), table.shape[1]):
            raise ModelError(
                f"subsets has shape {subsets.shape} and kept {kept.shape}; "
                f"needed are {(len(subsets), len(table))} and {(len(subsets), table.shape[1])}"
            )
        table = table - np.nanmean(table, axis=0)
        answered = ~np.isnan(table)
        weight = (subsets & answered.any(1)).astype(float)
        whole = answered.all(1)
        sums = _Sums.of(weight[:, whole], table[whole])
        if not sums.n.any():
            raise ModelError(
                f"none of {len(table)} students answered everything in the model; take a smaller model"
            )
        return cls(sums, _gaps(table[~whole], weight[:, ~whole]), weight.sum(1))

    def complete(self, mean: np.ndarray, inverse: np.ndarray) -> _Sums:
        """Sums expected of everyone, given what they answered and each subset's current mean and covariance.

        With P the inverse of the covariance matrix (B, p, p), what is gone has the mean
        mu_g - P_gg^-1 P_gs (x_s - mu_s) and the covariance P_gg^-1.
        """
        n, first, second = self.sums.n.copy(), self.sums.first.copy(), self.sums.second.copy()
        for gap in self.gaps:
            gone = gap.gone
            seen = np.ones(inverse.shape[1], bool)
            seen[gone] = False
            left = np.linalg.inv(inverse[:, gone][:, :, gone])
            slope = left @ inverse[:, gone][:, :, seen]
            filled = np.repeat(gap.values[None], len(mean), axis=0)
            away = gap.values[None][:, :, seen] - mean[:, None, seen]
            filled[:, :, gone] = mean[:, None, gone] - away @ slope.swapaxes(1, 2)
            count, counted = gap.weight.sum(1), gap.weight[:, :, None] * filled
            n += count
            first += counted.sum(1)
            second += counted.swapaxes(1, 2) @ filled
            second[:, gone[:, None], gone] += count[:, None, None] * left
        return _Sums(n, first, second)


def _inverse(latent: Latent) -> np.ndarray:
    """Inverse of the covariance matrix of all variables that the model implies (B, p, p)."""
    given, slope = np.linalg.inv(latent.told()), latent.slopes()
    v = given.shape[1]
    out = np.empty((len(given), v + slope.shape[1], v + slope.shape[1]))
    across = -slope @ given
    out[:, :v, :v], out[:, v:, :v], out[:, :v, v:] = given, across, across.swapaxes(1, 2)
    out[:, v:, v:] = np.linalg.inv(latent.spread) - across @ slope.swapaxes(1, 2)
    return out
