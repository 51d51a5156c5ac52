"""Equality constraints among labels (``==``), solved so that they hold by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lib.errors import ModelError
from lib.sem.expressions import Expression
from lib.sem.spec import Spec


def constrain(spec: Spec, constraints: Sequence[tuple[Expression, Expression]]) -> Spec:
    """Impose linear constraints among labels: equal labels become one parameter, others restrict the basis."""
    if not constraints:
        return spec
    for left_side, right_side in constraints:
        slope, right = _linear(left_side, right_side, spec.labels())
        places = [place for place, weight in slope.items() if weight]
        if len(places) == 2 and sum(slope.values()) == 0 and right == 0:
            free = np.where(spec.free == max(places), min(places), spec.free)
            spec = replace(spec, free=free)
    kept, free = np.unique(spec.free[spec.free >= 0]), spec.free.copy()
    free[free >= 0] = np.searchsorted(kept, free[free >= 0])
    spec = replace(spec, free=free, basis=np.eye(len(kept)), shift=np.zeros(len(kept)))
    rows = [_linear(left_side, right_side, spec.labels()) for left_side, right_side in constraints]
    rows = [(slope, right) for slope, right in rows if any(slope.values()) or right]
    if not rows:
        return spec
    matrix, right = np.zeros((len(rows), spec.n_theta)), np.array([right for _, right in rows])
    for row, (slope, _) in enumerate(rows):
        for place, weight in slope.items():
            matrix[row, place] = weight
    _, size, directions = np.linalg.svd(matrix)
    shift = np.linalg.pinv(matrix) @ right
    if not np.allclose(matrix @ shift, right):
        raise ModelError("the == constraints contradict each other; remove one")
    return replace(spec, basis=directions[int((size > 1e-10).sum()) :].T, shift=shift)


def _linear(
    left_side: Expression, right_side: Expression, labels: dict[str, tuple[int, float]]
) -> tuple[dict[int, float], float]:
    """A constraint as weights of parameters and their required sum."""
    text = f"{left_side.text} == {right_side.text}"
    names = dict.fromkeys(left_side.names() + right_side.names())
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise ModelError(f"the constraint {text} uses '{unknown[0]}', which labels no parameter")

    def gap(at: dict[str, float]) -> float:
        return float(left_side.evaluate(at) - right_side.evaluate(at))

    zero = dict.fromkeys(names, 0.0)
    slope = {name: gap({**zero, name: 1.0}) - gap(zero) for name in names}
    probe = {name: 0.7 + 0.31 * k for k, name in enumerate(names)}
    if not abs(gap(probe) - gap(zero) - sum(slope[name] * probe[name] for name in names)) < 1e-9:
        raise ModelError(f"the constraint {text} is not linear; only linear constraints are supported")
    weights: dict[int, float] = {}
    right = -gap(zero)
    for name in names:
        place, fixed = labels[name]
        if place >= 0:
            weights[place] = weights.get(place, 0.0) + slope[name]
        else:
            right -= slope[name] * fixed
    return weights, right
