"""How strong an unmeasured variable would have to be (Cinelli & Hazlett, 2020, J. R. Stat. Soc. B 82, 39-67).

The robustness value is the share of the rest of the variance of both exposure and outcome that a variable outside the
model would have to explain to bring an estimate to zero, or its interval to reach zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates

UNIT = "percent of variance"


def robustness_value(t: float, df: float, *, q: float = 1.0, alpha: float | None = None) -> float:
    """Robustness value of a coefficient.

    Parameters
    ----------
    t : float
        Its t statistic.
    df : float
        Residual degrees of freedom.
    q : float
        Share of the estimate to be explained away; 1 brings it to zero.
    alpha : float, optional
        Two-sided level; with it, what makes the estimate no longer significant at this level.

    Returns
    -------
    float
        Between 0 and 1 (their equation 18 and its extension to significance).
    """
    from scipy.stats import t as student

    f = q * abs(t) / np.sqrt(df)
    if alpha is not None:
        f -= student.isf(alpha / 2, df - 1) / np.sqrt(df - 1)
    if f <= 0:
        return 0.0
    return float(0.5 * (np.sqrt(f**4 + 4 * f**2) - f**2))


def robustness_values(effects: pd.DataFrame, *, covariates: Mapping[str, int], alpha: float) -> pd.DataFrame:
    """Robustness values of estimated paths.

    Parameters
    ----------
    effects : DataFrame
        Rows of the shared shape with a statistic and ``n_obs``.
    covariates : mapping of str to int
        Number of columns held constant, by population.
    alpha : float
        Two-sided level.

    Returns
    -------
    DataFrame
        Two rows for each path: contrast ``to zero`` and ``to the limit of significance``, in percent of variance.
    """
    rows = []
    for row in effects[effects["status"] == "ok"].itertuples():
        df = row.n_obs - covariates[row.population] - 2
        base = {"population": row.population, "term": row.term, "n_obs": row.n_obs, "unit": UNIT,
                "model": "robustness value", "estimator": "Cinelli and Hazlett"}  # fmt: skip
        values = {"to zero": robustness_value(row.statistic, df),
                  "to the limit of significance": robustness_value(row.statistic, df, alpha=alpha)}  # fmt: skip
        rows += [base | {"contrast": contrast, "estimate": 100 * value} for contrast, value in values.items()]
    return estimates(rows)
