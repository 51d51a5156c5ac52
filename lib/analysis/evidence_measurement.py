"""Rows behind the findings on measures: whether the exposure's parts hang together, and which scales measure alike."""

from __future__ import annotations

import pandas as pd

from lib.analysis.exploratory import exploratory
from lib.analysis.factors import confirmatory
from lib.analysis.ladder import MODEL
from lib.analysis.measurement import DELTA_CFI, comparability, comparable_scales
from lib.sem.invariance import LEVELS
from lib.study.load import Study

N_DRAWS = 500


def measurement(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Factors of everyone's answers, and the ladder of scales between focal and reference group."""
    everyone = study.population("all")
    exposure, _ = study.codebook.exposure
    tables = [
        exploratory(study, everyone, n_draws=N_DRAWS, seed=seed, items_too=False),
        confirmatory(study, everyone, [exposure], conf_level=conf_level),
        ladder_asked_for(study, missing=missing),
    ]
    return pd.concat(tables, ignore_index=True)


def ladder_asked_for(study: Study, *, missing: str) -> pd.DataFrame:
    """Rows of ``comparability`` for the scales that rules name, with verdicts as in the ladder of all scales.

    Holm's correction takes in all scales, but none of them can matter to a step whose own p is over alpha, or under
    alpha divided by their number. Only where a step lies between the two is every scale tested.
    """
    alpha, every = study.codebook.thresholds["alpha"], comparable_scales(study)
    pair, settings = (study.population("focal"), study.population("reference")), {
        "alpha": alpha, "levels": LEVELS[:3], "missing": missing
    }  # fmt: skip
    asked = [scale for scale in every if scale in _named(study)] or every
    rows = comparability(study, asked, *pair, **settings)
    steps = rows[(rows["model"] == MODEL) & rows["contrast"].isin(LEVELS[1:3])]
    open_yet = (-steps["estimate"] > DELTA_CFI) & steps["p_value"].between(alpha / len(every), alpha)
    return comparability(study, every, *pair, **settings) if open_yet.any() else rows


def _named(study: Study) -> set[str]:
    """Terms that rules select from the ladder."""
    chosen = [columns for rule in (study.rules or {}).values() for columns in rule.select.values()]
    return {
        term for columns in chosen if MODEL in columns.get("model", ()) for term in columns.get("term", ())
    }
