"""Whether answers are shared out alike in several groups, and how much of their spread lies between classes.

Tables are tested by Pearson's chi-square, against resampled tables with the same margins where an expected count
is under five. Spread over classes is the one-way intraclass correlation within schools (Searle, 1971).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.analysis.contrasts import too_few
from lib.analysis.estimates import estimates
from lib.analysis.frequencies import SMALL_CELL, model_of
from lib.analysis.ratings import Raters, rated_levels

CHI_SQUARE, ICC = "chi-square", "icc"
EXACT = "chi-square against resampled tables"
TABLES = 9_999


def chi_square(sample: Raters, column: str, *, by: str, seed: int, exhibit: str = "") -> pd.DataFrame:
    """Whether answers are shared out alike at the levels of another column; the estimate is Cramér's V.

    Parameters
    ----------
    sample : Raters
    column, by : str
        Levels of ``by`` with fewer than k answers are left out.
    seed : int
        Of the resampled tables, used where an expected count is under five.
    exhibit : str

    Returns
    -------
    DataFrame
        One row, ``contrast`` ``by ...``; ``too_few`` where fewer than two levels or answers are left.
    """
    from scipy import stats

    levels = rated_levels(sample, by, [column])
    inside = sample.frame[by].astype(object).isin(levels) & sample.frame[column].notna()
    table = pd.crosstab(
        sample.frame.loc[inside, by].astype(object), sample.frame.loc[inside, column]
    ).to_numpy()
    base = {"model": model_of(sample, CHI_SQUARE), "population": sample.population, "contrast": f"by {by}"}
    base |= {"term": column, "n_obs": table.sum(), "unit": "Cramér's V", "exhibit": exhibit}
    if min(table.shape) < 2:
        return estimates([base | too_few(table.sum(), sample.codebook.disclosure.k)])
    test = stats.chi2_contingency(table, correction=False)
    row = base | {
        "estimator": "Pearson's chi-square", "statistic": test.statistic, "df": test.dof, "p_value": test.pvalue,
        "estimate": np.sqrt(test.statistic / table.sum() / (min(table.shape) - 1)),
    }  # fmt: skip
    if (test.expected_freq < SMALL_CELL).any():
        row |= {"estimator": EXACT, "p_value": _resampled_p(table, test, seed)}
    return estimates([row])


def spread_between(
    sample: Raters, column: str, *, place: str, conf_level: float, exhibit: str = ""
) -> pd.DataFrame:
    """Share of the variance of answers that lies between schools, and between classes of a school.

    Parameters
    ----------
    sample : Raters
        With clusters.
    column : str
        Answers taken as numbers.
    place : str
        Column of the school.
    conf_level : float
    exhibit : str

    Returns
    -------
    DataFrame
        Rows of model ``icc``: ``contrast`` is the school (a description of these schools, without interval) or the
        cluster (one-way intraclass correlation within schools, F interval).
    """
    frame = sample.frame[[column, place, sample.cluster]].dropna()
    values = frame[column].astype(float)
    total = ((values - values.mean()) ** 2).sum()
    school = values.groupby(frame[place].astype(str)).transform("mean")
    classes = values.groupby(frame[sample.cluster].astype(str)).transform("mean")
    base = {
        "model": model_of(sample, ICC),
        "population": sample.population,
        "term": column,
        "exhibit": exhibit,
    }
    base |= {"unit": "share of the variance", "n_obs": len(values)}
    between = ((school - values.mean()) ** 2).sum() / total
    rows = [
        base
        | {"contrast": place, "estimator": "eta squared", "estimate": between, "n_clusters": school.nunique()}
    ]
    sizes = frame.groupby([frame[place].astype(str), frame[sample.cluster].astype(str)]).size()
    found = _icc(
        ((classes - school) ** 2).sum(), ((values - classes) ** 2).sum(), sizes, conf_level=conf_level
    )
    if found:
        rows.append(base | {"contrast": sample.cluster, "estimator": "one-way ICC within schools"} | found)
    if school.nunique() < 2:
        rows[0] |= {"estimate": np.nan, "status": "too_few", "status_reason": "not shown: one school only"}
    return estimates(rows)


def _icc(between: float, within: float, sizes: pd.Series, *, conf_level: float) -> dict:
    """Intraclass correlation from sums of squares and class sizes, indexed by (school, class)."""
    from scipy import stats

    of_school = sizes.groupby(level=0)
    lower, upper = len(sizes) - of_school.ngroups, sizes.sum() - len(sizes)
    if lower < 1 or upper < 1:
        return {}
    usual = (sizes.sum() - (of_school.agg(lambda n: (n**2).sum()) / of_school.sum()).sum()) / lower
    ratio = (between / lower) / (within / upper)
    tails = [stats.f.ppf(0.5 + side * conf_level / 2, lower, upper) for side in (1, -1)]
    estimate, low, high = (
        (one - 1) / (one - 1 + usual) for one in (ratio, ratio / tails[0], ratio / tails[1])
    )
    return {
        "estimate": estimate, "statistic": ratio, "p_value": stats.f.sf(ratio, lower, upper), "df": lower,
        "conf_low": low, "conf_high": high, "interval_method": "F", "n_clusters": len(sizes),
    }  # fmt: skip


def _resampled_p(table: np.ndarray, test, seed: int) -> float:
    """Share of tables with the same margins whose chi-square is as large, the observed one counted in."""
    from scipy import stats

    draws = stats.random_table(table.sum(axis=1), table.sum(axis=0), seed=seed).rvs(TABLES)
    statistics = ((draws - test.expected_freq) ** 2 / test.expected_freq).sum(axis=(1, 2))
    return (1 + (statistics >= test.statistic - 1e-9).sum()) / (1 + TABLES)
