"""Means of one column, and the difference of two groups in it, as row columns.

Where rows share clusters, both come from least squares with CR2 errors (``cluster_robust``); fewer clusters
than that needs leave an estimate without interval and test. Independent rows take Student's t and Welch's
(1947). Groups are compared in SD by Hedges' g (1981).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.analysis.cluster_robust import MIN_CLUSTERS, ClusteredFit, least_squares_cr2
from lib.analysis.design import design_of
from lib.study.codebook import Codebook

STUDENT, WELCH = "Student t", "Welch t"
NO_TEST = {"statistic": np.nan, "p_value": np.nan}


@dataclass(frozen=True)
class Clusters:
    """What rows belong to: the word for one cluster, and each row's cluster."""

    label: str
    of: pd.Series = field(repr=False)

    @property
    def estimator(self) -> str:
        """What the column ``estimator`` says of rows whose errors are clustered."""
        return f"least squares, CR2 by {self.label}"


def means(
    values: pd.Series,
    within: pd.Series,
    levels: Sequence[str],
    clusters: Clusters | None,
    *,
    conf_level: float,
    k: int,
    tested: bool = False,
) -> dict[str, dict]:
    """Row columns of the mean at each level, all levels in one regression where rows are clustered.

    Parameters
    ----------
    values : Series, n rows
    within : Series, n rows
        The level each row belongs to.
    levels : sequence of str
    clusters : Clusters or None
    conf_level : float
    k : int
        Fewer values than this give no mean.
    tested : bool
        Whether it is a question that the mean is zero.
    """
    known = values.notna()
    counts = {level: int((known & (within == level)).sum()) for level in levels}
    enough = [level for level in levels if counts[level] >= k]
    found = {level: too_few(counts[level], k) for level in levels}
    fit = None
    if clusters is not None and enough:
        columns = pd.DataFrame({level: (within == level).astype(float) for level in enough})
        inside = known & within.isin(enough)
        fit = _clustered(values[inside], columns[inside], clusters.of[inside])
    for level in enough:
        chosen = values[known & (within == level)]
        found[level] = _one_mean(chosen, level, fit, clusters, conf_level) | {"n_obs": len(chosen)}
        found[level] |= {} if tested else NO_TEST
    return found


def difference(
    values: pd.Series,
    first: pd.Series,
    clusters: Clusters | None,
    *,
    held: pd.DataFrame,
    codebook: Codebook,
    conf_level: float,
    columns: pd.DataFrame | None = None,
) -> dict:
    """Row columns of the mean of the first group minus that of the other rows.

    Parameters
    ----------
    values : Series, n rows
    first : Series of bool, n rows
    clusters : Clusters or None
    held : DataFrame, n rows
        Columns of the codebook held constant; used where rows are clustered.
    codebook : Codebook
    conf_level : float
    columns : DataFrame, n rows, optional
        What ``held_columns`` gives, where it is known already.
    """
    from scipy import stats

    k, named = codebook.disclosure.k, ", ".join(codebook.label(key).lower() for key in held)
    estimator = clusters.estimator + (f", given {named}" if named else "") if clusters else WELCH
    one, two = values[first].dropna(), values[~first].dropna()
    if min(len(one), len(two)) < k:
        return {"estimator": estimator} | too_few(len(one) + len(two), k)
    if clusters is None:
        with _one_answer_allowed():
            test = stats.ttest_ind(one, two, equal_var=False)
        std_error = np.hypot(one.sem(), two.sem())
        return _tested(estimator, one.mean() - two.mean(), std_error, test, conf_level, n=len(one) + len(two))
    constant = pd.DataFrame({"mean": 1.0, "difference": first.astype(float)})
    rest = held_columns(held, first, codebook) if columns is None else columns
    fit = _clustered(values, pd.concat([constant, rest], axis=1), clusters.of.reindex(values.index))
    found = fit.contrast({"difference": 1}, conf_level=conf_level)
    return {"estimator": estimator} | _within_reach(found, clusters)


def held_columns(held: pd.DataFrame, first: pd.Series, codebook: Codebook) -> pd.DataFrame:
    """Columns of a regression that hold some columns of the codebook constant beside a group's indicator."""
    return design_of(held, codebook, list(held), beside=first.astype(float)).columns


def hedges_g(apart: dict, spread: float, *, conf_level: float) -> dict:
    """A difference over the pooled standard deviation, without small-sample bias; delta-method interval."""
    from scipy import stats

    df = apart["n_obs"] - 2
    correction = 1 - 3 / (4 * df - 1)
    g = correction * apart["estimate"] / spread
    std_error = np.hypot(correction * apart["std_error"] / spread, g / np.sqrt(2 * (df + 2)))
    reach = stats.t.ppf(0.5 + conf_level / 2, apart["df"]) * std_error
    own = {"contrast": "hedges_g", "unit": "SD", "estimate": g, "std_error": std_error}
    own |= {"conf_low": g - reach, "conf_high": g + reach, "interval_method": "delta method"}
    return apart | own | NO_TEST


def pooled_sd(values: pd.Series, first: pd.Series) -> float:
    """Standard deviation within the two groups together."""
    one, two = values[first].dropna(), values[~first].dropna()
    squares = (len(one) - 1) * one.var() + (len(two) - 1) * two.var()
    return float(np.sqrt(squares / (len(one) + len(two) - 2)))


def too_few(n: int, k: int) -> dict:
    """Row columns where a group has fewer than k values."""
    return {"n_obs": n, "status": "too_few", "status_reason": f"not shown: fewer than {k} students"}


def _one_mean(
    values: pd.Series, level: str, fit: ClusteredFit | None, clusters: Clusters | None, conf_level: float
) -> dict:
    from scipy import stats

    if fit is None:
        with _one_answer_allowed():
            test = stats.ttest_1samp(values, 0.0)
        return _tested(STUDENT, values.mean(), values.sem(), test, conf_level, n=len(values))
    row = _within_reach(fit.contrast({level: 1}, conf_level=conf_level), clusters)
    return {"estimator": clusters.estimator} | row | {"n_clusters": clusters.of[values.index].nunique()}


@contextmanager
def _one_answer_allowed():
    """Where all of a group gave one answer scipy warns of lost precision; the gate hides that group's mean (D7)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        yield


def _clustered(values: pd.Series, columns: pd.DataFrame, clusters: pd.Series) -> ClusteredFit:
    """The regression on however many clusters there are; what too few allow is for ``_within_reach``."""
    return least_squares_cr2(values, columns, clusters, min_clusters=2)


def _within_reach(row: dict, clusters: Clusters) -> dict:
    """A row without interval and test where its clusters are too few for them."""
    if row["n_clusters"] >= MIN_CLUSTERS:
        return row
    nothing = dict.fromkeys(("std_error", "df", "conf_low", "conf_high"), np.nan) | NO_TEST
    reason = f"no interval: fewer than {MIN_CLUSTERS} of what rows are clustered by ({clusters.label})"
    return row | nothing | {"interval_method": "", "status_reason": reason}


def _tested(estimator: str, estimate: float, std_error: float, test, conf_level: float, *, n: int) -> dict:
    low, high = test.confidence_interval(conf_level)
    return {
        "estimator": estimator, "estimate": estimate, "std_error": std_error, "statistic": test.statistic,
        "df": test.df, "p_value": test.pvalue, "conf_low": low, "conf_high": high, "interval_method": "t", "n_obs": n,
    }  # fmt: skip
