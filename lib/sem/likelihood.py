"""Normal-theory likelihood of complete data, many problems at once.

The objective is F = sum_g (n_g / n) / 2 [log|C_g| + tr(C_g^-1 R_g)], minus the log likelihood per case without
its constant; R_g = S_g + d d' with d the sample minus the implied mean. Its expected Hessian is the information
of one case (Jöreskog, 1969; Bollen, 1989, app. 4A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.sem.implied import Implied, Layout, _mean_factor, imply, row_gradient
from lib.sem.spec import PATH, Spec


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of B problems with G groups and p observed variables.

    ``n`` (B, G) cases; ``mean`` (B, G, p); ``cov`` (B, G, p, p) with divisor n; ``kept`` (B, G, p) is False where
    a covariate was dropped (its column then has mean 0, variance 1 and no covariances).
    """

    n: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    kept: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Each group's share of its problem's cases (B, G)."""
        return self.n / self.n.sum(1, keepdims=True)

    def take(self, which: np.ndarray) -> Moments:
        """The moments of some of the problems."""
        return Moments(self.n[which], self.mean[which], self.cov[which], self.kept[which])


def evaluate(
    spec: Spec,
    layout: Layout,
    tau: np.ndarray,
    value: np.ndarray,
    moments: Moments,
    *,
    information: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Objective, gradient and expected information.

    Parameters
    ----------
    spec, layout
        The model and its free parameters.
    tau : ndarray (B, r)
    value : ndarray (G, e) or (B, G, e)
        Fixed values, the covariates' moments filled in.
    moments : Moments
        Of the same B problems.
    information : bool
        Whether to compute the information.

    Returns
    -------
    objective : ndarray (B,)
        Infinite where an implied covariance matrix is not positive definite.
    gradient : ndarray (B, r)
    information : ndarray (B, r, r) or None
    """
    implied = imply(spec, tau, value)
    share = moments.share
    inverse, log_det, proper = invert(implied.cov)
    gap = moments.mean - implied.mean if spec.meanstructure else np.zeros_like(moments.mean)
    residual = moments.cov + gap[..., :, None] * gap[..., None, :]
    scaled = inverse @ residual
    objective = 0.5 * (share * (log_det + np.trace(scaled, axis1=-2, axis2=-1))).sum(1)
    slope_cov = 0.5 * (inverse - scaled @ inverse)
    slope_mean = -(inverse @ gap[..., None])[..., 0]
    by_row = share[..., None] * row_gradient(layout, implied, slope_cov, slope_mean)
    objective = np.where(proper.all(1), objective, np.inf)
    if layout.order is not None:
        gradient = by_row[:, 0][:, layout.order]
    else:
        gradient = np.einsum("bgf,gfr->br", by_row, layout.jacobian)
    if not information:
        return objective, gradient, None
    by_row = row_information(layout, implied, inverse, share)
    if layout.order is not None:
        return objective, gradient, by_row[:, 0][:, layout.order[:, None], layout.order]
    return objective, gradient, (layout.jacobian.swapaxes(-1, -2) @ by_row @ layout.jacobian).sum(1)


def invert(cov: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inverse, log determinant and positive definiteness of stacked symmetric matrices (..., p, p).

    Where a matrix is not positive definite its inverse is the identity and its log determinant 0.
    """
    try:
        root = np.linalg.cholesky(cov)
        proper = np.isfinite(root).all((-1, -2))
    except np.linalg.LinAlgError:
        finite = np.isfinite(cov).all((-1, -2))
        safe = np.where(finite[..., None, None], cov, np.eye(cov.shape[-1]))
        proper = finite & (np.linalg.eigvalsh(safe)[..., 0] > 0)
    if not proper.all():
        cov = np.where(proper[..., None, None], cov, np.eye(cov.shape[-1]))
        root = np.linalg.cholesky(cov)
    log_det = 2 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(-1)
    return np.linalg.inv(cov), log_det, proper


def row_information(layout: Layout, implied: Implied, inverse: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Expected Hessian with respect to the row values (B, G, f, f), each group's weighted by its share (B, G).

    It is u_k' C^-1 u_l v_k' C^-1 v_l + u_k' C^-1 v_l u_l' C^-1 v_k + c_k c_l u_k' C^-1 u_l. One group's moments
    may meet the ``inverse`` of several patterns (B, P, p, p); the result then is (B, P, f, f).
    """
    p, m = implied.cov.shape[-1], implied.full.shape[-1]
    both = np.concatenate([implied.spread[:, :, :p], implied.full[:, :, :p]], axis=-1)
    product = both.swapaxes(-1, -2) @ inverse @ both
    u, v = layout.i, layout.j + m * (layout.kind == PATH)
    uu, uv, vv = (product[..., a[:, None], b] for a, b in ((u, u), (u, v), (v, v)))
    factor = _mean_factor(layout, implied.centre)
    by_row = layout.half[:, None] * layout.half * (uu * vv + uv * uv.swapaxes(-1, -2))
    by_row += factor[..., :, None] * factor[..., None, :] * uu
    by_row *= share[..., None, None]
    return by_row
