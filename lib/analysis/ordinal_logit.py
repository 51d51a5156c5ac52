"""The proportional-odds model (McCullagh, 1980), by Fisher scoring.

statsmodels' ``OrderedModel`` gives the same numbers (tested), but differentiates numerically and takes half a minute for
the items of one questionnaire.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_STEPS = 100


@dataclass(frozen=True)
class OrdinalFit:
    """A fitted model: log likelihood, coefficients (q,), cut points (levels - 1,), whether the search converged."""

    log_likelihood: float
    coefficients: np.ndarray
    cuts: np.ndarray
    converged: bool


def fit_ordinal(codes: np.ndarray, predictors: np.ndarray) -> OrdinalFit:
    """Fit P(code <= j) = logistic(cut_j - x b).

    Parameters
    ----------
    codes : array of int, n
        0, 1, ... with every level taken by somebody.
    predictors : array, n by q
    """
    levels = int(codes.max()) + 1
    below = np.cumsum(np.bincount(codes))[:-1] / len(codes)
    theta = np.concatenate([np.log(below / (1 - below)), np.zeros(predictors.shape[1])])
    best, score, information = _evaluate(theta, codes, predictors, levels)
    for _ in range(MOST_STEPS):
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        gain = float(score @ step)
        if gain < 1e-10:
            return OrdinalFit(best, theta[levels - 1 :], theta[: levels - 1], True)
        size, found = 1.0, _evaluate(theta + step, codes, predictors, levels)
        while not found[0] > best and size > 1e-6:
            size /= 2
            found = _evaluate(theta + size * step, codes, predictors, levels)
        theta, (best, score, information) = theta + size * step, found
    return OrdinalFit(best, theta[levels - 1 :], theta[: levels - 1], False)


def _evaluate(theta: np.ndarray, codes: np.ndarray, predictors: np.ndarray, levels: int):
    """Log likelihood, score and expected information; no likelihood where cut points are out of order."""
    cuts, slopes = theta[: levels - 1], theta[levels - 1 :]
    if (np.diff(cuts) <= 0).any():
        return -np.inf, np.zeros_like(theta), np.eye(len(theta))
    n = len(codes)
    upto = np.ones((n, levels + 1))
    upto[:, 0] = 0.0
    upto[:, 1:-1] = 1 / (1 + np.exp(-(cuts - (predictors @ slopes)[:, None])))
    density = upto * (1 - upto)
    chance = np.maximum(np.diff(upto, axis=1), 1e-12)
    score, information = np.zeros_like(theta), np.zeros((len(theta), len(theta)))
    for level in range(levels):
        slope = np.zeros((n, len(theta)))
        if level < levels - 1:
            slope[:, level] = density[:, level + 1]
        if level > 0:
            slope[:, level - 1] -= density[:, level]
        slope[:, levels - 1 :] = -(density[:, level + 1] - density[:, level])[:, None] * predictors
        weighted = slope / chance[:, [level]]
        score += weighted[codes == level].sum(axis=0)
        information += weighted.T @ slope
    return float(np.log(chance[np.arange(n), codes]).sum()), score, information
