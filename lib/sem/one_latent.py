"""One latent variable, its indicators and what it leads to, given covariates, for many groups at once.

x = lambda f + e with uncorrelated e, f = gamma'z + zeta, u = A f + delta'z + eps with cov(eps) free; z are fixed
covariates. Paths among the u are another way to write cov(eps). Given z, the slopes of u are saturated, so that only
three matrices matter: R, the covariance of (x, u) given z; T, the part of x with z left in; and K, the covariance of x
given z and u. With h = lambda / theta and q = lambda'h all but h and theta can be solved for, and what is minimised is

    sum(log theta + T_ii / theta) - log q - h'T h / q + log h'K h,

as Joreskog (1969, Psychometrika 34, 183-202) concentrated the factor likelihood; Newton's method takes a few steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

STEPS = 60
TOLERANCE = 1e-12
"""Newton stops when n times the predicted gain is below this, and still takes that step."""


@dataclass(frozen=True)
class Given:
    """Moments of B groups given covariates: x are the first of the v variables.

    Attributes
    ----------
    left : ndarray (B, v, v)
        R, the covariance of the variables given covariates.
    slope : ndarray (B, c, v)
        Of the variables on the covariates.
    spread : ndarray (B, c, c)
        Covariance of the covariates.
    """

    left: np.ndarray
    slope: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, cov: np.ndarray, v: int) -> Given:
        """The moments of covariance matrices (B, p, p) whose first ``v`` variables are not covariates."""
        across, spread = cov[:, v:, :v], cov[:, v:, v:]
        slope = np.linalg.solve(spread, across)
        return cls(cov[:, :v, :v] - across.swapaxes(1, 2) @ slope, slope, spread)

    def measured(self, x: int) -> tuple[np.ndarray, np.ndarray]:
        """T and K of the ``x`` indicators."""
        slope, beside = self.slope[:, :, :x], self.left[:, :x, x:]
        total = self.left[:, :x, :x] + slope.swapaxes(1, 2) @ self.spread @ slope
        inner = np.linalg.solve(self.left[:, x:, x:], beside.swapaxes(1, 2))
        return total, self.left[:, :x, :x] - beside @ inner


@dataclass(frozen=True)
class Latent:
    """Estimates of B groups, the first loading 1; ``u`` counts the outcomes, ``x`` the indicators.

    Attributes
    ----------
    loading, unique : ndarray (B, x)
        lambda and theta.
    disturbance : ndarray (B,)
        Variance of zeta.
    from_z : ndarray (B, c)
        gamma.
    path : ndarray (B, u)
        A: what goes from f to each outcome, by whatever way.
    rest : ndarray (B, u, u)
        cov(eps).
    slope : ndarray (B, c, u)
        Of outcomes on covariates, f not held constant.
    spread : ndarray (B, c, c)
    converged : ndarray (B,) of bool
    """

    loading: np.ndarray
    unique: np.ndarray
    disturbance: np.ndarray
    from_z: np.ndarray
    path: np.ndarray
    rest: np.ndarray
    slope: np.ndarray
    spread: np.ndarray
    converged: np.ndarray

    def told(self) -> np.ndarray:
        """Covariance of (x, u) given covariates that the model implies (B, v, v)."""
        weight = np.concatenate([self.loading, self.path], axis=1)
        cov = self.disturbance[:, None, None] * weight[:, :, None] * weight[:, None, :]
        x = self.loading.shape[1]
        cov[:, range(x), range(x)] += self.unique
        cov[:, x:, x:] += self.rest
        return cov

    def slopes(self) -> np.ndarray:
        """Slopes of (x, u) on covariates that the model implies (B, c, v)."""
        return np.concatenate([self.from_z[:, :, None] * self.loading[:, None, :], self.slope], axis=2)

    def proper(self) -> np.ndarray:
        """Whether every variance is one (B,)."""
        sizes = np.linalg.eigvalsh(np.where(np.isfinite(self.rest), self.rest, -1.0))[:, 0]
        return (self.unique >= 0).all(1) & (self.disturbance >= 0) & (sizes >= 0)

    def take(self, which: np.ndarray) -> Latent:
        """Some of the groups."""
        return replace(self, **{name: value[which] for name, value in vars(self).items()})


def start(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """h and theta to begin with: half of an indicator's variance is its latent's (T as of ``Given.measured``)."""
    half = np.diagonal(total, axis1=1, axis2=2) / 2
    return np.where(total[:, 0] < 0, -1.0, 1.0) / np.sqrt(half), half.copy()


def estimate(
    given: Given,
    begin: tuple[np.ndarray, np.ndarray],
    n: np.ndarray,
    *,
    loading: np.ndarray | None = None,
) -> Latent:
    """Maximum likelihood estimates.

    Parameters
    ----------
    given : Given
    begin : ndarray (B, x), ndarray (B, x)
        h and theta to begin with.
    n : ndarray (B,)
        Sizes of the groups, which set the scale of the tolerance.
    loading : ndarray (x,), optional
        Loadings that are held.
    """
    x = begin[0].shape[1]
    total, kept = given.measured(x)
    h, theta, converged = _newton(total, kept, *begin, n, loading)
    left, slope = given.left, given.slope
    unit = 1.0 if loading is not None else (theta * h)[:, :1]
    h = h / unit
    weight = theta * h
    q = (weight * h).sum(1)
    spread = np.einsum("bi,bij,bj->b", h, left[:, :x, :x], h)
    disturbance = (spread / q - 1) / q
    share = (disturbance * q / spread)[:, None] * h
    across = (left[:, x:, :x] @ share[:, :, None])[:, :, 0]
    path = across / (share[:, None] @ left[:, :x, :x] @ share[:, :, None])[:, 0]
    from_z = (slope[:, :, :x] @ h[:, :, None])[:, :, 0] / q[:, None]
    beyond = slope[:, :, :x] - from_z[:, :, None] * weight[:, None, :]
    both = path[:, :, None] * path[:, None, :]
    known = (across[:, :, None] * path[:, None, :]) + both * (disturbance * q / spread)[:, None, None]
    return Latent(
        weight, theta, disturbance, from_z, path, left[:, x:, x:] - known,
        slope[:, :, x:] - (beyond @ share[:, :, None]) * path[:, None, :], given.spread, converged,
    )  # fmt: skip


def _newton(total, kept, h, theta, n, loading):
    """h (B, x), theta (B, x) at the minimum, and whether it was reached."""
    h, theta, active = h.copy(), theta.copy(), np.arange(len(h))
    converged = np.zeros(len(h), bool)
    for _ in range(STEPS):
        if not len(active):
            break
        at, t = (total[active], kept[active]), theta[active]
        value, slope, curve = _derivatives(*at, h[active], t, loading)
        move = -_solve(curve, slope)
        gain = -(move * slope).sum(1)
        length = np.ones(len(active))
        for _ in range(12):
            step = length[:, None] * move
            new_h, new_t = _moved(h[active], t, step, loading)
            worse = ~(_objective(*at, new_h, new_t) <= value + 1e-12 * (1 + np.abs(value)))
            if not worse.any():
                break
            length[worse] /= 4
        fine = ~worse
        h[active[fine]], theta[active[fine]] = new_h[fine], new_t[fine]
        done = fine & (np.abs(gain) * n[active] < TOLERANCE)
        converged[active[done]] = True
        active = active[fine & ~done]
    return h, theta, converged


def _moved(h, theta, step, loading):
    x = h.shape[1]
    if loading is not None:
        return loading / (theta + step), theta + step
    return h + step[:, :x], theta + step[:, x:]


def _objective(total, kept, h, theta):
    q = (theta * h * h).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (np.log(theta) + np.diagonal(total, axis1=1, axis2=2) / theta).sum(1)
        inner = np.einsum("bi,bij,bj->b", h, total, h)
        value += np.log(np.einsum("bi,bij,bj->b", h, kept, h)) - np.log(q) - inner / q
    return np.where(np.isfinite(value) & (theta > 0).all(1), value, np.inf)


def _derivatives(total, kept, h, theta, loading):
    """Objective (B,), gradient and Hessian, in (h, theta) or, with loadings held, in theta."""
    x, own = h.shape[1], np.diagonal(total, axis1=1, axis2=2)
    places = np.arange(x)
    total_h, kept_h = (total @ h[:, :, None])[:, :, 0], (kept @ h[:, :, None])[:, :, 0]
    q, inner, outer = (theta * h * h).sum(1), (h * total_h).sum(1), (h * kept_h).sum(1)
    by_q, by_inner, by_outer = -1 / q + inner / q**2, -1 / q, 1 / outer
    q_h, q_t = 2 * theta * h, h * h
    slope_h = by_q[:, None] * q_h + by_inner[:, None] * 2 * total_h + by_outer[:, None] * 2 * kept_h
    slope_t = by_q[:, None] * q_t + 1 / theta - own / theta**2
    by_qq = 1 / q**2 - 2 * inner / q**3
    turn = q_h / q[:, None] ** 2
    curve = np.empty((len(h), 2 * x, 2 * x))
    mixed = turn[:, :, None] * (2 * total_h)[:, None, :]
    curve[:, :x, :x] = (
        2 * by_inner[:, None, None] * total + 2 * by_outer[:, None, None] * kept
        + by_qq[:, None, None] * q_h[:, :, None] * q_h[:, None, :] + mixed + mixed.swapaxes(1, 2)
        - (4 * by_outer**2)[:, None, None] * kept_h[:, :, None] * kept_h[:, None, :]
    )  # fmt: skip
    curve[:, places, places] += 2 * by_q[:, None] * theta
    across = (by_qq[:, None] * q_h + 2 * total_h / q[:, None] ** 2)[:, :, None] * q_t[:, None, :]
    across[:, places, places] += 2 * by_q[:, None] * h
    curve[:, :x, x:], curve[:, x:, :x] = across, across.swapaxes(1, 2)
    curve[:, x:, x:] = by_qq[:, None, None] * q_t[:, :, None] * q_t[:, None, :]
    curve[:, x + places, x + places] += 2 * own / theta**3 - 1 / theta**2
    value = _objective(total, kept, h, theta)
    if loading is None:  # the scale of h is free
        length = (h * h).sum(1)[:, None, None]
        curve[:, :x, :x] += h[:, :, None] * h[:, None, :] / length**2
        return value, np.concatenate([slope_h, slope_t], axis=1), curve
    turn = -h / theta
    half = turn[:, :, None] * across
    held = curve[:, x:, x:] + half + half.swapaxes(1, 2) + turn[:, :, None] * curve[:, :x, :x] * turn[:, None]
    held[:, places, places] += slope_h * 2 * h / theta**2
    return value, slope_t + turn * slope_h, held


def _solve(curve: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Newton's step; where the Hessian is not positive definite its eigenvalues are made so."""
    scale = np.sqrt(np.abs(np.diagonal(curve, axis1=1, axis2=2)) + 1e-300)
    scaled = curve / (scale[:, :, None] * scale[:, None, :])
    try:
        np.linalg.cholesky(scaled)
        return np.linalg.solve(scaled, (slope / scale)[:, :, None])[:, :, 0] / scale
    except np.linalg.LinAlgError:
        size, direction = np.linalg.eigh(scaled)
        turned = (direction.swapaxes(1, 2) @ (slope / scale)[:, :, None]) / np.maximum(np.abs(size), 1e-6)[
            :, :, None
        ]
        return (direction @ turned)[:, :, 0] / scale
