"""Means of many overlapping groups and their differences, with errors by class, from sums by class.

A mean is a regression on a constant and a difference one on two groups' indicators, so CR2 errors and Satterthwaite's
degrees of freedom (Bell & McCaffrey, 2002; Pustejovsky & Tipton, 2018) need no matrix: each class enters with how
many of its students are in the group and the sum of their values. Two groups may hold students of one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.analysis.cluster_robust import MIN_CLUSTERS
from lib.analysis.ratings import Raters
from lib.sem.distributions import quantile, two_sided_p
from lib.study.load import Population

NO_TEST = f"no test: fewer than {MIN_CLUSTERS} of what students are clustered by"
CR2 = "t, CR2, Satterthwaite"

__all__ = ["ClassSums", "counted", "difference_rows", "mean_rows", "members_of"]


@dataclass(frozen=True)
class ClassSums:
    """One column in B groups of G classes.

    Attributes
    ----------
    count : ndarray (B, G)
        Students of each class with a value.
    residual : ndarray (B, G)
        Sum of their distances from the group's mean.
    mean, n : ndarray (B,)
        ``n`` counts values, also of students without a class.
    """

    count: np.ndarray
    residual: np.ndarray
    mean: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, inside: np.ndarray, classes: np.ndarray) -> ClassSums:
        """Sums of values (N,) or (B, N), NaN where missing, of groups (B, N); classes (N,), -1 where unknown."""
        known = ~np.isnan(values)
        n = (inside & known).sum(1)
        member = np.eye(classes.max() + 1)[classes] * (classes >= 0)[:, None]
        weight = (inside & known & (classes >= 0)).astype(float)
        count = weight @ member
        total = (weight * np.nan_to_num(values)) @ member
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total.sum(1) / count.sum(1)
        return cls(count, total - count * mean[:, None], mean, n)

    @property
    def size(self) -> np.ndarray:
        """Students with a value and a class (B,)."""
        return self.count.sum(1)

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Score, U'U and X'U of each class (B, G) as of ``lib.analysis.cluster_robust.ClusteredFit``."""
        size = np.maximum(self.size, 1.0)[:, None]
        lever = 1 - self.count / size
        root = np.where(lever > 1e-10, 1 / np.sqrt(np.where(lever > 1e-10, lever, 1.0)), 0.0)
        return self.residual * root / size, self.count * root**2 / size**2, self.count * root / size


def members_of(sample: Raters, groups: Sequence[Population]) -> tuple[np.ndarray, np.ndarray]:
    """Who of the students is in each group (B, N), and each student's class (N,); without classes each is one."""
    frame = sample.frame
    inside = np.array([frame.index.isin(group.frame.index) for group in groups])
    if not sample.cluster:
        return inside, np.arange(len(frame))
    return inside, pd.factorize(frame[sample.cluster])[0]


def mean_rows(groups: Sequence[Population], sums: ClassSums, *, k: int, conf_level: float) -> pd.DataFrame:
    """Rows of a mean in every group; too few classes leave it without an interval."""
    score, own, across = sums.parts()
    size = np.maximum(sums.size, 1.0)
    diagonal = own - across**2 / size[:, None]
    squares = (own**2 - 2 * own * across**2 / size[:, None]).sum(1) + (across**2).sum(1) ** 2 / size**2
    table = _intervals(sums.mean, np.sqrt((score**2).sum(1)), diagonal.sum(1) ** 2, squares, conf_level)
    enough = (sums.count > 0).sum(1) >= MIN_CLUSTERS
    table.loc[~enough, ["std_error", "conf_low", "conf_high", "df"]] = np.nan
    table["interval_method"] = np.where(enough, CR2, "")
    table = table.drop(columns=["statistic", "p_value"])
    return counted(table.assign(population=[group.key for group in groups], n_obs=sums.n), sums.n, k)


def difference_rows(
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    sums: ClassSums,
    *,
    k: int,
    conf_level: float,
) -> pd.DataFrame:
    """Rows of the difference of each pair's means, first group minus second, where the classes suffice for a test."""
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    score, own, across = sums.parts()
    size = np.maximum(sums.size, 1.0)
    error = np.sqrt(((score[first] - score[second]) ** 2).sum(1))
    own = own[first] + own[second]
    one, two = across[first], across[second]
    n_one, n_two = size[first], size[second]
    shared = one**2 / n_one[:, None] + two**2 / n_two[:, None]
    squares = (own**2 - 2 * own * shared).sum(1) + (one**2).sum(1) ** 2 / n_one**2
    squares += (two**2).sum(1) ** 2 / n_two**2 + 2 * (one * two).sum(1) ** 2 / (n_one * n_two)
    gap = sums.mean[first] - sums.mean[second]
    table = _intervals(gap, error, (own - shared).sum(1) ** 2, squares, conf_level)
    keys = np.array([group.key for group in groups], dtype=object)
    table = table.assign(population=keys[first], group=keys[second], contrast="difference")
    table["n_obs"], table["interval_method"] = sums.n[first] + sums.n[second], CR2
    enough = ((sums.count[first] + sums.count[second]) > 0).sum(1) >= MIN_CLUSTERS
    table = counted(table, np.minimum(sums.n[first], sums.n[second]), k)
    barred = ~enough & (table["status"] == "ok")
    table.loc[barred, NUMBERS] = np.nan
    table.loc[barred, ["status", "status_reason"]] = "not_comparable", NO_TEST
    return table


NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]


def _intervals(
    estimate: np.ndarray, error: np.ndarray, trace: np.ndarray, squares: np.ndarray, conf_level: float
) -> pd.DataFrame:
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.maximum(trace / squares, 1e-3)
        statistic = np.where(error > 0, estimate / error, np.nan)
    reach = quantile(0.5 + conf_level / 2, df) * error
    return pd.DataFrame(
        {
            "estimate": estimate, "std_error": error, "statistic": statistic, "df": df,
            "p_value": two_sided_p(statistic, df), "conf_low": estimate - reach, "conf_high": estimate + reach,
        }
    )  # fmt: skip


def counted(table: pd.DataFrame, smallest: np.ndarray, k: int) -> pd.DataFrame:
    """The rows, those with fewer than k values in a group without numbers."""
    few = smallest < k
    table["status"], table["status_reason"] = "ok", ""
    table.loc[few, ["status", "status_reason"]] = "too_few", f"not shown: fewer than {k} students"
    table.loc[few, [name for name in NUMBERS if name in table]] = np.nan
    return table
