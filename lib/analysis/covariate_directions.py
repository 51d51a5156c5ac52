"""Covariates turned into the few directions that a model needs of them."""

from __future__ import annotations

import numpy as np

COLLINEAR = 1e-12


def directions(cov: np.ndarray, first: int, count: int) -> np.ndarray:
    """Matrices (J, p, first + count) that standardize the first columns and turn the covariates after them.

    They belong to covariances (J, p, p). The covariates are made uncorrelated; of their directions those are kept in
    which the first columns move. Columns of zeros, which no model admits, stand for covariates that follow from each
    other.
    """
    scale = np.sqrt(np.maximum(np.diagonal(cov, axis1=1, axis2=2), 1e-300))
    corr, turn = cov / scale[:, :, None] / scale[:, None, :], np.zeros((*cov.shape[:2], first + count))
    turn[:, :first, :first] = np.eye(first)
    if count:
        fine = np.linalg.eigvalsh(corr[:, first:, first:])[:, 0] > COLLINEAR
        axes = np.linalg.inv(np.linalg.cholesky(corr[fine, first:, first:])).swapaxes(1, 2)
        if count < axes.shape[1]:
            axes = axes @ np.linalg.qr(axes.swapaxes(1, 2) @ corr[fine, first:, :first])[0]
        turn[
            np.flatnonzero(fine)[:, None, None],
            np.arange(first, cov.shape[1])[:, None],
            first + np.arange(count),
        ] = axes
    return turn / scale[:, :, None]
