"""Records and incomplete answers before they become moments."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.sem.momentspace import evaluate_patterns
from lib.sem.patterns import find_patterns

EM_STEPS = 50
EM_TOLERANCE = 1e-8
WINSORIZED = 0.025


def treated(values: pd.Series, how: str) -> pd.Series:
    """A record as it is, with its ends drawn in, or as normal scores of its ranks (van der Waerden)."""
    if how == "winsorized":
        return values.clip(values.quantile(WINSORIZED), values.quantile(1 - WINSORIZED))
    if how == "ranked":
        from scipy.special import ndtri

        return pd.Series(ndtri(values.rank() / (values.notna().sum() + 1)), index=values.index)
    return values


def em_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum-likelihood mean (p,) and covariance (p, p) of incomplete values (n, p), by EM (Little & Rubin, 2020)."""
    scale = np.nanstd(values, axis=0)
    centre = np.nanmean(values, axis=0)
    patterns = find_patterns((values - centre) / scale, np.ones(values.shape[1], bool))
    complete = ((values - centre) / scale)[~np.isnan(values).any(1)]
    mean, cov = complete.mean(0), np.cov(complete.T, bias=True) + 1e-9 * np.eye(len(scale))
    for _ in range(EM_STEPS):
        at = evaluate_patterns(patterns, mean, cov)
        shift = -cov @ at.slope_mean
        new = cov - 2 * cov @ at.slope_cov @ cov - np.outer(shift, shift)
        moved, mean, cov = np.abs(new - cov).max(), mean + shift, (new + new.T) / 2
        if moved < EM_TOLERANCE:
            break
    return centre + mean * scale, cov * np.outer(scale, scale)
