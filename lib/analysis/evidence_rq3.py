"""Rows that decide the findings on what was said, and on what helps and hinders: those of the chapters."""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.teachers import ratings_by_group, ratings_in_order
from lib.analysis.themes import GROUPS, INTERVIEWS, theme_contrasts, theme_counts, theme_views
from lib.study.load import Study

BY = "subject"


def voices(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Themes of the focus groups by type of group, and how the types differ."""
    if study.excerpts is None:
        return estimates([])
    every = list(study.codebook.columns["theme"].levels)
    said = theme_counts(study, unit=GROUPS, themes=every, conf_level=conf_level)
    compared = study.codebook.theme_sets["contrast"]
    return estimates(pd.concat([said, theme_contrasts(study, themes=compared, conf_level=conf_level)]))


def perspectives(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Views of teachers and of students on the same matters."""
    return estimates([]) if study.excerpts is None else theme_views(study, conf_level=conf_level)


def beliefs(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Benefits and challenges as teachers rate them, over all and by subject."""
    return _rated(study, "benefit", "challenge", conf_level=conf_level)


def school_factors(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Factors of the school as teachers rate them, and what they named in interviews."""
    tables = [_rated(study, "school_factor", conf_level=conf_level)]
    if study.excerpts is not None:
        sets = study.codebook.theme_sets
        themes = [*sets["helps"], *sets["hinders"]]
        tables.append(theme_counts(study, unit=INTERVIEWS, themes=themes, conf_level=conf_level))
    return estimates(pd.concat(tables))


def leaders(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Support of school leaders as teachers see it, over all and by subject."""
    return _rated(study, "leader_support", conf_level=conf_level)


def _rated(study: Study, *roles: str, conf_level: float) -> pd.DataFrame:
    scales = [scale for role in roles for scale in study.codebook.scales_with(role)]
    if study.teachers is None or not scales:
        return estimates([])
    return estimates(
        pd.concat(
            [
                ratings_in_order(study, scales, conf_level=conf_level),
                ratings_by_group(study, scales, by=BY, conf_level=conf_level),
            ]
        )
    )
