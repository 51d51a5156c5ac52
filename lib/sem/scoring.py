"""Fisher scoring with step halving, finished by BFGS where scoring is slow; many independent problems at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-10
"""A problem has converged when n times the predicted gain is below this: 1e-5 standard errors from the optimum."""

SCORING_STEPS = 25
"""Scoring takes a problem to its neighbourhood in about four steps; with weak indicators BFGS is faster."""

NEAR = 1.0
"""Once n times the predicted gain is below this, BFGS needs fewer steps than scoring, and no new information."""


@dataclass(frozen=True)
class Optimum:
    """Where scoring stopped: ``tau`` (B, r), ``objective`` (B,), ``information`` (B, r, r), ``converged`` (B,)."""

    tau: np.ndarray
    objective: np.ndarray
    information: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray


MEMORY = 40
"""Steps that BFGS keeps; it seldom needs half of them."""

Evaluate = Callable[[np.ndarray, np.ndarray, bool], tuple[np.ndarray, np.ndarray, np.ndarray | None]]
Slope = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def maximise(
    evaluate: Evaluate, start: np.ndarray, n: np.ndarray, *, tolerance: float = TOLERANCE
) -> Optimum:
    """Minimise an objective per case by Fisher scoring.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(tau (b, r), which (b,), information) -> objective (b,), gradient (b, r), information (b, r, r)``
        for the problems numbered ``which``; the last is None unless the flag ``information`` is set.
    start : ndarray (B, r)
    n : ndarray (B,)
        Cases of each problem; sets the scale of the tolerance.
    """
    count, size = start.shape
    tau, best = start.copy(), np.full(count, np.inf)
    anchor, step, length = start.copy(), np.zeros_like(start), np.ones(count)
    info = np.broadcast_to(np.eye(size), (count, size, size)).copy()
    converged, near, iterations = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, int)
    active = np.arange(count)
    for _ in range(SCORING_STEPS):
        objective, gradient, information = evaluate(tau[active], active, True)
        iterations[active] += 1
        worse = ~(objective <= best[active] + 1e-11 * (1 + np.abs(best[active])))
        up = active[worse]
        length[up] *= 0.5
        tau[up] = anchor[up] + length[up, None] * step[up]
        better = active[~worse]
        if len(better):
            best[better], info[better] = objective[~worse], information[~worse]
            move = -solve(information[~worse], gradient[~worse])
            gain = -(move * gradient[~worse]).sum(1)
            done = np.abs(gain) * n[better] < tolerance
            converged[better[done]] = True
            near[better] = np.abs(gain) * n[better] < NEAR
            anchor[better], step[better], length[better] = tau[better], move, 1.0
            tau[better[~done]] += move[~done]
        active = active[~converged[active] & ~near[active] & (length[active] > 1e-7)]
        if not len(active):
            break
    tau[~converged] = anchor[~converged]
    _finish(evaluate, np.flatnonzero(~converged), n, tolerance, tau, best, info, converged)
    return Optimum(tau, best, info, converged, iterations)


def _finish(
    evaluate: Evaluate,
    late: np.ndarray,
    n: np.ndarray,
    tolerance: float,
    tau: np.ndarray,
    best: np.ndarray,
    info: np.ndarray,
    converged: np.ndarray,
) -> None:
    """Take the problems ``late`` to their optimum by BFGS, in place."""
    late = late[np.isfinite(best[late])]
    if not len(late):
        return
    found, reached = descend(
        lambda at, which: evaluate(at, late[which], False)[:2],
        tau[late], _invert(info[late]), n[late], tolerance=tolerance,
    )  # fmt: skip
    tau[late], converged[late] = found, reached
    best[late], _, info[late] = evaluate(found, late, True)


def _invert(information: np.ndarray) -> np.ndarray:
    """Stacked inverses; of singular matrices the pseudo-inverse."""
    root = np.sqrt(np.maximum(np.diagonal(information, axis1=-2, axis2=-1), 1e-30))
    scale = root[:, :, None] * root[:, None, :]
    try:
        ends = np.diagonal(np.linalg.cholesky(information / scale), axis1=-2, axis2=-1)
        if ends.min(initial=1.0) > 1e-4:
            return np.linalg.inv(information / scale) / scale
    except np.linalg.LinAlgError:
        pass
    return np.linalg.pinv(information, rcond=1e-10, hermitian=True)


def solve(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Solve stacked systems; where one is singular, take the shortest solution in the scale of its diagonal."""
    scale = np.sqrt(np.maximum(np.diagonal(information, axis1=-2, axis2=-1), 1e-30))
    try:
        root = np.linalg.cholesky(information / (scale[:, :, None] * scale[:, None, :]))
        if (np.diagonal(root, axis1=-2, axis2=-1).min(initial=1.0)) > 1e-6:
            return np.linalg.solve(information, gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:
        pass
    scaled = information / (scale[:, :, None] * scale[:, None, :])
    inverse = np.linalg.pinv(scaled, rcond=1e-10, hermitian=True)
    return (inverse @ (gradient / scale)[..., None])[..., 0] / scale


def descend(
    slope: Slope,
    start: np.ndarray,
    inverse: np.ndarray,
    n: np.ndarray,
    *,
    tolerance: float,
    max_iterations: int = 300,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from gradients alone (BFGS with step halving), for many independent problems at once.

    Parameters
    ----------
    slope : callable
        ``slope(tau (b, r), which (b,)) -> objective (b,), gradient (b, r)`` per case.
    start : ndarray (B, r)
    inverse : ndarray (r, r) or (B, r, r)
        First guess of the inverse Hessian, such as the inverse information of the full sample.
    n : ndarray (B,)

    Returns
    -------
    tau : ndarray (B, r)
    converged : ndarray (B,)
    """
    tau, active = start.copy(), np.arange(len(start))
    memory: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    objective, gradient = slope(tau, active)
    move, length = _direction(inverse, gradient, memory, active), np.ones(len(start))
    converged = np.abs((move * gradient).sum(1)) * n < tolerance
    for _ in range(max_iterations):
        active = active[~converged[active] & (length[active] > 1e-6)]
        if not len(active):
            break
        step = length[active, None] * move[active]
        value, turned = slope(tau[active] + step, active)
        good = value <= objective[active] + 1e-12 * (1 + np.abs(objective[active]))
        length[active[~good]] *= 0.5
        done, step = active[good], step[good]
        _remember(memory, len(start), done, step, turned[good] - gradient[done])
        tau[done] += step
        objective[done], gradient[done], length[done] = value[good], turned[good], 1.0
        move[done] = _direction(inverse, gradient[done], memory, done)
        converged[done] = np.abs((move[done] * gradient[done]).sum(1)) * n[done] < tolerance
    return tau, converged


def _remember(memory: list, count: int, which: np.ndarray, step: np.ndarray, change: np.ndarray) -> None:
    """Add the steps of the problems ``which``; steps without positive curvature teach nothing."""
    curve = (step * change).sum(1)
    use = curve > 1e-18
    steps, changes = np.zeros((count, step.shape[1])), np.zeros((count, step.shape[1]))
    weights = np.zeros(count)
    steps[which[use]], changes[which[use]], weights[which[use]] = step[use], change[use], 1 / curve[use]
    memory.append((steps, changes, weights))
    del memory[:-MEMORY]


def _direction(inverse: np.ndarray, gradient: np.ndarray, memory: list, which: np.ndarray) -> np.ndarray:
    """Minus the BFGS inverse Hessian times the gradient, by the two-loop recursion (Nocedal, 1980)."""
    rest, sizes = gradient.copy(), []
    for steps, changes, weights in reversed(memory):
        size = weights[which] * (steps[which] * rest).sum(1)
        rest -= size[:, None] * changes[which]
        sizes.append(size)
    out = rest @ inverse if inverse.ndim == 2 else (inverse[which] @ rest[..., None])[..., 0]
    for (steps, changes, weights), size in zip(memory, reversed(sizes), strict=True):
        back = weights[which] * (changes[which] * out).sum(1)
        out += (size - back)[:, None] * steps[which]
    return -out
