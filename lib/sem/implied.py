"""Model-implied moments and how they change with the parameters.

With E = (I - A)^-1 (reticular action model), the covariance of all variables is V = E P E' and their mean is
E a. Each parameter moves the implied covariance by u v' + v u' and the implied mean by c u, where u is a column
of E and v a column of V or E; every derivative, gradient and information matrix below rests on that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec


@dataclass(frozen=True)
class Implied:
    """Implied moments of B problems with G groups, m variables of which p are observed.

    ``spread`` is E (B, G, m, m), ``full`` is V (B, G, m, m), ``centre`` is E a (B, G, m); ``cov`` and ``mean``
    are those of the observed variables.
    """

    spread: np.ndarray
    full: np.ndarray
    centre: np.ndarray
    cov: np.ndarray
    mean: np.ndarray

    def of_group(self, g: int) -> Implied:
        """The moments of one group, as (B, 1, ...)."""
        parts = (self.spread, self.full, self.centre, self.cov, self.mean)
        return Implied(*(part[:, g : g + 1] for part in parts))


@dataclass(frozen=True)
class Layout:
    """The free parameters of a spec, arranged for the kernels.

    ``rows`` (f,) are the rows free in some group; ``kind, i, j`` (f,) their places; ``half`` is .5 for variances;
    ``jacobian`` (G, f, r) holds the derivatives of the row values with respect to tau.
    """

    rows: np.ndarray
    kind: np.ndarray
    i: np.ndarray
    j: np.ndarray
    half: np.ndarray
    jacobian: np.ndarray
    order: np.ndarray | None

    def to_tau(self, by_row: np.ndarray, g: int) -> np.ndarray:
        """Derivatives with respect to tau (..., r) from those with respect to the row values of group g (..., f)."""
        return by_row @ self.jacobian[g] if self.order is None else by_row[..., self.order]


def lay_out(spec: Spec) -> Layout:
    """Arrange the free parameters of a spec."""
    rows = np.flatnonzero((spec.free >= 0).any(0))
    kind, i, j = spec.kind[rows], spec.i[rows], spec.j[rows]
    half = np.where(kind == COVARIANCE, np.where(i == j, 0.5, 1.0), np.where(kind == PATH, 1.0, 0.0))
    padded = np.vstack([spec.basis, np.zeros(spec.n_free)])
    jacobian = padded[spec.free[:, rows]]
    plain = len(spec.groups) == 1 and len(rows) == spec.n_free and spec.plain
    order = np.argsort(spec.free[0, rows]) if plain else None
    return Layout(rows, kind, i, j, half, jacobian, order)


def imply(spec: Spec, tau: np.ndarray, value: np.ndarray) -> Implied:
    """Implied moments at given parameters.

    Parameters
    ----------
    spec : Spec
    tau : ndarray (B, r)
        Free parameters, real or complex.
    value : ndarray (G, e) or (B, G, e)
        Fixed values.
    """
    return imply_rows(spec, row_values(spec, tau, value))


def row_values(spec: Spec, tau: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Values of all parameters (B, G, e), free and fixed."""
    theta = spec.shift + (tau if spec.plain else tau @ spec.basis.T)
    padded = np.concatenate([theta, np.zeros((len(theta), 1), theta.dtype)], axis=1)
    return np.where(spec.free >= 0, padded[:, spec.free], value)


def imply_rows(spec: Spec, values: np.ndarray) -> Implied:
    """Implied moments from the values of all parameters (B, G, e)."""
    m, p = len(spec.names), len(spec.observed)
    lead = values.shape[:2]
    paths, covs = np.zeros((*lead, m, m), values.dtype), np.zeros((*lead, m, m), values.dtype)
    intercepts = np.zeros((*lead, m), values.dtype)
    path, cov, mean = spec.places
    paths[:, :, spec.i[path], spec.j[path]] = values[:, :, path]
    covs[:, :, spec.i[cov], spec.j[cov]] = values[:, :, cov]
    covs[:, :, spec.j[cov], spec.i[cov]] = values[:, :, cov]
    intercepts[:, :, spec.i[mean]] = values[:, :, mean]
    spread = _resolve(paths, *spec.moved)
    full = spread @ covs @ spread.swapaxes(-1, -2)
    centre = (spread @ intercepts[..., None])[..., 0]
    return Implied(spread, full, centre, full[..., :p, :p], centre[..., :p])


def _resolve(paths: np.ndarray, moved: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(I - A)^-1; only the variables ``moved`` by others need a matrix inverse."""
    inner = np.linalg.inv(np.eye(len(moved)) - paths[..., moved[:, None], moved])
    spread = np.zeros(paths.shape, paths.dtype)
    spread[..., rest, rest] = 1.0
    spread[..., moved[:, None], moved] = inner
    spread[..., moved[:, None], rest] = inner @ paths[..., moved[:, None], rest]
    return spread


def moment_jacobian(layout: Layout, implied: Implied) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the implied moments of one problem with respect to the row values.

    Returns
    -------
    d_cov : ndarray (G, f, p, p)
    d_mean : ndarray (G, f, p)
    """
    p = implied.cov.shape[-1]
    left = implied.spread[0, :, :p]
    right = np.where(
        (layout.kind == PATH)[:, None],
        implied.full[0][:, :p, layout.j].swapaxes(1, 2),
        left[:, :, layout.j].swapaxes(1, 2),
    )
    u = left[:, :, layout.i].swapaxes(1, 2)
    outer = u[:, :, :, None] * (layout.half[:, None] * right)[:, :, None, :]
    return outer + outer.swapaxes(-1, -2), u * _mean_factor(layout, implied.centre[0])[:, :, None]


def variances(spec: Spec, values: np.ndarray) -> np.ndarray:
    """Implied variances (B, G, m) of all variables from the values of all parameters (B, G, e).

    Imaginary parts of the values must be complex steps: the variances are taken to be linear in them.
    """
    base = values.real
    if values.dtype.kind != "c":
        return np.diagonal(imply_rows(spec, base).full, axis1=-2, axis2=-1)
    shared = bool((base == base[:1]).all())
    variance, slope = variance_slopes(spec, base[:1] if shared else base)
    if shared:
        step = (slope[0] @ values.imag.transpose(1, 2, 0)).transpose(2, 0, 1)
    else:
        step = (slope @ values.imag[..., None])[..., 0]
    return variance + 1j * step


def variance_slopes(spec: Spec, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Implied variances (B, G, m) of all variables, and their derivatives by all parameters (B, G, m, e)."""
    implied = imply_rows(spec, values)
    right = np.where(spec.kind == PATH, implied.full[..., spec.j], implied.spread[..., spec.j])
    half = np.where(
        spec.kind == MEAN, 0.0, np.where((spec.kind == COVARIANCE) & (spec.i == spec.j), 0.5, 1.0)
    )
    slope = 2 * half * implied.spread[..., spec.i] * right
    return np.diagonal(implied.full, axis1=-2, axis2=-1), slope


def row_gradient(
    layout: Layout, implied: Implied, slope_cov: np.ndarray, slope_mean: np.ndarray
) -> np.ndarray:
    """Gradient (B, G, f) of an objective from its slopes with respect to the implied moments.

    ``slope_cov`` (B, G, p, p) is symmetric and holds the derivative as in trace(slope_cov @ dCov).
    """
    p = implied.cov.shape[-1]
    left = implied.spread[:, :, :p]
    weighted = left.swapaxes(-1, -2) @ slope_cov
    path = (weighted @ implied.full[:, :, :p])[..., layout.i, layout.j]
    variance = (weighted @ left)[..., layout.i, layout.j]
    by_cov = 2 * layout.half * np.where(layout.kind == PATH, path, variance)
    by_mean = (slope_mean[..., None, :] @ left)[..., 0, :]
    return by_cov + by_mean[..., layout.i] * _mean_factor(layout, implied.centre)


def row_curvature(
    layout: Layout, implied: Implied, slope_cov: np.ndarray, slope_mean: np.ndarray
) -> np.ndarray:
    """Second derivatives (G, f, f) of trace(slope_cov @ Cov) + slope_mean @ mean, slopes held constant.

    The part of the Hessian that does not vanish when the implied moments bend with the parameters (one problem).
    """
    p = implied.cov.shape[-1]
    spread, full, centre = implied.spread[0], implied.full[0], implied.centre[0]
    left, right = spread[:, :p], full[:, :p]
    ss = left.swapaxes(1, 2) @ slope_cov @ left
    sv = left.swapaxes(1, 2) @ slope_cov @ right
    sm = (slope_mean[:, None, :] @ left)[:, 0]
    path, cov, mean = (layout.kind == k for k in (PATH, COVARIANCE, MEAN))
    a, b = layout.i[path], layout.j[path]
    out = np.zeros((len(spread), len(layout.rows), len(layout.rows)))
    one = spread[:, b[:, None], a].swapaxes(1, 2) * sv[:, a[:, None], b].swapaxes(1, 2)
    # one[k, l] = E[j_l, i_k] (E'SV)[i_l, j_k]: how the column u of row k moves with row l
    two = full[:, b[:, None], b] * ss[:, a[:, None], a]
    three = centre[:, b][:, None, :] * sm[:, a][:, :, None] * spread[:, b[:, None], a]
    block = 2 * (one + one.swapaxes(1, 2) + two) + three + three.swapaxes(1, 2)
    out[np.ix_(range(len(spread)), path, path)] = block
    c, d = layout.i[cov], layout.j[cov]
    mixed = ss[:, a[:, None], c] * spread[:, b[:, None], d] + ss[:, a[:, None], d] * spread[:, b[:, None], c]
    mixed = 2 * mixed * layout.half[cov]
    out[np.ix_(range(len(spread)), path, cov)] = mixed
    out[np.ix_(range(len(spread)), cov, path)] = mixed.swapaxes(1, 2)
    shift = sm[:, a][:, :, None] * spread[:, b[:, None], layout.i[mean]]
    out[np.ix_(range(len(spread)), path, mean)] = shift
    out[np.ix_(range(len(spread)), mean, path)] = shift.swapaxes(1, 2)
    return out


def _mean_factor(layout: Layout, centre: np.ndarray) -> np.ndarray:
    """c in d mean = c u: the mean of the predictor for a path, 1 for an intercept, else 0."""
    return np.where(layout.kind == PATH, centre[..., layout.j], (layout.kind == MEAN) * 1.0)
