"""The means and shares that chapters show of students, for every subgroup: functions for the filters' cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analysis.class_sums import ClassSums, counted, difference_rows, mean_rows, members_of
from lib.analysis.design import design_of
from lib.analysis.estimates import HEDGES, estimates
from lib.analysis.frequencies import SHARE, WILSON, answers_met, column_of
from lib.analysis.group_differences import MEAN as ADJUSTED
from lib.analysis.ratings import MODELS, Raters, raters
from lib.analysis.subgroup_invariance import barred, columns_named, means_alike
from lib.sem.distributions import quantile
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

SLOPES = "OLS slopes of everyone"

__all__ = ["adjusted_means", "rating_means", "share_means", "wilson"]


def rating_means(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    terms: Sequence[str],
    conf_level: float,
) -> pd.DataFrame:
    """Rows of `lib.analysis.ratings.mean_ratings` for every group, and differences of pairs.

    Parameters
    ----------
    study : Study
    groups : sequence of Population
    pairs : sequence of (int, int)
        Places in ``groups`` of two groups that share no student.
    terms : sequence of str
        Scales that students rated; a difference needs a scale that measures alike on the columns that divide them.
    conf_level : float
    """
    sample = raters(study, "students")
    values = {term: sample.frame[term].to_numpy(dtype=float) for term in terms}
    about = {"model": MODELS["students"], "estimator": _estimator(sample)}
    return _scale_rows(study, groups, pairs, sample, values, about, conf_level)


def adjusted_means(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    terms: Sequence[str],
    covariates: str,
    conf_level: float,
) -> pd.DataFrame:
    """Means that every group would have with everyone's mix of covariates, differences of pairs and Hedges' g.

    A covariate's slope is that of the regression over everyone on the covariates and on the columns that divide the
    groups; these columns are not adjusted for, and slopes are taken as known. Hedges' g is the adjusted difference in SD
    of the scale as answered, pooled within the two groups. Parameters are those of ``rating_means``; ``covariates`` is
    a covariate set of the codebook.
    """
    sample, book = raters(study, "students"), study.codebook
    divided = [tuple(columns_named(pd.Series([group.key]), study)) for group in groups]
    sets = list(dict.fromkeys(divided))
    of = np.array([sets.index(names) for names in divided])
    moved = [_adjusted(sample.frame, book, terms, names, book.covariate_sets[covariates]) for names in sets]
    values = {term: np.array([found[place] for found in moved])[of] for place, term in enumerate(terms)}
    about = {"model": ADJUSTED, "estimator": f"{SLOPES}, {_estimator(sample)}"}
    rows = _scale_rows(study, groups, pairs, sample, values, about, conf_level)
    inside, _ = members_of(sample, groups)
    spread = [
        _pooled_sd(sample.frame[term].to_numpy(dtype=float), inside & ~np.isnan(moved), pairs)
        for term, moved in values.items()
    ]
    gaps = rows[rows["group"] != ""]  # by scale, then by pair
    return estimates(pd.concat([rows, _hedges(gaps, np.concatenate(spread))], ignore_index=True))


def _pooled_sd(answers: np.ndarray, inside: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """SD of answers (N,) within the two groups of each pair, of those ``inside`` (B, N), pooled."""
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    n, known = inside.sum(1), np.nan_to_num(answers)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = inside @ known**2 - (inside @ known) ** 2 / n
        return np.sqrt((squares[first] + squares[second]) / (n[first] + n[second] - 2))


def _hedges(gaps: pd.DataFrame, spread: np.ndarray) -> pd.DataFrame:
    """Differences in SD with Hedges' correction for small samples; one p-value is enough for both."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = (1 - 3 / (4 * (gaps["n_obs"] - 2) - 1)) / spread
    moved = {name: gaps[name] * scaled for name in ("estimate", "std_error", "conf_low", "conf_high")}
    empty = dict.fromkeys(("statistic", "p_value"), np.nan)
    return gaps.drop(columns="row_id").assign(contrast=HEDGES, unit="SD", **moved, **empty)


def _adjusted(
    frame: pd.DataFrame,
    book: Codebook,
    terms: Sequence[str],
    divided: Sequence[str],
    covariates: Sequence[str],
) -> np.ndarray:
    """Scales (terms, N) with each covariate moved to its mean, but for those that divide the groups."""
    held = design_of(frame, book, [key for key in covariates if key not in divided]).columns.to_numpy(float)
    own = design_of(frame, book, list(divided)).columns.to_numpy(float)
    away = held - np.nanmean(held, axis=0)
    columns = np.column_stack([np.ones(len(frame)), own, away])
    known, out = ~np.isnan(columns).any(1), []
    for term in terms:
        outcome = frame[term].to_numpy(dtype=float)
        whole = ~np.isnan(outcome) & known
        slopes = np.linalg.lstsq(columns[whole], outcome[whole], rcond=None)[0]
        out.append(outcome - away @ slopes[1 + own.shape[1] :])
    return np.array(out)


def _scale_rows(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    sample: Raters,
    values: dict[str, np.ndarray],
    about: dict[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """Means of scales and those differences for which a scale measures alike."""
    k = study.codebook.disclosure.k
    inside, classes = members_of(sample, groups)
    own, gaps = [], []
    for term, told in values.items():
        sums = ClassSums.of(told, inside, classes)
        named = about | {"term": term, "unit": "points"}
        own.append(mean_rows(groups, sums, k=k, conf_level=conf_level).assign(**named))
        gaps.append(difference_rows(groups, pairs, sums, k=k, conf_level=conf_level).assign(**named))
    gap = pd.concat(gaps, ignore_index=True)
    alpha = study.codebook.thresholds["alpha"]
    why = means_alike(study, columns_named(gap["population"], study), list(values), alpha=alpha)
    return estimates(pd.concat([*own, barred(gap, why)], ignore_index=True))


def share_means(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    terms: Sequence[str],
    conf_level: float,
) -> pd.DataFrame:
    """Rows of `lib.analysis.frequencies.answer_shares` for every group, and differences of pairs by class.

    Groups too small for a latent model are left out here too: rare answers of few students are coded (DISCLOSURE.md,
    D5), and what is coded takes the answers beside it along. Parameters are those of ``rating_means``; ``terms`` are
    those of ``lib.analysis.frequencies.answers_met``.
    """
    sample, k = raters(study, "students"), study.codebook.disclosure.k
    least = study.codebook.disclosure.latent_min_n
    large = [place for place, group in enumerate(groups) if len(group.frame) >= least]
    if not large:
        return estimates([])
    at = {place: new for new, place in enumerate(large)}
    pairs = [(at[one], at[two]) for one, two in pairs if one in at and two in at]
    groups = [groups[place] for place in large]
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
        tables.append(gaps.assign(estimator=_estimator(sample), **about))
    return estimates(pd.concat(tables, ignore_index=True))


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


def _estimator(sample: Raters) -> str:
    """As of the ratings of one population; students without a class are each taken by themselves."""
    return sample.clusters.estimator if sample.clusters else "least squares, HC2"
