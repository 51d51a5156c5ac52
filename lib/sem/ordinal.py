"""Polychoric correlations and the reliability of sums of ordered answers.

Two-step maximum likelihood (Olsson, 1979): thresholds from the margins, then each correlation from its table.
Omega for ordered items is that of Green & Yang (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.distributions import normal_cdf, quantile
from lib.sem.sample import read_table

NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
LARGEST = 0.9999


@dataclass(frozen=True)
class Polychoric:
    """Polychoric correlations.

    Attributes
    ----------
    correlations : DataFrame (k, k)
    thresholds : dict of str to ndarray
        Cut points of each item on the standard normal scale.
    n_obs : int
        Complete rows used.
    """

    correlations: pd.DataFrame
    thresholds: dict[str, np.ndarray]
    n_obs: int


def polychoric_correlations(data: pd.DataFrame, items: Sequence[str]) -> Polychoric:
    """Polychoric correlations of ordered items, from rows complete on all of them.

    Parameters
    ----------
    data : DataFrame
    items : sequence of str
        Columns of ordered codes.

    Raises
    ------
    ModelError
        If an item takes one value only.
    """
    table = read_table(data, items)
    table = table[~np.isnan(table).any(1)]
    codes, thresholds = [], {}
    for item, column in zip(items, table.T, strict=True):
        levels, code = np.unique(column, return_inverse=True)
        if len(levels) < 2:
            raise ModelError(f"'{item}' takes {len(levels)} value(s) in the complete rows; leave it out")
        share = np.cumsum(np.bincount(code))[:-1] / len(code)
        codes.append(code)
        thresholds[item] = np.asarray(quantile(share))
    out = np.eye(len(items))
    for a in range(len(items)):
        for b in range(a):
            counts = np.zeros((len(thresholds[items[a]]) + 1, len(thresholds[items[b]]) + 1))
            np.add.at(counts, (codes[a], codes[b]), 1.0)
            out[a, b] = out[b, a] = _correlation(counts, thresholds[items[a]], thresholds[items[b]])
    return Polychoric(pd.DataFrame(out, index=list(items), columns=list(items)), thresholds, len(table))


def bivariate_cdf(first: np.ndarray, second: np.ndarray, rho: float) -> np.ndarray:
    """P(X <= first, Y <= second) of standard normals with correlation rho, on the grid of both (a, b).

    Integrates the density over the correlation, from 0 to rho with rho = sin(angle) (Drezner & Wesolowsky, 1990).
    """
    x, y = np.asarray(first, float)[:, None], np.asarray(second, float)[None, :]
    end = np.arcsin(rho)
    angle = end * (NODES + 1) / 2
    sine, cosine2 = np.sin(angle), np.cos(angle) ** 2
    spread = (x**2 + y**2)[..., None] - 2 * (x * y)[..., None] * sine
    inside = np.exp(-spread / (2 * cosine2)) @ WEIGHTS * end / 2
    return normal_cdf(x) * normal_cdf(y) + inside / (2 * np.pi)


def _correlation(counts: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Maximum-likelihood correlation of one table at given thresholds, by Fisher scoring kept inside (-1, 1)."""

    def evaluate(rho: float) -> tuple[float, float, float]:
        cdf = np.zeros((len(first) + 2, len(second) + 2))
        cdf[1:-1, 1:-1] = bivariate_cdf(first, second, rho)
        cdf[-1, 1:-1], cdf[1:-1, -1], cdf[-1, -1] = normal_cdf(second), normal_cdf(first), 1.0
        density = np.zeros_like(cdf)
        x, y = first[:, None], second[None, :]
        rest = 1 - rho**2
        density[1:-1, 1:-1] = np.exp(-(x**2 + y**2 - 2 * rho * x * y) / (2 * rest)) / (
            2 * np.pi * np.sqrt(rest)
        )
        cell = np.maximum(np.diff(np.diff(cdf, axis=0), axis=1), 1e-14)
        slope = np.diff(np.diff(density, axis=0), axis=1)
        log_likelihood = float((counts * np.log(cell)).sum())
        return (
            log_likelihood,
            float((counts * slope / cell).sum()),
            float(counts.sum() * (slope**2 / cell).sum()),
        )

    rho = 0.0
    best, gradient, information = evaluate(rho)
    for _ in range(200):
        step = gradient / information
        if abs(gradient * step) < 1e-14:
            break
        trial = np.clip(rho + step, -LARGEST, LARGEST)
        found = evaluate(trial)
        while found[0] < best - 1e-10 and abs(trial - rho) > 1e-10:
            trial = (trial + rho) / 2
            found = evaluate(trial)
        if abs(trial - rho) < 1e-12:
            break
        rho, (best, gradient, information) = float(trial), found
    return rho


def categorical_omega(
    loadings: Sequence[float], thresholds: Sequence[np.ndarray], correlations: np.ndarray
) -> float:
    """Reliability of a sum of ordered items with one factor.

    Parameters
    ----------
    loadings : sequence of float (k,)
        Standardized loadings of the latent answers.
    thresholds : sequence of ndarray
        Of each item.
    correlations : ndarray (k, k)
        Correlations of the latent answers: polychoric, or implied by the factor.
    """
    weights = np.asarray(loadings, float)
    true = total = 0.0
    for a, first in enumerate(thresholds):
        for b, second in enumerate(thresholds):
            chance = normal_cdf(first).sum() * normal_cdf(second).sum()
            true += bivariate_cdf(first, second, weights[a] * weights[b]).sum() - chance
            if a == b:
                total += normal_cdf(np.minimum(first[:, None], second[None, :])).sum() - chance
            else:
                total += bivariate_cdf(first, second, correlations[a, b]).sum() - chance
    return float(true / total)
