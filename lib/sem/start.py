"""Starting values, and the covariates' fixed moments."""

from __future__ import annotations

import numpy as np

from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec


def fill_covariates(spec: Spec, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Fixed values with the moments of fixed covariates taken from the sample.

    Parameters
    ----------
    mean, cov : ndarray (..., G, p), (..., G, p, p)

    Returns
    -------
    ndarray (..., G, e)
    """
    lead = mean.shape[:-2]
    value = np.broadcast_to(spec.value, (*lead, *spec.value.shape)).copy()
    rows = np.flatnonzero([row.from_data for row in spec.rows])
    found = np.where(spec.kind[rows] == MEAN, mean[..., spec.i[rows]], cov[..., spec.i[rows], spec.j[rows]])
    open_ = np.isnan(spec.value[:, rows]) & (spec.free[:, rows] < 0)
    value[..., rows] = np.where(open_, found, value[..., rows])
    return value


def start_values(spec: Spec, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Starting values tau (r,) from the moments of each group (G, p), (G, p, p).

    Half of an indicator's variance is residual, half is its latent's; loadings follow the indicators' standard
    deviations and the sign of their covariance with the first one; paths are 0. Values in the text win.
    """
    p = len(spec.observed)
    groups, size = spec.free.shape
    guess = np.zeros((groups, size))
    markers = {}
    for e in np.flatnonzero((spec.kind == PATH) & (spec.j >= p) & (spec.i < p)):
        markers.setdefault(spec.j[e], e)
    scale = _latent_scales(spec, cov, markers)
    for e in range(size):
        kind, i, j = spec.kind[e], spec.i[e], spec.j[e]
        if kind == PATH and spec.rows[e].term.op == "=~":
            marker = spec.i[markers[j]] if j in markers else i
            sign = np.where(cov[:, i, marker] < 0, -1.0, 1.0) if i < p else 1.0
            spread = np.sqrt(cov[:, i, i] / 2) if i < p else scale[:, i]
            guess[:, e] = sign * spread / scale[:, j]
        elif kind == COVARIANCE and i == j:
            measured = i < p and i in set(spec.i[(spec.kind == PATH) & (spec.j >= p)])
            guess[:, e] = (cov[:, i, i] * (0.5 if measured else 1.0)) if i < p else scale[:, i] ** 2
        elif (
            kind == COVARIANCE
            and i < p
            and j < p
            and not spec.fixed_x
            and spec.observed[i] in spec.variables.covariates
        ):
            guess[:, e] = cov[:, i, j]
        elif kind == MEAN and i < p:
            guess[:, e] = mean[:, i]
    guess = np.where(np.isnan(spec.start), guess, spec.start)
    theta, count = np.zeros(spec.n_theta), np.zeros(spec.n_theta)
    free = spec.free >= 0
    np.add.at(theta, spec.free[free], guess[free])
    np.add.at(count, spec.free[free], 1.0)
    return spec.basis.T @ (theta / np.maximum(count, 1.0) - spec.shift) if spec.n_theta else np.zeros(0)


def _latent_scales(spec: Spec, cov: np.ndarray, markers: dict[int, int]) -> np.ndarray:
    """A first guess of each variable's standard deviation (G, m), latents from their marker and loading."""
    m, p = len(spec.names), len(spec.observed)
    scale = np.ones((len(cov), m))
    scale[:, :p] = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    for latent, e in markers.items():
        fixed = spec.value[:, e]
        usable = ~np.isnan(fixed) & (fixed != 0)
        spread = np.sqrt(cov[:, spec.i[e], spec.i[e]] / 2)
        scale[:, latent] = np.where(usable, spread / np.abs(np.where(usable, fixed, 1.0)), 1.0)
    return scale
