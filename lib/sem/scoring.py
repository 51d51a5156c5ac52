"""Fisher scoring with step halving, for many independent problems at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-13
"""A problem has converged when n times the predicted gain is below this: 3e-7 standard errors from the optimum."""


@dataclass(frozen=True)
class Optimum:
    """Where scoring stopped: ``tau`` (B, r), ``objective`` (B,), ``information`` (B, r, r), ``converged`` (B,)."""

    tau: np.ndarray
    objective: np.ndarray
    information: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray


Evaluate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def maximise(
    evaluate: Evaluate,
    start: np.ndarray,
    n: np.ndarray,
    *,
    max_iterations: int = 200,
    tolerance: float = TOLERANCE,
) -> Optimum:
    """Minimise an objective per case by Fisher scoring.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(tau (b, r), which (b,)) -> objective (b,), gradient (b, r), information (b, r, r)`` for the
        problems numbered ``which``.
    start : ndarray (B, r)
    n : ndarray (B,)
        Cases of each problem; sets the scale of the tolerance.
    """
    count, size = start.shape
    tau, best = start.copy(), np.full(count, np.inf)
    anchor, step, length = start.copy(), np.zeros_like(start), np.ones(count)
    info = np.broadcast_to(np.eye(size), (count, size, size)).copy()
    converged, iterations = np.zeros(count, bool), np.zeros(count, int)
    active = np.arange(count)
    for _ in range(max_iterations):
        objective, gradient, information = evaluate(tau[active], active)
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
            anchor[better], step[better], length[better] = tau[better], move, 1.0
            tau[better[~done]] += move[~done]
        active = active[~converged[active] & (length[active] > 1e-7)]
        if not len(active):
            break
    tau[~converged] = anchor[~converged]
    return Optimum(tau, best, info, converged, iterations)


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
