"""What runs through a mediator, in many subgroups at once.

Models and quantities are those of `lib.analysis.mediation` (Hayes, 2022, ch. 3). Indirect and total effects have
Monte Carlo intervals (Preacher & Selig, 2012); the share of a total that is indirect is a ratio of two estimates
and has Fieller's interval (1954).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.analysis.effects import path_label
from lib.analysis.estimates import estimates, mediated_by
from lib.analysis.mediation import DRAWS
from lib.analysis.subgroups import Subgroups, fit_paths, path_rows, without_numbers
from lib.sem.distributions import quantile
from lib.sem.incomplete import standardized_paths

ZERO = "not expressed as a share: the total's interval includes zero"
SIGNS = "inconsistent mediation: indirect and direct effect differ in sign"
UNBOUNDED = "not expressed as a share: its interval is unbounded"


def mediation_by_subgroup(
    parts: Subgroups,
    direct: pd.DataFrame,
    *,
    pairs: Sequence[tuple[str, str]],
    covariates: Mapping[str, str],
    conf_level: float,
    seed: int,
) -> pd.DataFrame:
    """Rows of `lib.analysis.mediation.mediated_effects` for every subgroup.

    Parameters
    ----------
    parts : Subgroups
    direct : DataFrame
        Direct effects of the same subgroups on every outcome, which stand as the path before the mediator.
    pairs : sequence of (mediator, outcome)
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Of the Monte Carlo draws.
    """
    exposure, _ = parts.study.codebook.exposure
    normal = np.random.default_rng(seed).standard_normal((DRAWS // 2, 3))
    tables = []
    for mediator, outcome in pairs:
        paths = [(mediator, exposure), (outcome, mediator), (outcome, exposure)]
        fits, few = fit_paths(parts, paths, covariates=covariates[outcome])
        estimate, cov = standardized_paths(fits, [path_label(*path) for path in paths])
        for place, contrast in ((2, "direct"), (0, "a"), (1, "b")):
            error = np.sqrt(cov[:, place, place])
            rows = path_rows(parts, fits, few, estimate[:, place], error, conf_level=conf_level)
            tables.append(rows.assign(model=mediated_by(mediator), term=outcome, contrast=contrast))
        base = tables[-1].drop(columns=["statistic", "p_value"])
        for rows in _products(base, estimate, cov, normal, conf_level=conf_level):
            tables.append(without_numbers(rows, few))
        before = direct[direct["term"] == outcome].drop(columns="row_id")
        tables.append(before.assign(model=mediated_by(mediator), contrast="before"))
    return estimates(pd.concat(tables, ignore_index=True))


def _products(
    base: pd.DataFrame, estimate: np.ndarray, cov: np.ndarray, normal: np.ndarray, *, conf_level: float
):
    """Rows of indirect effect, total and share, one for each subgroup."""
    ends = [0.5 - conf_level / 2, 0.5 + conf_level / 2]
    a, b, direct = estimate.T
    indirect, total = np.full((4, len(a)), np.nan), np.full((4, len(a)), np.nan)
    for place in np.flatnonzero(np.isfinite(estimate).all(1) & np.isfinite(cov).all((1, 2))):
        _, size, across = np.linalg.svd(cov[place])
        drawn = estimate[place] + normal @ (np.sqrt(size)[:, None] * across)
        product = drawn[:, 0] * drawn[:, 1]
        for found, values in ((indirect, product), (total, product + drawn[:, 2])):
            found[1, place] = values.std(ddof=1)
            found[2:, place] = np.quantile(values, ends)
    indirect[0], total[0] = a * b, a * b + direct
    for contrast, found in (("indirect", indirect), ("total", total)):
        numbers = dict(zip(("estimate", "std_error", "conf_low", "conf_high"), found, strict=True))
        yield base.assign(contrast=contrast, interval_method="Monte Carlo", **numbers)
    slope = np.stack([np.stack([b, a, np.zeros(len(a))], 1), np.stack([b, a, np.ones(len(a))], 1)], 1)
    joint = slope @ cov @ slope.swapaxes(1, 2)
    low, high = fieller(indirect[0], total[0], joint, conf_level=conf_level)
    share = base.assign(
        contrast="share_explained", unit="percent", interval_method="Fieller", std_error=np.nan,
        estimate=100 * indirect[0] / total[0], conf_low=100 * low, conf_high=100 * high,
    )  # fmt: skip
    zero, signs = (total[2] <= 0) & (total[3] >= 0), indirect[0] * direct < 0
    why = np.select([zero, signs, np.isnan(low)], [ZERO, SIGNS, UNBOUNDED], "")
    barred = (why != "") & (share["status"] == "ok").to_numpy()
    share.loc[barred, "status"] = "inadmissible"
    share.loc[barred, "status_reason"] = why[barred]
    yield share


def fieller(
    numerator: np.ndarray, denominator: np.ndarray, cov: np.ndarray, *, conf_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fieller's interval of a ratio of two estimates with joint covariance (B, 2, 2); NaN where it is unbounded."""
    z = quantile(0.5 + conf_level / 2) ** 2
    a = denominator**2 - z * cov[:, 1, 1]
    b = numerator * denominator - z * cov[:, 0, 1]
    c = numerator**2 - z * cov[:, 0, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.where(a > 0, b**2 - a * c, np.nan))
        return (b - root) / a, (b + root) / a
