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

from lib.analysis.specifications import Crossing
from lib.analysis.specified_moments import GROUP, Columns
from lib.analysis.specified_rows import COMPARED, Target, variables


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
        for k, target in enumerate(group):
            out[k, place] = _permuted(columns, target, settings, permutations, seed)
    return out


def _permuted(columns: Columns, target: Target, settings: dict, permutations: int, seed: int) -> np.ndarray:
    population, before, term = variables(columns, target, settings)
    held = columns.held(population, settings, term)
    sums = columns.sums(population, settings, (*before, term), held)
    count = 1 if target.population == COMPARED else len(before) - bool(target.mediator)
    blocks = columns.blocks(population, settings, (*before, term), held)
    rows, first = sums.rows - sums.mean, len(before) + 1
    base = np.linalg.qr(np.column_stack([np.ones(len(rows)), rows[:, first:]]))[0]
    rest = rows[:, :first] - base @ (base.T @ rows[:, :first])
    weight = (
        np.ones(1)
        if before[0] == GROUP
        else weights(sums.cov[:count, :count], settings.get("measure", "latent"))
    )
    exposure, others = rest[:, :count] @ weight, rest[:, count:]
    order = orders(columns, population, settings, blocks, permutations, seed)
    drawn = np.column_stack([exposure, exposure[order].T])
    drawn -= base @ (base.T @ drawn)
    return _statistic(drawn, others, len(rows) - base.shape[1])


def orders(
    columns: Columns, population: str, settings: dict, blocks: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """Orders (B, n) that mix students within blocks."""
    key = ("orders", population, len(blocks), blocks.tobytes(), count, seed)

    def make() -> np.ndarray:
        rng = np.random.default_rng(seed)
        out = np.tile(np.arange(len(blocks)), (count, 1))
        for block in np.unique(blocks):
            inside = np.flatnonzero(blocks == block)
            out[:, inside] = rng.permuted(np.tile(inside, (count, 1)), axis=1)
        return out

    return columns.once(key, make)


def weights(cov: np.ndarray, measure: str) -> np.ndarray:
    """Weights of subscales in the exposure's score: equal, or those of one factor (Thomson's regression weights)."""
    if measure == "mean" or len(cov) < 3:
        return np.full(len(cov), 1 / len(cov))
    scale = np.sqrt(np.diag(cov))
    corr = cov / np.outer(scale, scale)
    unique = 1 / np.diag(np.linalg.inv(corr))
    for _ in range(50):  # principal axis factoring of one factor
        size, direction = np.linalg.eigh(corr - np.diag(unique))
        loading = np.abs(direction[:, -1]) * np.sqrt(max(size[-1], 0))
        unique = np.clip(1 - loading**2, 0.005, 1.0)
    return loading / unique / scale


def _statistic(drawn: np.ndarray, others: np.ndarray, df: int) -> np.ndarray:
    """t of the outcome on each drawn exposure (n, B); with a mediator, the smaller of those of a and b."""
    size = np.sqrt((drawn**2).sum(0))
    if others.shape[1] == 1:
        r = others[:, 0] @ drawn / size / np.linalg.norm(others[:, 0])
        return _t(r, df - 1)
    m, y = others.T
    rm, ry = (one @ drawn / size / np.linalg.norm(one) for one in (m, y))
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
