"""The means that chapters show of students, for every subgroup: functions for the filters' cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analysis.class_sums import ClassSums, difference_rows, mean_rows, members_of
from lib.analysis.design import design_of
from lib.analysis.estimates import HEDGES, estimates
from lib.analysis.group_differences import MEAN as ADJUSTED
from lib.analysis.ratings import MODELS, PAIRED, Raters, raters
from lib.analysis.subgroup_invariance import barred, columns_named, means_alike
from lib.analysis.subgroup_relations import large_groups
from lib.analysis.two_one_sided import equivalence_tests
from lib.study.codebook import Codebook
from lib.study.load import Population, Study

SLOPES = "OLS slopes of everyone"

__all__ = ["adjusted_means", "estimator_of", "paired_means", "rating_means"]


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
    about = {"model": MODELS["students"], "estimator": estimator_of(sample)}
    return _scale_rows(study, groups, pairs, sample, values, about, conf_level)


def paired_means(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    term: str,
    others: Sequence[str],
    conf_level: float,
) -> pd.DataFrame:
    """Rows of `lib.analysis.ratings.paired_differences` for every large group, without tests: there are many groups.

    From a distance and both means with their exact n the rating of a student who skipped one of the two scales would
    follow. Distances are therefore given in hundredths, and for groups that are large enough for a latent model.
    Parameters are those of ``rating_means``: ``term`` against each of the ``others``, by the same students.
    """
    sample, k = raters(study, "students"), study.codebook.disclosure.k
    groups, _ = large_groups(study, groups, pairs)
    inside, classes = members_of(sample, groups)
    answers = sample.frame[[term, *others]].to_numpy(dtype=float)
    about = {"model": PAIRED, "term": term, "unit": "points", "estimator": estimator_of(sample)}
    tables = []
    for place, other in enumerate(others, start=1):
        sums = ClassSums.of(answers[:, 0] - answers[:, place], inside, classes)
        found = mean_rows(groups, sums, k=k, conf_level=conf_level)
        tables.append(found.assign(estimate=found["estimate"].round(2), contrast=f"below {other}", **about))
    return estimates(pd.concat(tables, ignore_index=True))


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
    of the scale as answered, pooled within the two groups; where both are large it is tested for equivalence too.
    Parameters are those of ``rating_means``; ``covariates`` is a covariate set of the codebook.
    """
    sample, book = raters(study, "students"), study.codebook
    divided = [tuple(columns_named(pd.Series([group.key]), study)) for group in groups]
    sets = list(dict.fromkeys(divided))
    of = np.array([sets.index(names) for names in divided])
    moved = [_adjusted(sample.frame, book, terms, names, book.covariate_sets[covariates]) for names in sets]
    values = {term: np.array([found[place] for found in moved])[of] for place, term in enumerate(terms)}
    about = {"model": ADJUSTED, "estimator": f"{SLOPES}, {estimator_of(sample)}"}
    rows = _scale_rows(study, groups, pairs, sample, values, about, conf_level)
    inside, _ = members_of(sample, groups)
    spread = [
        _pooled_sd(sample.frame[term].to_numpy(dtype=float), inside & ~np.isnan(moved), pairs)
        for term, moved in values.items()
    ]
    gaps = rows[rows["group"] != ""]  # by scale, then by pair
    g = _hedges(gaps, np.concatenate(spread))
    return estimates(pd.concat([rows, g, _equivalence(g, groups, book)], ignore_index=True))


def _equivalence(g: pd.DataFrame, groups: Sequence[Population], book: Codebook) -> pd.DataFrame:
    """Whether differences in SD are small, for two groups that are large enough for a latent model.

    Fewer students than that cannot show a difference to be smaller than any that is of interest.
    """
    large = {group.key for group in groups if len(group.frame) >= book.disclosure.latent_min_n}
    tested = estimates(g[g["population"].isin(large) & g["group"].isin(large)])
    margins = dict.fromkeys(tested["row_id"], book.thresholds["sesoi"])
    return equivalence_tests(tested, margins, alpha=book.thresholds["alpha"])


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


def estimator_of(sample: Raters) -> str:
    """As of the ratings of one population; students without a class are each taken by themselves."""
    return sample.clusters.estimator if sample.clusters else "least squares, HC2"
