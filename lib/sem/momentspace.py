"""The likelihood of one group as a function of its mean vector and covariance matrix.

Everything is per case: the objective is minus the log likelihood without its constant, and its derivatives are
taken with respect to the mean (p) and the lower triangle of the covariance matrix (p (p + 1) / 2), in that order.
Formulas as in Savalei (2010, Psychol. Methods 15, 352-367) for incomplete data; complete data are one pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lib.sem.likelihood import invert
from lib.sem.patterns import Patterns


@dataclass(frozen=True)
class Evaluated:
    """A group's patterns evaluated at one mean and covariance matrix.

    ``inverse`` (P, p, p) is zero where unseen; ``scaled_gap`` (P, p) is C^-1 (mean - mu) and ``spread`` (P, p, p)
    is C^-1 R C^-1; ``objective``, ``slope_mean`` (p,) and ``slope_cov`` (p, p) are per case of the group.
    """

    inverse: np.ndarray
    scaled_gap: np.ndarray
    spread: np.ndarray
    weight: np.ndarray
    objective: float
    slope_mean: np.ndarray
    slope_cov: np.ndarray


@lru_cache(maxsize=64)
def lower(p: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the lower triangle, column by column."""
    column, row = np.triu_indices(p)
    return row, column


def evaluate_patterns(patterns: Patterns, mean: np.ndarray, cov: np.ndarray) -> Evaluated:
    """Objective and slopes at a mean (p,) and covariance (p, p); infinite where it is not positive definite."""
    seen, p = patterns.seen, len(mean)
    pad = (1 - seen)[:, :, None] * np.eye(p)
    padded = cov * seen[:, :, None] * seen[:, None, :] + pad
    inverse, log_det, proper = invert(padded)
    inverse = inverse - pad
    weight = patterns.n / patterns.n.sum()
    gap = (patterns.mean - mean) * seen
    residual = patterns.cov + gap[:, :, None] * gap[:, None, :]
    scaled = inverse @ residual
    spread = scaled @ inverse
    scaled_gap = (inverse @ gap[:, :, None])[:, :, 0]
    value = 0.5 * (weight * (log_det + np.trace(scaled, axis1=1, axis2=2))).sum()
    slope_cov = 0.5 * np.tensordot(weight, inverse - spread, 1)
    objective = float(value) if proper.all() else np.inf
    return Evaluated(inverse, scaled_gap, spread, weight, objective, -(weight @ scaled_gap), slope_cov)


def expected_information(at: Evaluated) -> np.ndarray:
    """Expected information of one case (k, k), k = p + p (p + 1) / 2."""
    p = at.inverse.shape[-1]
    out = np.zeros((p + p * (p + 1) // 2,) * 2)
    out[:p, :p] = np.tensordot(at.weight, at.inverse, 1)
    out[p:, p:] = 0.5 * _pairs(at.inverse, at.inverse, at.weight)
    return out


def observed_information(at: Evaluated) -> np.ndarray:
    """Hessian of the objective (k, k)."""
    p = at.inverse.shape[-1]
    out = expected_information(at)
    out[p:, p:] = 0.5 * _pairs(at.inverse, 2 * at.spread - at.inverse, at.weight)
    row, column = lower(p)
    weighted = (at.weight[:, None, None] * at.inverse).reshape(len(at.weight), -1)
    cross = (weighted.T @ at.scaled_gap).reshape(p, p, p)
    mixed = cross[:, row, column] + np.where(row == column, 0.0, cross[:, column, row])
    out[:p, p:] = mixed
    out[p:, :p] = mixed.T
    return out


def case_scores(patterns: Patterns, mean: np.ndarray, at: Evaluated, kept: np.ndarray) -> np.ndarray:
    """Each case's gradient of the objective (N, k)."""
    p = len(mean)
    row, column = lower(p)
    gap = np.where(np.isnan(patterns.values), 0.0, patterns.values - mean) * kept
    gap = gap * patterns.seen[patterns.member]
    scaled = (at.inverse[patterns.member] @ gap[:, :, None])[:, :, 0]
    times = np.where(row == column, 0.5, 1.0)
    base = (at.inverse[:, row, column] * times)[patterns.member]
    return np.concatenate([-scaled, base - scaled[:, row] * scaled[:, column] * times], axis=1)


def slopes(at: Evaluated) -> np.ndarray:
    """Gradient of the objective (k,)."""
    row, column = lower(len(at.slope_mean))
    return np.concatenate([at.slope_mean, at.slope_cov[row, column] * np.where(row == column, 1.0, 2.0)])


def stack_moments(mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Mean (..., p) and covariance (..., p, p) as coordinates (..., k)."""
    row, column = lower(mean.shape[-1])
    return np.concatenate([mean, cov[..., row, column]], axis=-1)


def unstack_moments(coordinates: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `stack_moments` for one vector."""
    row, column = lower(p)
    cov = np.empty((p, p))
    cov[row, column] = cov[column, row] = coordinates[p:]
    return coordinates[:p], cov


def _pairs(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum over patterns of weight * tr(A D_k B D_l), made symmetric; D_k moves element k of the lower triangle."""
    count, p = first.shape[:2]
    row, column = lower(p)
    product = (weight[:, None] * first.reshape(count, -1)).T @ second.reshape(count, -1)
    crossed, one, other = (product.take(place) for place in _pair_places(p))
    times = np.where(row == column, 0.5, 1.0)
    return (crossed + crossed.T + one + other) * times[:, None] * times


@lru_cache(maxsize=8)
def _pair_places(p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where A[a, b] B[c, d] stands among all products for elements k, l of the lower triangle (row r, column s).

    (a, b, c, d) is (s_l, r_k, s_k, r_l), (s_l, s_k, r_k, r_l) and (r_l, r_k, s_k, s_l); k runs down, l across.
    """
    r, s = lower(p)
    rk, sk = r[:, None], s[:, None]
    return tuple(
        ((a * p + b) * p + c) * p + d for a, b, c, d in ((s, rk, sk, r), (s, sk, rk, r), (r, rk, sk, s))
    )
