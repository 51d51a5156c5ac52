"""A model's likelihood and information through moment space: incomplete data, observed information, scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.sem.implied import Implied, Layout, imply, moment_jacobian, row_curvature, row_gradient
from lib.sem.likelihood import row_information
from lib.sem.momentspace import (
    Evaluated,
    case_scores,
    evaluate_patterns,
    expected_information,
    observed_information,
    stack_moments,
)
from lib.sem.patterns import Patterns, shares
from lib.sem.spec import Spec

FEW_PATTERNS = 32
"""Up to here the information of all patterns costs less than the moments' own."""


def evaluate_groups(
    spec: Spec, layout: Layout, tau: np.ndarray, value: np.ndarray, groups: Sequence[Patterns]
) -> tuple[Implied, list[Evaluated]]:
    """Implied moments at tau (r,), and each group's likelihood there.

    A model without means lets each pattern have its own (complete data only).
    """
    implied = imply(spec, tau[None], value)
    means = [implied.mean[0, g] if spec.meanstructure else groups[g].mean[0] for g in range(len(groups))]
    return implied, [evaluate_patterns(groups[g], means[g], implied.cov[0, g]) for g in range(len(groups))]


def evaluate_fiml(
    spec: Spec,
    layout: Layout,
    tau: np.ndarray,
    value: np.ndarray,
    groups: Sequence[Patterns],
    *,
    information: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Objective (1,), gradient (1, r) and expected information (1, r, r) of one problem at tau (1, r)."""
    implied, at = evaluate_groups(spec, layout, tau[0], value, groups)
    share = shares(groups)
    objective = sum(share[g] * at[g].objective for g in range(len(at)))
    gradient = _gradient(layout, implied, at, share)
    if not information:
        return np.array([objective]), gradient[None], None
    return np.array([objective]), gradient[None], _expected(spec, layout, implied, at, share)[None]


def _expected(
    spec: Spec, layout: Layout, implied: Implied, at: Sequence[Evaluated], share: np.ndarray
) -> np.ndarray:
    """Expected information of one case (r, r): pattern by pattern where they are few, else through the moments."""
    if max(len(a.weight) for a in at) > FEW_PATTERNS:
        slope = moment_slopes(spec, layout, implied)
        return sum(share[g] * slope[g].T @ expected_information(at[g]) @ slope[g] for g in range(len(at)))
    out = np.zeros(2 * layout.jacobian.shape[-1:])
    for g, group in enumerate(at):
        weight = share[g] * group.weight
        by_row = row_information(layout, implied.of_group(g), group.inverse[None], weight[None])[0].sum(0)
        out += layout.to_tau(layout.to_tau(by_row, g).T, g)
    return out


def model_information(
    spec: Spec, layout: Layout, tau: np.ndarray, value: np.ndarray, groups: Sequence[Patterns], *, kind: str
) -> np.ndarray:
    """Information of one case (r, r) at tau (r,); ``kind`` is expected or observed (the Hessian)."""
    implied, at = evaluate_groups(spec, layout, tau, value, groups)
    share = shares(groups)
    if kind == "expected":
        return _expected(spec, layout, implied, at, share)
    slope = moment_slopes(spec, layout, implied)
    bend = row_curvature(layout, implied, np.array([a.slope_cov for a in at]), _mean_slopes(spec, at))
    out = np.zeros(2 * layout.jacobian.shape[-1:])
    for g, group in enumerate(at):
        out += share[g] * slope[g].T @ observed_information(group) @ slope[g]
        out += share[g] * layout.to_tau(layout.to_tau(bend[g], g).T, g)
    return out


def moment_slopes(spec: Spec, layout: Layout, implied: Implied) -> list[np.ndarray]:
    """Derivatives of each group's moment coordinates with respect to tau: G arrays (k, r)."""
    d_cov, d_mean = moment_jacobian(layout, implied)
    if not spec.meanstructure:
        d_mean = np.zeros_like(d_mean)
    by_row = stack_moments(d_mean, d_cov)
    return [layout.to_tau(by_row[g].T, g) for g in range(len(by_row))]


def model_scores(
    spec: Spec,
    layout: Layout,
    tau: np.ndarray,
    value: np.ndarray,
    groups: Sequence[Patterns],
    kept: np.ndarray,
) -> list[np.ndarray]:
    """Each case's gradient of minus its log likelihood with respect to tau: G arrays (n_g, r)."""
    implied, at = evaluate_groups(spec, layout, tau, value, groups)
    slope = moment_slopes(spec, layout, implied)
    means = [implied.mean[0, g] if spec.meanstructure else groups[g].mean[0] for g in range(len(groups))]
    return [case_scores(groups[g], means[g], at[g], kept[g]) @ slope[g] for g in range(len(groups))]


def _mean_slopes(spec: Spec, at: Sequence[Evaluated]) -> np.ndarray:
    found = np.array([a.slope_mean for a in at])
    return found if spec.meanstructure else np.zeros_like(found)


def _gradient(layout: Layout, implied: Implied, at: Sequence[Evaluated], share: np.ndarray) -> np.ndarray:
    cov, mean = np.array([a.slope_cov for a in at]), np.array([a.slope_mean for a in at])
    by_row = row_gradient(layout, implied, cov[None], mean[None])[0]
    return np.einsum("g,gf,gfr->r", share, by_row, layout.jacobian)
