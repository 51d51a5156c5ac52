"""Tail areas and quantiles; scipy.special is imported on first use because lib.sem must load quickly."""

from __future__ import annotations

import numpy as np


def two_sided_p(statistic: np.ndarray, df: float = np.inf) -> np.ndarray:
    """P(|T| > |statistic|) for a standard normal, or Student's t with ``df`` degrees of freedom (one, or one each)."""
    from scipy import special

    size = -np.abs(np.asarray(statistic, float))
    return 2 * (special.ndtr(size) if np.isscalar(df) and np.isinf(df) else special.stdtr(df, size))


def quantile(probability: np.ndarray, df: float = np.inf) -> np.ndarray:
    """Quantile of the standard normal, or of Student's t."""
    from scipy import special

    return (
        special.ndtri(probability) if np.isscalar(df) and np.isinf(df) else special.stdtrit(df, probability)
    )


def normal_cdf(value: np.ndarray) -> np.ndarray:
    """Standard normal distribution function."""
    from scipy import special

    return special.ndtr(value)


def chisq_p(statistic: float, df: float, noncentrality: float = 0.0) -> float:
    """P(X > statistic) for a (noncentral) chi-square; NaN without degrees of freedom."""
    from scipy import special

    if not df > 0 or not np.isfinite(statistic):
        return float("nan")
    if noncentrality > 0:
        return float(1 - special.chndtr(statistic, df, noncentrality))
    return float(special.chdtrc(df, max(statistic, 0.0)))


def f_p(statistic: float, df1: float, df2: float) -> float:
    """P(F > statistic)."""
    from scipy import special

    return float(special.fdtrc(df1, df2, statistic)) if np.isfinite(statistic) else float("nan")


def noncentrality(statistic: float, df: float, tail: float) -> float:
    """The noncentrality at which P(X <= statistic) is ``tail``, or 0 where even the central one is below it."""
    from scipy import special

    if special.chdtr(df, statistic) < tail:
        return 0.0
    low, high = 0.0, max(statistic * 4, 100.0)
    while special.chndtr(statistic, df, high) > tail:
        high *= 2
    for _ in range(100):
        if high - low < 1e-12 * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if special.chndtr(statistic, df, middle) > tail else (low, middle)
    return (low + high) / 2
