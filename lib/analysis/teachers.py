"""What teachers say of benefits, hurdles and support: items of the teachers' scales, over all and by subject."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.ratings import (
    compared_levels,
    mean_ratings,
    paired_differences,
    raters,
    rating_differences,
)
from lib.study.codebook import Scale
from lib.study.load import Study


def terms_of(scales: Sequence[Scale], *, items_only: bool = False) -> list[str]:
    """Scales, each followed by its items."""
    return [term for scale in scales for term in ((() if items_only else (scale.key,)) + scale.items)]


def ratings_in_order(
    study: Study, scales: Sequence[Scale], *, conf_level: float, exhibit: str = "", largest_first: bool = True
) -> pd.DataFrame:
    """Mean of every item over all teachers, in the order of the means."""
    sample = raters(study, "teachers")
    rows = mean_ratings(sample, terms_of(scales, items_only=True), conf_level=conf_level, exhibit=exhibit)
    return rows.sort_values("estimate", ascending=not largest_first, kind="stable").reset_index(drop=True)


def ratings_by_group(
    study: Study, scales: Sequence[Scale], *, by: str, conf_level: float, exhibit: str = ""
) -> pd.DataFrame:
    """Means of scales and items in the two groups compared, and their differences, the second level minus the first.

    Returns
    -------
    DataFrame
        Rows of ``mean_ratings`` (scales over all teachers as well) and of ``rating_differences``.
    """
    sample, terms = raters(study, "teachers"), terms_of(scales)
    pair = compared_levels(study, "teachers", by, terms)
    named = dict(conf_level=conf_level, exhibit=exhibit)
    whole = mean_ratings(sample, [scale.key for scale in scales], **named)
    means = mean_ratings(sample, terms, by=by, levels=pair[::-1], **named)
    return estimates(pd.concat([whole, means, rating_differences(sample, terms, by=by, pair=pair, **named)]))


def place_of(study: Study, ordered: pd.DataFrame, *, conf_level: float, place: int = 0) -> pd.DataFrame:
    """One item of an order against each item after it, by the same teachers: whether its place is more than chance.

    Parameters
    ----------
    study : Study
    ordered : DataFrame
        Rows of ``ratings_in_order``.
    conf_level : float
    place : int
        Which item, counted from 0.
    """
    terms = ordered["term"].tolist()
    return paired_differences(
        raters(study, "teachers"), terms[place], terms[place + 1 :], conf_level=conf_level
    )
