"""Sufficient statistics of incomplete data: first and second moments per pattern of missing answers.

Little & Rubin (2020, sec. 8.2) and Enders & Bandalos (2001): a case contributes the likelihood of what it
answered, so cases with the same pattern enter through their number, mean and covariance matrix alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patterns:
    """One group's cases by pattern; P patterns of p variables.

    Attributes
    ----------
    seen : ndarray (P, p)
        1.0 where a pattern holds the variable.
    n : ndarray (P,)
        Cases, or sums of case weights.
    mean : ndarray (P, p)
    cov : ndarray (P, p, p)
        Divisor n; zero where unseen.
    values : ndarray (N, p)
        The cases, NaN where missing.
    member : ndarray (N,)
        Each case's pattern.
    """

    seen: np.ndarray
    n: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    values: np.ndarray
    member: np.ndarray

    @property
    def complete(self) -> bool:
        """Whether nothing is missing; complete data are one pattern."""
        return bool(self.seen.all())

    def drawn(self) -> Patterns:
        """Without the patterns that no case of a resample has; case-level fields are dropped."""
        use = self.n > 0
        return Patterns(
            self.seen[use], self.n[use], self.mean[use], self.cov[use], self.values[:0], self.member[:0]
        )


def find_patterns(values: np.ndarray, kept: np.ndarray) -> Patterns:
    """Sort one group's cases by what they answered.

    Parameters
    ----------
    values : ndarray (N, p)
        NaN where missing.
    kept : ndarray (p,)
        False for dropped covariates: they count as seen, with mean 0 and variance 1.
    """
    answered = ~np.isnan(values) | ~kept
    if answered.all():
        whole = Patterns(np.ones((1, len(kept))), None, None, None, values, np.zeros(len(values), int))
        return weigh_patterns(whole, kept, np.ones(len(values)))
    packed = np.packbits(answered, axis=1)
    _, first, member = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    seen = answered[first].astype(float)
    return weigh_patterns(
        Patterns(seen, None, None, None, values, member.ravel()), kept, np.ones(len(values))
    )


def weigh_patterns(patterns: Patterns, kept: np.ndarray, weight: np.ndarray) -> Patterns:
    """The moments per pattern when cases count with a weight (how often a resample drew them)."""
    count, p = patterns.seen.shape
    filled = np.where(np.isnan(patterns.values), 0.0, patterns.values) * kept
    n = np.bincount(patterns.member, weight, count)
    order = np.argsort(patterns.member, kind="stable")
    edges = np.append(np.searchsorted(patterns.member[order], np.arange(count)), len(order))
    mean, cov = np.zeros((count, p)), np.zeros((count, p, p))
    for k in np.flatnonzero(n > 0):
        rows = order[edges[k] : edges[k + 1]]
        block, part = filled[rows], weight[rows]
        mean[k] = part @ block / n[k]
        block = (block - mean[k]) * (patterns.seen[k] * kept)
        cov[k] = (block * part[:, None]).T @ block / n[k]
    cov += np.diag(~kept).astype(float)
    return Patterns(patterns.seen, n, mean * patterns.seen, cov, patterns.values, patterns.member)


def rough_moments(patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
    """Mean (p,) and variance (p,) of each variable over the cases that answered it."""
    weight = patterns.n[:, None] * patterns.seen
    total = np.maximum(weight.sum(0), 1e-300)
    mean = (weight * patterns.mean).sum(0) / total
    spread = np.diagonal(patterns.cov, axis1=1, axis2=2) + (patterns.mean - mean) ** 2
    return mean, (weight * spread).sum(0) / total


def shares(groups: Sequence[Patterns]) -> np.ndarray:
    """Each group's share of all cases (G,)."""
    n = np.array([patterns.n.sum() for patterns in groups])
    return n / n.sum()
