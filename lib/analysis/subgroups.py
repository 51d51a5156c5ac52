"""Effects of many overlapping subgroups at once: the chapters' models, fitted in batches.

Models, covariates and missing answers are treated as in `lib.analysis.effects`, so that a subgroup's row says
what that module would say of it. A subgroup with fewer students than the model needs has a reason instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.analysis.effects import METHOD
from lib.analysis.estimates import estimates
from lib.sem.distributions import quantile, two_sided_p
from lib.sem.incomplete import LatentFits, SaturatedFits, fit_incomplete
from lib.sem.latent_paths import standardized
from lib.sem.subsets import estimable
from lib.study.codebook import Column
from lib.study.load import Population, Study

TOO_FEW = "not estimated: too few students"


@dataclass(frozen=True)
class Subgroups:
    """Populations of one table of students, and which covariates each of them can hold.

    Attributes
    ----------
    groups : tuple of Population
    students : DataFrame, one row per student
        Everyone, with an indicator column for each level of each categorical covariate.
    inside : ndarray of bool, shape (groups, students)
    held : dict
        Covariate columns of each group, by covariate set.
    """

    groups: tuple[Population, ...]
    study: Study
    students: pd.DataFrame = field(repr=False)
    inside: np.ndarray = field(repr=False)
    held: dict[str, tuple[frozenset[str], ...]] = field(repr=False)


def subgroups(study: Study, groups: Sequence[Population], *, covariates: Sequence[str]) -> Subgroups:
    """Prepare populations for batched fits.

    Parameters
    ----------
    study : Study
    groups : sequence of Population
        Each a part of the survey respondents.
    covariates : sequence of str
        Covariate sets that models will hold constant.
    """
    everyone = study.population("all").frame
    inside = np.array([everyone.index.isin(group.frame.index) for group in groups])
    chosen = list(dict.fromkeys(covariates))
    keys = list(dict.fromkeys(key for name in chosen for key in study.codebook.covariate_sets.get(name, ())))
    levels = {key: _columns(everyone[key], key, study.codebook.columns[key]) for key in keys}
    made = pd.concat([pd.DataFrame(index=everyone.index), *levels.values()], axis=1)
    held = {}
    for name in chosen:
        own = [levels[key] for key in study.codebook.covariate_sets.get(name, ())]
        held[name] = _held(inside, own, k=study.codebook.disclosure.k)
    students = pd.concat([everyone.drop(columns=[one for one in made if one in everyone]), made], axis=1)
    return Subgroups(tuple(groups), study, students, inside, held)


def direct_by_subgroup(
    parts: Subgroups,
    *,
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
    missing: str = "fiml",
) -> pd.DataFrame:
    """Rows of `lib.analysis.effects.direct_effects` for every subgroup.

    Parameters
    ----------
    parts : Subgroups
    outcomes : sequence of str
    covariates : mapping of str to str
        A covariate set for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    missing : {"fiml", "listwise"}
        What happens to students with missing answers.
    """
    tables = []
    for outcome in outcomes:
        fits, few = fit_paths(parts, [outcome], covariates=covariates[outcome], missing=missing)
        estimate, cov = standardized(fits.latent, fits.n_whole)
        rows = path_rows(parts, fits, few, estimate[:, 0], np.sqrt(cov[:, 0, 0]), conf_level=conf_level)
        tables.append(rows.assign(model="direct", term=outcome, estimator=METHOD[missing]))
    return estimates(pd.concat(tables, ignore_index=True))


def path_rows(
    parts: Subgroups,
    fits: LatentFits | SaturatedFits,
    few: np.ndarray,
    estimate: np.ndarray,
    error: np.ndarray,
    *,
    conf_level: float,
) -> pd.DataFrame:
    """Rows of one standardized path with delta-method intervals, one for each subgroup."""
    status = np.where(few, "too_few", fits.status)
    estimate = np.where(status == "ok", estimate, np.nan)
    reach = quantile(0.5 + conf_level / 2) * error
    return pd.DataFrame(
        {
            "population": [group.key for group in parts.groups],
            "estimator": METHOD["fiml"],
            "estimate": estimate,
            "std_error": np.where(status == "ok", error, np.nan),
            "statistic": estimate / error,
            "p_value": two_sided_p(estimate / error),
            "conf_low": estimate - reach,
            "conf_high": estimate + reach,
            "interval_method": "delta",
            "n_obs": fits.n_obs,
            "unit": "SD per SD",
            "status": status,
            "status_reason": np.where(few, TOO_FEW, ""),
        }
    )


def fit_paths(
    parts: Subgroups,
    outcomes: Sequence[str],
    *,
    covariates: str,
    loading: np.ndarray | None = None,
    missing: str = "fiml",
) -> tuple[LatentFits, np.ndarray]:
    """Fit the latent exposure and what it leads to in every subgroup, given covariates.

    Parameters
    ----------
    parts : Subgroups
    outcomes : sequence of str
        One outcome, or a mediator and an outcome.
    covariates : str
        A covariate set that ``parts`` was made with.
    loading : ndarray, optional
        Loadings at which the measurement of the exposure is held; without it they are estimated.
    missing : {"fiml", "listwise"}

    Returns
    -------
    fits : LatentFits
    few : ndarray of bool, shape (groups,)
        Groups with fewer students than the model needs (DISCLOSURE.md, D7).
    """
    settings = parts.study.codebook.disclosure
    indicators = [scale.key for scale in parts.study.codebook.scales_with("exposure")]
    held = parts.held[covariates]
    names = sorted(set().union(*held))
    measured = [*indicators, *outcomes]
    kept = np.array([[True] * len(measured) + [name in group for name in names] for group in held])
    table, inside = parts.students[[*measured, *names]].to_numpy(dtype=float), parts.inside
    if missing == "listwise":
        table, inside, kept = _complete_cases(
            table, inside, kept, covariates=range(len(measured), len(kept.T))
        )
    fits = fit_incomplete(
        table, inside, indicators=len(indicators), outcomes=len(outcomes), kept=kept, loading=loading
    )
    x, u, z = len(indicators), len(outcomes), kept[:, len(measured) :].sum(1)
    intercepts = x + u if missing == "fiml" else 0  # means are estimated where answers are missing
    free = (x - 1 if loading is None else 0) + x + 1 + z + u * (u + 3) // 2 + u * z + intercepts
    needed = np.maximum(settings.latent_min_n, settings.latent_n_per_parameter * free)
    return fits, fits.n_obs < needed


def _complete_cases(
    table: np.ndarray, inside: np.ndarray, kept: np.ndarray, *, covariates: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Students (B, N) who answered all that their group's model holds, and columns (B, p) that do not follow there."""
    gone = np.isnan(table)
    inside = inside & ~(kept.astype(float) @ gone.T.astype(float) > 0)
    table = np.where(
        gone, 0.0, table
    )  # of students who are in no group, or of columns that a group does not hold
    cov = _covariance(inside.astype(float), table) * (kept[:, :, None] & kept[:, None, :])
    return table, inside, kept & estimable(cov, covariates, table.var(0))


def _covariance(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Covariance (B, p, p) of the rows of values (N, p) that each group weighs (B, N)."""
    n = np.maximum(weight.sum(1), 1)
    mean = weight @ values / n[:, None]
    cov = np.einsum("bn,np,nq->bpq", weight, values, values, optimize=True) / n[:, None, None]
    return cov - mean[:, :, None] * mean[:, None, :]


def _columns(values: pd.Series, key: str, column: Column) -> pd.DataFrame:
    """A covariate as columns: an indicator for each level, or the standardized number."""
    if not (column.type in ("category", "text") or column.levels):
        return pd.DataFrame({key: ((values - values.mean()) / values.std()).astype(float)})
    made = {
        f"{key}_{''.join(letter if letter.isalnum() else '_' for letter in str(level))}": values == level
        for level in values.dropna().unique()
    }
    return pd.DataFrame(made).astype(float).where(values.notna(), axis=0)


def _held(inside: np.ndarray, columns: Sequence[pd.DataFrame], *, k: int) -> tuple[frozenset[str], ...]:
    """Columns that each group's model holds, by the rules of `lib.analysis.design`.

    Not the group's most frequent level, no level of fewer than k students, nothing that follows from the rest.
    """
    weight = inside.astype(float)
    kept = []
    for made in columns:
        if made.shape[1] == 1 and not set(made.iloc[:, 0].dropna()) <= {0.0, 1.0}:
            kept.append(np.ones((len(weight), 1), dtype=bool))
            continue
        counts = weight @ made.fillna(0.0).to_numpy()
        kept.append((counts >= k) & (np.arange(counts.shape[1]) != counts.argmax(1)[:, None]))
    if not kept:
        return tuple(frozenset() for _ in weight)
    table = pd.concat(columns, axis=1)
    values = table.fillna(table.mean()).to_numpy()
    chosen = np.concatenate(kept, axis=1)
    cov = _covariance(weight, values) * (chosen[:, :, None] & chosen[:, None, :])
    chosen &= estimable(cov, range(values.shape[1]), values.var(0))
    return tuple(frozenset(table.columns[line]) for line in chosen)
