"""The shares of answers that chapters show of students, for every subgroup: a function for the filters' cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.analysis.class_sums import ClassSums, counted, difference_rows, members_of
from lib.analysis.estimates import DIFFERENCE, estimates
from lib.analysis.frequencies import SHARE, WILSON, answers_met, column_of, two_shares
from lib.analysis.ratings import raters
from lib.analysis.subgroup_means import estimator_of
from lib.analysis.subgroup_relations import large_groups
from lib.analysis.two_one_sided import equivalence_tests
from lib.sem.distributions import quantile
from lib.study.load import Population, Study

__all__ = ["share_means", "wilson"]


def share_means(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    terms: Sequence[str],
    conf_level: float,
) -> pd.DataFrame:
    """Rows of `lib.analysis.frequencies.answer_shares` for every group, and differences of pairs.

    Differences come as of `lib.analysis.frequencies.share_differences`: with errors by class, with answers taken as
    independent, as Cox's index, and tested for equivalence.

    Groups too small for a latent model are left out here too: rare answers of few students are coded (DISCLOSURE.md,
    D5), and what is coded takes the answers beside it along. Everyone else of such a group is left out with it, since
    one follows from the other. Parameters are those of ``rating_means``; ``terms`` are
    those of ``lib.analysis.frequencies.answers_met``.
    """
    sample, k = raters(study, "students"), study.codebook.disclosure.k
    groups, pairs = large_groups(study, groups, pairs)
    if not groups:
        return estimates([])
    inside, classes = members_of(sample, groups)
    tables = []
    for term in dict.fromkeys(terms):
        met = answers_met(sample.frame[column_of(term)], term).to_numpy(dtype=float)
        sums = ClassSums.of(100 * met, inside, classes)
        about = {"model": SHARE, "term": term, "unit": "percent"}
        count = (inside & (met == 1)).sum(1)
        own = wilson(count, sums.n, conf_level=conf_level).assign(population=[group.key for group in groups])
        tables.append(counted(own, sums.n, k).assign(estimator=WILSON, **about))
        gaps = difference_rows(groups, pairs, sums, k=k, conf_level=conf_level)
        tables.append(gaps.assign(estimator=estimator_of(sample), **about))
        alone = estimates(_independent(groups, pairs, count, sums.n, k=k, conf_level=conf_level, **about))
        tables += [alone, _equivalence(alone, study.codebook.thresholds)]
    return estimates(pd.concat(tables, ignore_index=True))


def _independent(
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    count: np.ndarray,
    n: np.ndarray,
    *,
    k: int,
    conf_level: float,
    **about: str,
) -> list[dict]:
    """Differences of shares with answers taken as independent, and as Cox's index."""
    rows = []
    for one, two in pairs:
        named = about | {"population": groups[one].key, "group": groups[two].key, "contrast": DIFFERENCE}
        sizes = int(n[one]), int(n[two])
        found = two_shares((int(count[one]), int(count[two])), sizes, k=k, conf_level=conf_level)
        cox = found.pop("cox", None)
        rows += [named | found, *([named | cox] if cox else [])]
    return rows


def _equivalence(gaps: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    points = gaps[gaps["contrast"] == DIFFERENCE]
    margins = dict.fromkeys(points["row_id"], thresholds["sesoi_points"])
    return equivalence_tests(points, margins, alpha=thresholds["alpha"])


def wilson(count: np.ndarray, n: np.ndarray, *, conf_level: float) -> pd.DataFrame:
    """Shares in percent with Wilson's (1927) interval."""
    z = quantile(0.5 + conf_level / 2)
    n = np.maximum(n, 1)
    share = count / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return pd.DataFrame(
        {
            "estimate": 100 * share, "conf_low": 100 * (middle - reach), "conf_high": 100 * (middle + reach),
            "n_obs": n, "interval_method": "Wilson",
        }
    )  # fmt: skip
