"""Two one-sided t-tests (Schuirmann, 1987) of a difference against the smallest one of interest, as rows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lib.analysis.estimates import estimates

EQUIVALENCE = " equivalence"


def equivalence_tests(table: pd.DataFrame, margins: Mapping[str, float], *, alpha: float) -> pd.DataFrame:
    """One equivalence test for each difference; the null hypothesis is that it is as large as the margin.

    Parameters
    ----------
    table : DataFrame
        Rows of differences with ``std_error`` and, unless the reference is the normal, ``df``.
    margins : mapping
        Smallest difference of interest for each row, by ``row_id``, in the row's unit.
    alpha : float
        Level of each of the two tests; the interval covers 1 - 2 alpha.

    Returns
    -------
    DataFrame
        A row whose ``model`` ends in ``" equivalence"`` for each estimated row that has a margin; ``p_value`` is
        the larger of the two.
    """
    from scipy import stats

    rows = []
    for row in estimates(table).to_dict("records"):
        if row["row_id"] not in margins or not row["std_error"] > 0:  # hidden, or without a test
            continue
        df = row["df"] if row["df"] == row["df"] else float("inf")
        margin = margins[row["row_id"]]
        above, below = ((row["estimate"] + side * margin) / row["std_error"] for side in (1, -1))
        reach = stats.t.ppf(1 - alpha, df) * row["std_error"]
        own = {
            "row_id": "",
            "model": row["model"] + EQUIVALENCE,
            "statistic": min(above, -below),
            "p_value": max(stats.t.sf(above, df), stats.t.cdf(below, df)),
            "conf_low": row["estimate"] - reach,
            "conf_high": row["estimate"] + reach,
            "interval_method": "two one-sided tests",
        }
        rows.append(row | own)
    return estimates(rows)
