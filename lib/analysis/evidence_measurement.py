"""Rows behind the findings on measures: whether the exposure's parts hang together, and which scales measure alike."""

from __future__ import annotations

import pandas as pd

from lib.analysis.exploratory import exploratory
from lib.analysis.factors import confirmatory
from lib.analysis.measurement import comparability, comparable_scales
from lib.sem.invariance import LEVELS
from lib.study.load import Study

N_DRAWS = 500


def measurement(study: Study, *, conf_level: float, seed: int, missing: str) -> pd.DataFrame:
    """Factors of everyone's answers, and the ladder of all scales between focal and reference group."""
    everyone, focal, reference = (study.population(name) for name in ("all", "focal", "reference"))
    exposure, _ = study.codebook.exposure
    tables = [
        exploratory(study, everyone, n_draws=N_DRAWS, seed=seed),
        confirmatory(study, everyone, [exposure], conf_level=conf_level),
        comparability(
            study, [*comparable_scales(study), exposure], focal, reference,
            alpha=study.codebook.thresholds["alpha"], levels=LEVELS[:3], missing=missing,
        ),
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)
