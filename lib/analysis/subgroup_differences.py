"""Whether two disjoint subgroups differ in a path, on everyone's scale.

Standardized paths of two groups differ also where their spreads do. Here the exposure is measured in both with
the loadings of the whole sample (metric invariance), and the unstandardized path is told in SD of the whole
sample; the difference is tested against its standard error (Wald). P-values are adjusted over all comparisons
of one family (Benjamini & Hochberg, 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.analysis.effects import METHOD
from lib.analysis.estimates import estimates, mediated_by
from lib.analysis.subgroup_mediation import percentiles
from lib.analysis.subgroups import TOO_FEW, Subgroups, fit_paths, subgroups
from lib.errors import ModelError
from lib.sem.distributions import quantile, two_sided_p
from lib.sem.incomplete import LatentFits
from lib.sem.latent_paths import standardized, unstandardized

GAP_DRAWS = 4_000  # behind the interval of a difference of indirect effects


def direct_differences(
    parts: Subgroups,
    pairs: Sequence[tuple[int, int]],
    *,
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """Differences of the exposure's path to each outcome, first group minus second.

    Parameters
    ----------
    parts : Subgroups
    pairs : sequence of (int, int)
        Places in ``parts.groups`` of two groups that share no student.
    outcomes : sequence of str
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    DataFrame
        One row for each pair and outcome in the shared shape: model ``direct``, contrast ``difference``,
        ``group`` the second group.
    """
    everyone = subgroups(
        parts.study, [parts.study.population("all")], covariates=sorted({covariates[one] for one in outcomes})
    )
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    width, tables = quantile(0.5 + conf_level / 2), []
    for outcome in outcomes:
        loading, ratio = whole_sample(everyone, [outcome], covariates=covariates[outcome])
        fits, few = fit_paths(parts, [outcome], covariates=covariates[outcome], loading=loading)
        path, cov = unstandardized(fits.latent, fits.n_whole, loadings_held=True)
        path, error = path[:, 0] * ratio, np.sqrt(cov[:, 0, 0]) * ratio
        gap, error = path[first] - path[second], np.hypot(error[first], error[second])
        ends = gap - width * error, gap + width * error
        rows = difference_rows(parts, pairs, gap, error, fits, few, ends=ends)
        tables.append(rows.assign(model="direct", term=outcome))
    return estimates(pd.concat(tables, ignore_index=True))


def mediated_differences(
    parts: Subgroups,
    pairs: Sequence[tuple[int, int]],
    *,
    mediated: Sequence[tuple[str, str]],
    covariates: Mapping[str, str],
    conf_level: float,
    seed: int,
) -> pd.DataFrame:
    """Differences of indirect effects between groups that share no student, first minus second.

    Both groups are measured with the loadings of the whole sample, and products of raw paths are told in its SD.

    Parameters
    ----------
    parts : Subgroups
    pairs : sequence of (int, int)
        Places in ``parts.groups``.
    mediated : sequence of (mediator, outcome)
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
    seed : int
        Of the Monte Carlo draws, which are independent for the two groups.
    """
    normal = np.random.default_rng(seed).standard_normal((2, GAP_DRAWS, 2))
    everyone = subgroups(
        parts.study,
        [parts.study.population("all")],
        covariates=sorted({covariates[one] for _, one in mediated}),
    )
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    tables = []
    for mediator, outcome in mediated:
        held = covariates[outcome]
        loading, ratio = whole_sample(everyone, [mediator, outcome], covariates=held)
        fits, few = fit_paths(parts, [mediator, outcome], covariates=held, loading=loading)
        paths, cov = unstandardized(fits.latent, fits.n_whole, loadings_held=True)
        out = few | (fits.status != "ok")
        cov[out], paths[out] = np.eye(2), 0.0
        root = np.linalg.cholesky(cov)
        drawn = [paths[:, None] + one @ root.swapaxes(1, 2) for one in normal]
        product = [ratio * one.prod(axis=2) for one in drawn]
        value = ratio * paths.prod(axis=1)
        gap = product[0][first] - product[1][second]
        error = gap.std(axis=1, ddof=1)
        ends = percentiles(gap, conf_level=conf_level)
        rows = difference_rows(parts, pairs, value[first] - value[second], error, fits, few, ends=ends)
        about = {"model": mediated_by(mediator), "term": outcome, "contrast": "difference indirect"}
        tables.append(rows.assign(interval_method="Monte Carlo", **about))
    return estimates(pd.concat(tables, ignore_index=True))


def difference_rows(
    parts: Subgroups,
    pairs: Sequence[tuple[int, int]],
    gap: np.ndarray,
    error: np.ndarray,
    fits: LatentFits,
    few: np.ndarray,
    *,
    ends: tuple[np.ndarray, np.ndarray],
) -> pd.DataFrame:
    """Rows of the difference of one quantity between independent groups, tested against its standard error."""
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    keys = np.array([group.key for group in parts.groups], dtype=object)
    fine = (fits.status[first] == "ok") & (fits.status[second] == "ok")
    short = few[first] | few[second]
    rows = pd.DataFrame(
        {
            "population": keys[first], "group": keys[second], "contrast": "difference", "estimator": METHOD["fiml"],
            "estimate": gap, "std_error": error, "statistic": gap / error, "p_value": two_sided_p(gap / error),
            "conf_low": ends[0], "conf_high": ends[1], "interval_method": "Wald",
            "n_obs": fits.n_obs[first] + fits.n_obs[second], "unit": "SD per SD",
            "status": np.where(short, "too_few", np.where(fine, "ok", "not_converged")),
            "status_reason": np.where(short, TOO_FEW, ""),
        }
    )  # fmt: skip
    numbers = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    rows.loc[rows["status"] != "ok", numbers] = float("nan")
    return rows


def whole_sample(
    everyone: Subgroups, outcomes: Sequence[str], *, covariates: str
) -> tuple[np.ndarray, float]:
    """Loadings of the exposure in the whole sample, and what turns a raw path or product of paths to the last outcome
    into SD per SD."""
    fits, _ = fit_paths(everyone, outcomes, covariates=covariates)
    if fits.status[0] != "ok":
        raise ModelError(
            f"the model of {outcomes[-1]!r} cannot be estimated in the whole sample; subgroups have no scale"
        )
    raw, _ = unstandardized(fits.latent, fits.n_whole, loadings_held=False)
    told, _ = standardized(fits.latent, fits.n_whole)
    return fits.latent.loading[0], float(told[0, : raw.shape[1]].prod() / raw[0].prod())


def adjust(rows: pd.DataFrame, family: pd.Series) -> pd.DataFrame:
    """The rows with ``p_bh``, p-values adjusted within each family (Benjamini & Hochberg)."""
    rows = rows.copy()
    for _, places in rows[rows["p_value"].notna()].groupby(family).groups.items():
        p = rows.loc[places, "p_value"].sort_values(ascending=False)
        ranks = np.arange(len(p), 0, -1)
        rows.loc[p.index, "p_bh"] = np.minimum(np.minimum.accumulate(p.to_numpy() * len(p) / ranks), 1.0)
    return rows
