"""Whether two disjoint subgroups differ in a path, on everyone's scale.

Standardized paths of two groups differ also where their spreads do. Here the exposure is measured in both with
the loadings of the whole sample (metric invariance), and the unstandardized path is told in SD of the whole
sample; the difference is tested against its standard error (Wald). P-values are adjusted over all comparisons
of one family (Benjamini & Hochberg, 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.analysis.estimates import DIFFERENCE, STANDARDIZED, estimates, mediated_by
from lib.analysis.multigroup import method
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
    direct: pd.DataFrame,
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
    direct : DataFrame
        Direct effects of the same subgroups on every outcome, standardized within each.
    outcomes : sequence of str
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    DataFrame
        For each pair and outcome a row with contrast ``difference``, on everyone's scale, and one with
        ``standardized difference``, of the paths in ``direct``; model ``direct``, ``group`` the second group.
    """
    everyone = subgroups(
        parts.study, [parts.study.population("all")], covariates=sorted({covariates[one] for one in outcomes})
    )
    tables, keys = [], [group.key for group in parts.groups]
    for outcome in outcomes:
        loading, ratio = whole_sample(everyone, [outcome], covariates=covariates[outcome])
        fits, few = fit_paths(parts, [outcome], covariates=covariates[outcome], loading=loading)
        path, cov = unstandardized(fits.latent, fits.n_whole, loadings_held=True)
        sides = _Sides(
            path[:, 0] * ratio[0], np.sqrt(cov[:, 0, 0]) * ratio[0], fits.n_obs, _status(fits, few)
        )
        own = direct[direct["term"] == outcome].set_index("population").loc[keys]
        alone = _Sides(*(own[name].to_numpy() for name in ("estimate", "std_error", "n_obs", "status")))
        for contrast, told in ((DIFFERENCE, sides), (STANDARDIZED, alone)):
            rows = _difference_rows(parts, pairs, told, conf_level=conf_level)
            tables.append(rows.assign(model="direct", term=outcome, contrast=contrast))
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
    """Differences of indirect effects and of their parts between groups that share no student, first minus second.

    Both groups are measured with the loadings of the whole sample; raw paths and their products are told in its SD.
    Contrasts are ``difference a``, ``difference b`` and ``difference indirect``.

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
        product = [ratio.prod() * one.prod(axis=2) for one in drawn]
        gap = product[0][first] - product[1][second]
        monte_carlo = gap.std(axis=1, ddof=1), *percentiles(gap, conf_level=conf_level)
        told, status = paths * ratio, _status(fits, few)
        errors = np.sqrt(np.diagonal(cov, axis1=1, axis2=2)) * ratio
        own = {
            "a": _Sides(told[:, 0], errors[:, 0], fits.n_obs, status),
            "b": _Sides(told[:, 1], errors[:, 1], fits.n_obs, status),
            "indirect": _Sides(told.prod(axis=1), np.full(len(told), np.nan), fits.n_obs, status),
        }
        for name, sides in own.items():
            spread = monte_carlo if name == "indirect" else None
            rows = _difference_rows(parts, pairs, sides, conf_level=conf_level, spread=spread)
            about = {"model": mediated_by(mediator), "term": outcome, "contrast": f"{DIFFERENCE} {name}"}
            tables.append(rows.assign(**about))
    return estimates(pd.concat(tables, ignore_index=True))


@dataclass(frozen=True)
class _Sides:
    """One quantity in each group (B,): estimate, standard error, students and status."""

    estimate: np.ndarray
    std_error: np.ndarray
    n_obs: np.ndarray
    status: np.ndarray


def _status(fits: LatentFits, few: np.ndarray) -> np.ndarray:
    return np.where(few, "too_few", fits.status)


def _difference_rows(
    parts: Subgroups,
    pairs: Sequence[tuple[int, int]],
    sides: _Sides,
    *,
    conf_level: float,
    spread: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Rows of the difference of one quantity between independent groups, tested against its standard error.

    ``spread`` holds standard error and ends of the interval from draws; without it they are Wald's.
    """
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    keys = np.array([group.key for group in parts.groups], dtype=object)
    gap = sides.estimate[first] - sides.estimate[second]
    error = np.hypot(sides.std_error[first], sides.std_error[second])
    reach = quantile(0.5 + conf_level / 2) * error
    error, low, high = spread or (error, gap - reach, gap + reach)
    short = (sides.status[first] == "too_few") | (sides.status[second] == "too_few")
    fine = (sides.status[first] == "ok") & (sides.status[second] == "ok")
    rows = pd.DataFrame(
        {
            "population": keys[first], "group": keys[second], "estimator": method("fiml", clustered=False),
            "estimate": gap, "std_error": error, "statistic": gap / error, "p_value": two_sided_p(gap / error),
            "conf_low": low, "conf_high": high, "interval_method": "Monte Carlo" if spread else "Wald",
            "n_obs": sides.n_obs[first] + sides.n_obs[second], "unit": "SD per SD",
            "status": np.where(short, "too_few", np.where(fine, "ok", "not_converged")),
            "status_reason": np.where(short, TOO_FEW, ""),
        }
    )  # fmt: skip
    numbers = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    rows.loc[rows["status"] != "ok", numbers] = float("nan")
    return rows


def whole_sample(
    everyone: Subgroups, outcomes: Sequence[str], *, covariates: str
) -> tuple[np.ndarray, np.ndarray]:
    """Loadings of the exposure in the whole sample, and what turns each raw path there into SD per SD (1,) or (2,)."""
    fits, _ = fit_paths(everyone, outcomes, covariates=covariates)
    if fits.status[0] != "ok":
        raise ModelError(
            f"the model of {outcomes[-1]!r} cannot be estimated in the whole sample; subgroups have no scale"
        )
    raw, _ = unstandardized(fits.latent, fits.n_whole, loadings_held=False)
    told, _ = standardized(fits.latent, fits.n_whole)
    return fits.latent.loading[0], told[0, : raw.shape[1]] / raw[0]


def adjust(rows: pd.DataFrame, family: pd.Series) -> pd.DataFrame:
    """The rows with ``p_bh``, p-values adjusted within each family (Benjamini & Hochberg)."""
    rows = rows.copy()
    for _, places in rows[rows["p_value"].notna()].groupby(family).groups.items():
        p = rows.loc[places, "p_value"].sort_values(ascending=False)
        ranks = np.arange(len(p), 0, -1)
        rows.loc[p.index, "p_bh"] = np.minimum(np.minimum.accumulate(p.to_numpy() * len(p) / ranks), 1.0)
    return rows
