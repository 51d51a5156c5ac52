"""Is a curve further from zero than chance would put it? (Simonsohn, Simmons & Nelson, 2020, under the null.)

Residuals of the exposure's subscales given covariates are permuted, all subscales of a student together, within schools;
for a comparison of groups the residual of the group is. Then nothing goes with the exposure but what covariates
bring (ter Braak, 1992; Winkler et al., 2014). Measurement is taken as estimated once: a latent is its regression-weighted
score, whose test statistic is that of the latent. Complete answers only, since moments in two stages have no rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.analysis.crossings import Crossing
from lib.analysis.specified_moments import GROUP, Columns
from lib.analysis.specified_targets import COMPARED, Target, variables


@dataclass(frozen=True)
class JointTest:
    """A curve's middle against those of permuted studies.

    Attributes
    ----------
    observed : float
        Median over specifications of the test statistic in the finding's direction.
    permuted : ndarray (B,)
    p_value : float
        Share of the B + 1 studies, the observed one among them, whose median is at least as large.
    specifications : int
        Specifications with complete answers that took part.
    """

    observed: float
    permuted: np.ndarray
    p_value: float
    specifications: int


def statistics(
    columns: Columns, crossing: Crossing, group: Sequence[Target], *, permutations: int, most: int, seed: int
) -> np.ndarray:
    """Test statistics (T, S, B + 1) of targets in specifications; the first of the last axis is the observed one.

    For a target with a mediator it is the smaller of the two paths' statistics in size, with the sign of their product (the
    joint-significance test). NaN for two-stage moments, and beyond the first ``most`` of the others.
    """
    out = np.full((len(group), len(crossing.drawn), permutations + 1), np.nan)
    complete = [k for k in range(len(crossing.drawn)) if crossing.settings(k).get("missing") == "complete"]
    for place in complete[:most]:
        settings = crossing.settings(place)
        chosen = [variables(columns, target, settings) for target in group]
        given = [(population, settings, (*before, term), columns.held(population, settings, term))
                 for population, before, term in chosen]  # fmt: skip
        sums = [columns.sums(*one) for one in given]
        count = 1 if group[0].population == COMPARED else len(chosen[0][1]) - bool(group[0].mediator)
        measure = settings.get("measure", "latent") if chosen[0][1][0] != GROUP else "mean"
        weighed = weights(np.array([one.cov[:count, :count] for one in sums]), measure)
        for k, (one, weight) in enumerate(zip(sums, weighed, strict=True)):
            order = orders(columns, columns.blocks(*given[k]), permutations, seed)
            out[k, place] = _permuted(one.rows - one.mean, weight, len(chosen[k][1]) + 1, order)
    return out


def _permuted(rows: np.ndarray, weight: np.ndarray, first: int, order: np.ndarray) -> np.ndarray:
    """Test statistics (B + 1,) from centred rows: subscales to be weighed, a mediator or none, outcome, then covariates."""
    base = np.linalg.qr(np.column_stack([np.ones(len(rows)), rows[:, first:]]))[0]
    rest = rows[:, :first] - base @ (base.T @ rows[:, :first])
    exposure, others = rest[:, : len(weight)] @ weight, rest[:, len(weight) :]
    drawn = np.vstack([exposure, exposure[order]])
    size = np.sqrt(
        exposure @ exposure - ((drawn @ base) ** 2).sum(1)
    )  # of what covariates leave of each draw
    return _statistic(drawn @ others, size, others, len(rows) - base.shape[1])


def orders(columns: Columns, blocks: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Orders (B, n) that mix students within blocks."""
    key = ("orders", len(blocks), blocks.tobytes(), count, seed)

    def make() -> np.ndarray:
        rng = np.random.default_rng(seed)
        out = np.tile(np.arange(len(blocks)), (count, 1))
        for block in np.unique(blocks):
            inside = np.flatnonzero(blocks == block)
            out[:, inside] = rng.permuted(np.tile(inside, (count, 1)), axis=1)
        return out

    return columns.once(key, make)


def weights(cov: np.ndarray, measure: str) -> np.ndarray:
    """Weights (..., c) of subscales in the exposure's score from covariances (..., c, c).

    Equal, or those of one factor (Thomson's regression weights).
    """
    if measure == "mean" or cov.shape[-1] < 3:
        return np.full(cov.shape[:-1], 1 / cov.shape[-1])
    scale = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    corr = cov / scale[..., :, None] / scale[..., None, :]
    unique = 1 / np.diagonal(np.linalg.inv(corr), axis1=-2, axis2=-1)
    for _ in range(50):  # principal axis factoring of one factor
        size, direction = np.linalg.eigh(corr - unique[..., None] * np.eye(cov.shape[-1]))
        loading = np.abs(direction[..., -1]) * np.sqrt(np.maximum(size[..., -1:], 0))
        unique = np.clip(1 - loading**2, 0.005, 1.0)
    return loading / unique / scale


def _statistic(product: np.ndarray, size: np.ndarray, others: np.ndarray, df: int) -> np.ndarray:
    """t of the outcome on each drawn exposure; with a mediator, the smaller of those of a and b.

    ``product`` (B, 1 or 2) is that of the exposures, of length ``size`` (B,), with ``others`` (n, 1 or 2).
    """
    if others.shape[1] == 1:
        return _t(product[:, 0] / size / np.linalg.norm(others[:, 0]), df - 1)
    m, y = others.T
    rm, ry = (product[:, k] / size / np.linalg.norm(one) for k, one in enumerate((m, y)))
    my = m @ y / np.linalg.norm(m) / np.linalg.norm(y)
    partial = (my - rm * ry) / np.sqrt((1 - rm**2) * (1 - ry**2))
    a, b = _t(rm, df - 1), _t(partial, df - 2)
    return np.sign(a * b) * np.minimum(np.abs(a), np.abs(b))


def _t(r: np.ndarray, df: int) -> np.ndarray:
    return r * np.sqrt(df / np.maximum(1 - r**2, 1e-12))


def joint_test(found: np.ndarray, signs: np.ndarray) -> JointTest:
    """Compare the observed median with the permuted ones.

    Parameters
    ----------
    found : ndarray (T, S, B + 1)
        From ``statistics``.
    signs : ndarray (T,)
        Direction of each target, +1 or -1.
    """
    turned = found * signs[:, None, None]
    used = np.isfinite(turned).all((0, 2))
    medians = np.median(turned[:, used].reshape(-1, found.shape[2]), axis=0)
    return JointTest(
        float(medians[0]), medians[1:], float((medians >= medians[0] - 1e-12).mean()), int(used.sum())
    )
