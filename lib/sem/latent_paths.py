"""Standardized paths of the models of `lib.sem.one_latent`, with standard errors by the delta method.

Standard errors rest on the expected information. Slopes on covariates enter in closed form: given z they are
independent of the rest but for the scale of gamma'z, and their own sampling error is added to that of the outcomes'
variances.
"""

from __future__ import annotations

import numpy as np

from lib.sem.one_latent import Latent

__all__ = ["path_vcov", "standardized", "unstandardized"]


def unstandardized(fit: Latent, n: np.ndarray, *, loadings_held: bool) -> tuple[np.ndarray, np.ndarray]:
    """Raw paths (B, 1) or (B, 2) and their covariance: from the latent, and from a mediator to the outcome."""
    vcov = path_vcov(fit, n, loadings_held=loadings_held)
    x, u = fit.loading.shape[1], fit.path.shape[1]
    if u == 1:
        return fit.path, vcov[:, x : x + 1, x : x + 1]
    b, by_b = _second_path(fit, vcov.shape[1], 2 * x + u)
    slope = np.stack([np.broadcast_to(_unit(vcov.shape[1], x), by_b.shape), by_b], axis=1)
    return np.stack([fit.path[:, 0], b], axis=1), slope @ vcov @ slope.swapaxes(1, 2)


def _second_path(fit: Latent, r: int, place: int) -> tuple[np.ndarray, np.ndarray]:
    """The path from the mediator to the outcome and its slope in the parameters, the first of cov(eps) at ``place``."""
    b = fit.rest[:, 1, 0] / fit.rest[:, 0, 0]
    slope = np.zeros((len(b), r))
    slope[:, place + 1], slope[:, place] = 1 / fit.rest[:, 0, 0], -b / fit.rest[:, 0, 0]
    return b, slope


def path_vcov(fit: Latent, n: np.ndarray, *, loadings_held: bool) -> np.ndarray:
    """Covariance of the estimates of lambda, A, theta, var(zeta), cov(eps) by its lower triangle, and gamma's scale.

    Parameters
    ----------
    fit : Latent
    n : ndarray (B,)
        Students whose answers count.
    loadings_held : bool
        Whether all loadings were held, not the first alone.

    Returns
    -------
    ndarray (B, r, r)
        Zero for what is held.
    """
    x, v = fit.loading.shape[1], fit.loading.shape[1] + fit.path.shape[1]
    weight = np.concatenate([fit.loading, fit.path], axis=1)
    inverse = np.linalg.inv(fit.told())
    turned = (inverse @ weight[:, :, None])[:, :, 0]
    inner, size = (weight * turned).sum(1), fit.disturbance
    row, column = np.tril_indices(v - x)
    one = np.concatenate([np.arange(x), x + row])
    two = np.concatenate([np.arange(x), x + column])
    twice = np.where(one == two, 1.0, 2.0)
    r = v + len(one) + 2
    info = np.zeros((len(inverse), r, r))
    path, variances, own, scale = slice(0, v), slice(v, v + len(one)), r - 2, r - 1
    info[:, path, path] = size[:, None, None] ** 2 * (
        inverse * inner[:, None, None] + turned[:, :, None] * turned[:, None, :]
    )
    half = inverse[:, :, one] * turned[:, None, two] + inverse[:, :, two] * turned[:, None, one]
    info[:, path, variances] = size[:, None, None] * half * twice / 2
    info[:, path, own] = size[:, None] * turned * inner[:, None]
    crossed = inverse[:, one][:, :, one] * inverse[:, two][:, :, two]
    crossed = crossed + inverse[:, one][:, :, two] * inverse[:, two][:, :, one]
    info[:, variances, variances] = crossed * twice[:, None] * twice / 4
    info[:, variances, own] = turned[:, one] * turned[:, two] * twice / 2
    info[:, own, own] = inner**2 / 2
    _add_means(info, fit, x, scale)
    for first, second in ((path, variances), (path, own), (variances, own)):
        block = info[:, first, second]
        info[:, second, first] = block.swapaxes(1, 2) if block.ndim == 3 else block
    held = np.zeros(r, bool)
    held[: x if loadings_held else 1] = True
    held = np.broadcast_to(held, (len(info), r)).copy()
    held[:, scale] = info[:, scale, scale] < 1e-12
    info[held] = 0.0
    info.swapaxes(1, 2)[held] = 0.0
    places = np.arange(r)
    info[:, places, places] += held
    vcov = np.linalg.inv(info)
    vcov[:, places, places] -= held
    return vcov / n[:, None, None]


def _add_means(info: np.ndarray, fit: Latent, x: int, scale: int) -> None:
    """What the slopes of indicators on covariates say of the loadings and of gamma's scale."""
    h = fit.loading / fit.unique
    g = 1 + fit.disturbance * (fit.loading * h).sum(1)
    inverse = -(fit.disturbance / g)[:, None, None] * h[:, :, None] * h[:, None, :]
    inverse[:, range(x), range(x)] += 1 / fit.unique
    size = np.einsum("bc,bcd,bd->b", fit.from_z, fit.spread, fit.from_z)
    turned = size[:, None] * h / g[:, None]
    info[:, :x, :x] += size[:, None, None] * inverse
    info[:, :x, scale], info[:, scale, :x] = turned, turned
    info[:, scale, scale] = (turned * fit.loading).sum(1)


def standardized(fit: Latent, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardized paths and their joint covariance (B, 1) and (B, 1, 1), or (B, 3) and (B, 3, 3).

    With one outcome the path from the latent. With two, the first a mediator: from the latent to the mediator (a),
    from the mediator to the outcome (b), and from the latent to the outcome beside it (direct).
    """
    x, u = fit.loading.shape[1], fit.path.shape[1]
    vcov = path_vcov(fit, n, loadings_held=False)
    r, v = vcov.shape[1], x + u
    row, column = np.tril_indices(u)
    place = {(a, b): v + x + k for k, (a, b) in enumerate(zip(row, column, strict=True))}
    size = np.einsum("bc,bcd,bd->b", fit.from_z, fit.spread, fit.from_z)
    shared = np.einsum("bc,bcd,bdu->bu", fit.from_z, fit.spread, fit.slope)
    explained = fit.slope.swapaxes(1, 2) @ fit.spread @ fit.slope
    latent = size + fit.disturbance
    variance = np.stack(
        [explained[:, k, k] + fit.path[:, k] ** 2 * fit.disturbance + fit.rest[:, k, k] for k in range(u)], 1
    )
    by_latent = np.zeros((len(vcov), r))
    by_latent[:, r - 2], by_latent[:, r - 1] = 1.0, 2 * size
    h = fit.loading / fit.unique
    q = (fit.loading * h).sum(1)
    pull = (fit.disturbance / (1 + fit.disturbance * q))[:, None] * fit.path
    by_variance = np.zeros((len(vcov), u, r))
    for k in range(u):
        by_variance[:, k, :x] = 2 * (pull[:, k] * shared[:, k])[:, None] * h
        by_variance[:, k, r - 1] = 2 * pull[:, k] * q * shared[:, k]
        by_variance[:, k, x + k] = 2 * fit.path[:, k] * fit.disturbance
        by_variance[:, k, r - 2] = fit.path[:, k] ** 2
        by_variance[:, k, place[k, k]] = 1.0
    noise = _noise(fit, explained, shared, size, pull, q) / n[:, None, None]
    log_latent, log_variance = by_latent / latent[:, None] / 2, by_variance / variance[:, :, None] / 2
    spread = np.sqrt(np.concatenate([latent[:, None], variance], axis=1))
    if u == 1:
        told = [(fit.path[:, 0], _unit(r, x), 0, 1)]
    else:
        b, by_b = _second_path(fit, r, v + x)
        direct = fit.path[:, 1] - b * fit.path[:, 0]
        by_direct = _unit(r, x + 1) - b[:, None] * _unit(r, x) - fit.path[:, :1] * by_b
        told = [(fit.path[:, 0], _unit(r, x), 0, 1), (b, by_b, 1, 2), (direct, by_direct, 0, 2)]
    logs = np.concatenate([log_latent[:, None], log_variance], axis=1)
    values, slopes, own = [], [], np.zeros((len(vcov), len(told), u))
    for k, (value, slope, source, target) in enumerate(told):
        ratio = spread[:, source] / spread[:, target]
        values.append(value * ratio)
        slopes.append(slope * ratio[:, None] + values[-1][:, None] * (logs[:, source] - logs[:, target]))
        for sign, at in ((1, source), (-1, target)):
            if at:
                own[:, k, at - 1] += sign * values[-1] / variance[:, at - 1] / 2
    slope = np.stack(slopes, axis=1)
    return np.stack(values, axis=1), slope @ vcov @ slope.swapaxes(1, 2) + own @ noise @ own.swapaxes(1, 2)


def _unit(r: int, place: int) -> np.ndarray:
    return (np.arange(r) == place).astype(float)[None]


def _noise(fit, explained, shared, size, pull, q) -> np.ndarray:
    """Covariance, times n, of what slopes on covariates add to the outcomes' variances."""
    g = 1 + fit.disturbance * q
    left = fit.path[:, :, None] * fit.path[:, None, :] * (fit.disturbance / g)[:, None, None] + fit.rest
    along = shared[:, :, None] * shared[:, None, :] / np.where(size > 1e-12, size, np.inf)[:, None, None]
    reach = pull * q[:, None]
    across = reach[:, :, None] * reach[:, None, :] * (g / q)[:, None, None] * (explained - along)
    return 4 * (left * explained + across)
