"""Any chapter's estimates for the filters' cube, with a test of each difference.

Two groups that share no student are compared by the difference of their estimates over its standard error; the
standard error of a share comes from the share and its n (Wald).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates
from lib.sem.distributions import quantile, two_sided_p
from lib.study.load import Population, Study

Estimates = Callable[[Study, list[Population]], pd.DataFrame]
SAME = ["model", "estimator", "contrast", "term", "unit"]


def of_each(function: Estimates, *, conf_level: float = 0.95) -> Callable[..., pd.DataFrame]:
    """A function of populations as a function for the cube: its rows, and differences of pairs.

    Parameters
    ----------
    function : function(study, groups) -> DataFrame
        Rows of the shared shape, ``population`` the key of a group.
    conf_level : float
        Coverage of the intervals of differences, in (0, 1).
    """

    def rows(study: Study, groups: list[Population], pairs: Sequence[tuple[int, int]]) -> pd.DataFrame:
        own = estimates(function(study, groups))
        keys = [group.key for group in groups]
        told = pd.DataFrame([(keys[one], keys[two]) for one, two in pairs], columns=["population", "group"])
        found = differences(own, told, conf_level=conf_level)
        return estimates(pd.concat([own, found], ignore_index=True))

    return rows


def differences(own: pd.DataFrame, pairs: pd.DataFrame, *, conf_level: float) -> pd.DataFrame:
    """Differences of estimates between the groups of each pair, first minus second.

    Parameters
    ----------
    own : DataFrame
        Estimates of independent groups in the shared shape.
    pairs : DataFrame
        Columns ``population`` and ``group``.
    conf_level : float
    """
    shown = own[(own["group"] == "") & (own["status"] == "ok")]
    share = (shown["unit"] == "percent") & shown["std_error"].isna()
    spread = np.sqrt(shown["estimate"] * (100 - shown["estimate"]) / shown["n_obs"])
    told = shown.assign(std_error=shown["std_error"].where(~share, spread))
    told = told[told["std_error"] > 0][["population", *SAME, "estimate", "std_error", "n_obs"]]
    both = pairs.merge(told, on="population").merge(
        told.rename(columns={"population": "group"}), on=["group", *SAME], suffixes=("", "_other")
    )
    gap, error = (
        both["estimate"] - both["estimate_other"],
        np.hypot(both["std_error"], both["std_error_other"]),
    )
    width = quantile(0.5 + conf_level / 2)
    return both[["population", "group", "model", "estimator", "term", "unit"]].assign(
        contrast=("difference " + both["contrast"]).str.strip(), estimate=gap, std_error=error, statistic=gap / error,
        p_value=two_sided_p(gap / error), conf_low=gap - width * error, conf_high=gap + width * error,
        interval_method="Wald", n_obs=both["n_obs"] + both["n_obs_other"],
    )  # fmt: skip
