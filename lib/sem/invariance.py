"""Measurement invariance: the ladder configural, metric, scalar, strict, with partial search.

Steps and names follow Meredith (1993) and Cheung & Rensvold (2002). A step fails only when the robust CFI falls by
more than a bound *and* the scaled likelihood-ratio test rejects after Holm's correction over the scales compared:
either alone rejects 8 to 15 % of invariant scales.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.fit import fit
from lib.sem.hypotheses import Test, difference_test, score_tests
from lib.sem.result import SemFit
from lib.sem.sample import find_groups

LEVELS = ("configural", "metric", "scalar", "strict")
EQUAL = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
OPERATOR = {"metric": "=~", "scalar": "~1", "strict": "~~"}


@dataclass(frozen=True)
class Ladder:
    """Invariance of several scales over the groups of one column.

    Attributes
    ----------
    steps : DataFrame
        One row per scale and level reached: ``scale level chisq df pvalue cfi rmsea srmr`` (scaled and robust),
        changes against the level below ``delta_cfi delta_rmsea delta_srmr lr lr_df lr_p lr_p_holm``, and
        ``verdict`` (``invariant``, ``partial``, ``not invariant``; ``configural`` or ``saturated`` at the
        bottom; ``not estimated``) with the parameters ``freed``, or why there is no estimate.
    attempts : DataFrame
        The same columns, each level as first tested; ``freed`` holds what lower levels had freed.
    fits : dict of (str, str) to SemFit
        The accepted fit of each scale and level.
    """

    steps: pd.DataFrame
    attempts: pd.DataFrame
    fits: dict[tuple[str, str], SemFit] = field(repr=False)

    def holds(self, scale: str, level: str, *, partial: bool = True) -> bool:
        """Whether a scale reached a level, fully or (if allowed) in part."""
        row = self.steps[(self.steps.scale == scale) & (self.steps.level == level)]
        return bool(len(row)) and row.verdict.iloc[0] in (
            ("invariant", "partial") if partial else ("invariant",)
        )


@dataclass(frozen=True)
class Rule:
    """What decides a step: the bound on the fall of CFI, the level of the tests, whether to search."""

    alpha: float
    delta_cfi: float
    partial: bool


def compare_invariance(
    scales: Mapping[str, Sequence[str]],
    data: pd.DataFrame,
    *,
    group: str,
    levels: Sequence[str] = LEVELS,
    missing: str = "fiml",
    cluster: str | None = None,
    alpha: float = 0.05,
    delta_cfi: float = 0.010,
    partial: bool = True,
) -> Ladder:
    """Climb the ladder of invariance with each scale, correcting for the number of scales at each step.

    Parameters
    ----------
    scales : mapping of str to sequence of str
        Items (or subscales) of each scale; each is one factor. At least three items.
    group : str
        Column of the groups.
    levels : sequence of str
        Levels to test, a beginning of `LEVELS`; HQC over subscales needs no more than metric.
    missing, cluster
        As in `lib.sem.fit.fit`; estimates are MLR.
    alpha, delta_cfi : float
        Level of the tests and the largest fall of robust CFI that still passes.
    partial : bool
        Whether to free parameters one at a time, by the largest score test that is significant after Holm, while
        at least half of the items (and two) stay invariant.

    Returns
    -------
    Ladder
        Scales of three items start at metric: their configural model fits perfectly by construction.

    Raises
    ------
    ModelError
        If a scale has fewer than three items, or ``levels`` skips one.
    """
    short = [name for name, items in scales.items() if len(items) < 3]
    if short:
        raise ModelError(f"'{short[0]}' has fewer than 3 items, too few to compare groups; leave it out")
    if tuple(levels) != LEVELS[: len(levels)]:
        raise ModelError(f"levels must be a beginning of {', '.join(LEVELS)}; got {', '.join(levels)}")
    rule = Rule(alpha, delta_cfi, partial)
    n_groups = len(find_groups(data, group))

    def fit_level(name: str, level: str, freed: Sequence[str]) -> SemFit:
        return fit(
            scale_model(scales[name], level, n_groups), data, group=group, group_equal=EQUAL[level],
            group_partial=tuple(freed), estimator="MLR", missing=missing, cluster=cluster,
        )  # fmt: skip

    rows, attempts, fits, below = [], [], {}, {}
    freed: dict[str, list[str]] = {name: [] for name in scales}
    for level in levels:
        climbing = list(scales) if level == LEVELS[0] else list(below)
        tried = {name: fit_level(name, level, freed[name]) for name in climbing}
        rows += [_failure(name, level, tried[name]) for name in climbing if not tried[name].fit_measures]
        climbing = [name for name in climbing if tried[name].fit_measures]
        tests = {name: _step_test(tried[name], below.get(name)) for name in climbing}
        holm = dict(zip(climbing, adjust_holm([test.pvalue for test in tests.values()]), strict=True))
        reached = {}
        for name in climbing:
            row = describe(name, level, tried[name], below.get(name), tests[name], holm[name])
            if level == LEVELS[0]:
                row["verdict"] = "saturated" if row["df"] == 0 else "configural"
            elif not _fails(row, rule):
                row["verdict"] = "partial" if freed[name] else "invariant"
            attempts.append(row | {"freed": ", ".join(freed[name])})
            if row["verdict"] == "not invariant" and rule.partial:
                row, tried[name] = _search(
                    name, level, tried[name], below[name], freed[name], rule, scales, fit_level, row
                )
            row["freed"] = ", ".join(freed[name])
            rows.append(row)
            if row["verdict"] != "not invariant":
                reached[name] = fits[(name, level)] = tried[name]
        below = reached
    return Ladder(pd.DataFrame(rows), pd.DataFrame(attempts), fits)


def scale_model(items: Sequence[str], level: str, n_groups: int) -> str:
    """A one-factor model whose scale is set by the factor's variance, so that every loading can be tested.

    The variance is 1 in the first group, and free in the others once loadings are equal.
    """
    others = "1" if level == LEVELS[0] else "NA"
    variances = ", ".join(["1"] + [others] * (n_groups - 1))
    return f"factor =~ NA*{' + '.join(items)}\nfactor ~~ c({variances})*factor"


def adjust_holm(pvalues: Sequence[float]) -> np.ndarray:
    """Holm's step-down adjusted p-values; NaN (no test) stays out of the count."""
    given = np.asarray(pvalues, float)
    out = np.full(len(given), np.nan)
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    scaled = given[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return out


def _failure(name: str, level: str, tried: SemFit) -> dict:
    """The row of a scale whose model could not be estimated; it climbs no further."""
    return {
        "scale": name,
        "level": level,
        "n_obs": tried.n_obs,
        "verdict": "not estimated",
        "freed": tried.status_reason,
    }


def _step_test(tried: SemFit, below: SemFit | None) -> Test:
    if below is None:
        return Test("", float("nan"), 0, float("nan"), "")
    return difference_test(tried, below)


def describe(name: str, level: str, tried: SemFit, below: SemFit | None, test: Test, holm: float) -> dict:
    """One row of the ladder."""
    now = _robust_measures(tried)
    before = _robust_measures(below) if below is not None else dict.fromkeys(now, float("nan"))
    return {
        "scale": name, "level": level, "n_obs": tried.n_obs,
        "chisq": tried.fit_measures.get("chisq.scaled", float("nan")), "df": tried.fit_measures["df"],
        "pvalue": tried.fit_measures.get("pvalue.scaled", float("nan")), **now,
        **{f"delta_{key}": now[key] - before[key] for key in now},
        "lr": test.statistic, "lr_df": test.df, "lr_p": test.pvalue, "lr_p_holm": holm,
        "verdict": "not invariant", "freed": "",
    }  # fmt: skip


def _robust_measures(fitted: SemFit) -> dict[str, float]:
    """Robust CFI and RMSEA; a saturated model fits perfectly."""
    measures = fitted.fit_measures
    return {
        "cfi": measures.get("cfi.robust", 1.0) if measures["df"] else 1.0,
        "rmsea": measures.get("rmsea.robust", 0.0) if measures["df"] else 0.0,
        "srmr": measures["srmr"],
    }


def _fails(row: dict, rule: Rule) -> bool:
    return bool(-row["delta_cfi"] > rule.delta_cfi and row["lr_p_holm"] < rule.alpha)


def _search(
    name: str, level: str, tried: SemFit, below: SemFit, freed: list[str], rule: Rule,
    scales: Mapping[str, Sequence[str]], fit_level, row: dict,
) -> tuple[dict, SemFit]:  # fmt: skip
    """Free one parameter at a time until the step passes or nothing more may be freed."""
    items = len(scales[name])
    while True:
        here = [text for text in freed if OPERATOR[level] in text]
        if items - len(here) - 1 < max(items / 2, 2):
            return row, tried
        candidates = score_tests(tried)
        candidates = candidates[candidates.op == OPERATOR[level]]
        if candidates.empty:
            return row, tried
        worst = candidates.assign(holm=adjust_holm(candidates.pvalue)).sort_values("chisq").iloc[-1]
        if worst.holm >= rule.alpha:
            return row, tried
        freed.append(f"{worst.lhs} {worst.op} {worst.rhs}".strip())
        tried = fit_level(name, level, freed)
        if not tried.fit_measures:
            return row, tried
        test = difference_test(tried, below) if tried.fit_measures["df"] > below.fit_measures["df"] else None
        if test is None:
            return row, tried
        # the correction over scales belongs to the step's own test; a search tests one scale
        row = describe(name, level, tried, below, test, test.pvalue)
        if not _fails(row, rule):
            row["verdict"] = "partial"
            return row, tried
