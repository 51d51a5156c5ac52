"""Rows that decide the findings on how much and how good collaboration is: those of the chapters, with their defaults."""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.frequencies import answer_shares, cut, share_differences
from lib.analysis.ratings import (
    compared_levels,
    lowest_of,
    mean_ratings,
    paired_differences,
    raters,
    rating_differences,
)
from lib.analysis.spread import chi_square, spread_between
from lib.analysis.themes import theme_counts
from lib.analysis.visits import activity_seen
from lib.study.load import Study

BY, PLACE, COVARIATES, ACTIVITY = "subject", "school", "C_RACE", "activity"
UNITS = {"visits": "visit_id", "classrooms": "class_id"}


def frequency(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Shares of regular, short and long group work, their differences, their spread, visits and interviews."""
    regular = cut(study, "frequency", at_least="weekly_min")
    short, long = (
        cut(study, "length", at_most="length_short_max"),
        cut(study, "length", at_least="length_long_min"),
    )
    everyone = raters(study, "students", population="all")
    pair = compared_levels(study, "students", BY, ["frequency"])
    asked = dict(by=BY, pair=pair, conf_level=conf_level)
    tables = [
        answer_shares(everyone, [regular, short, long], conf_level=conf_level),
        share_differences(everyone, [regular, short, long], **asked),
        chi_square(everyone, "frequency", by=BY, seed=seed),
        spread_between(everyone, "frequency", place=PLACE, conf_level=conf_level),
    ]
    if study.teachers is not None:
        teachers = raters(study, "teachers")
        tables += [
            answer_shares(teachers, [regular], conf_level=conf_level),
            share_differences(teachers, [regular], **asked),
            chi_square(teachers, "frequency", by=BY, seed=seed),
        ]
    if study.observations is not None:
        tables.append(activity_seen(study, _seen(study), units=UNITS, place=PLACE, conf_level=conf_level))
    if study.excerpts is not None:
        themes = study.codebook.theme_sets["frequency"]
        tables.append(theme_counts(study, unit="interviews", themes=themes, conf_level=conf_level))
    return estimates(pd.concat(tables))


def _seen(study: Study) -> str:
    return f"{ACTIVITY}={next(iter(study.codebook.columns[ACTIVITY].levels))}"


def quality(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Mean ratings of students, teachers and visitors, how subjects and activities differ in them, and their order."""
    book = study.codebook
    scales, held = [scale.key for scale in book.scales_with("exposure")], book.covariate_sets[COVARIATES]
    domains = [key for key, domain in book.domains.items() if domain.role == "exposure"]
    everyone, named = raters(study, "students", population="all"), dict(conf_level=conf_level)
    pair = compared_levels(study, "students", BY, scales)
    lowest, others = lowest_of(everyone, book.domains[domains[0]].scales)
    tables = [
        mean_ratings(everyone, scales, **named),
        rating_differences(everyone, scales, by=BY, pair=pair, covariates=held, **named),
        paired_differences(everyone, lowest, others, **named),
        *(spread_between(everyone, key, place=PLACE, **named) for key in domains),
    ]
    if study.teachers is not None:
        teachers, asked = (
            raters(study, "teachers"),
            [scale.key for scale in book.scales_with("teacher_quality")],
        )
        tables += [
            mean_ratings(teachers, asked, **named),
            rating_differences(teachers, asked, by=BY, pair=pair, **named),
        ]
    if study.observations is not None:
        visits = raters(study, "observations")
        items = [item for scale in book.scales_with("observed") for item in scale.items]
        activities = list(book.columns[ACTIVITY].levels)[:2]
        tables += [
            mean_ratings(visits, items, **named),
            rating_differences(visits, items, by=ACTIVITY, pair=activities, covariates=held, **named),
        ]
    if study.excerpts is not None:
        tables.append(theme_counts(study, unit="focus groups", themes=book.theme_sets["relevance"], **named))
    return estimates(pd.concat(tables))
