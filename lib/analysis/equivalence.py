"""Is nothing there? Two one-sided tests of a null claim (Schuirmann, 1987; Lakens, 2017).

An estimate is *equivalent* to zero when its interval with coverage 1 - 2 alpha lies within plus or minus the
smallest effect of interest, *different* when it is not and its interval with coverage 1 - alpha excludes zero, and
*inconclusive* otherwise: not significant is not the same as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

OUTCOMES = ("equivalent", "different", "inconclusive")
STANDARDIZED = ("SD", "SD per SD")


def equivalence(rows: pd.DataFrame, thresholds: Mapping[str, float]) -> dict[str, str]:
    """Outcome of the equivalence test of each row, by ``row_id``.

    Parameters
    ----------
    rows : DataFrame
        Rows of the shared shape with estimate and standard error in SD or percent; a row whose model ends in
        " equivalence" brings the p-value of its own test.
    thresholds : mapping of str to float
        ``alpha``, ``sesoi`` in SD, ``sesoi_points`` in percentage points.

    Returns
    -------
    dict
        Rows in other units have no smallest effect of interest and are left out.
    """
    outcomes = {row.row_id: _outcome(row, thresholds) for row in rows.itertuples() if row.status == "ok"}
    return {row: outcome for row, outcome in outcomes.items() if outcome}


def _outcome(row, thresholds: Mapping[str, float]) -> str:
    alpha = thresholds["alpha"]
    if row.model.endswith(" equivalence"):
        return "equivalent" if row.p_value < alpha else "inconclusive"
    margin = (
        thresholds["sesoi"]
        if row.unit in STANDARDIZED
        else thresholds["sesoi_points"]
        if row.unit == "percent"
        else None
    )
    if margin is None or pd.isna(row.estimate) or pd.isna(row.std_error):
        return ""
    reach = _quantile(1 - alpha, row.df) * row.std_error
    if abs(row.estimate) + reach < margin:
        return "equivalent"
    if abs(row.estimate) > _quantile(1 - alpha / 2, row.df) * row.std_error:
        return "different"
    return "inconclusive"


def _quantile(probability: float, df: float) -> float:
    """Of Student's t where the row has degrees of freedom, else of the normal distribution."""
    from scipy import stats

    return float(stats.norm.ppf(probability) if pd.isna(df) else stats.t.ppf(probability, df))
