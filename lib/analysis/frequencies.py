"""How many: sample sizes and shares, as rows of the shared shape."""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import estimates
from lib.study.load import Population, Study


def sample_sizes(study: Study, populations: list[Population]) -> pd.DataFrame:
    """Students in each population, and those with each outcome on record.

    Parameters
    ----------
    study : Study
    populations : list of Population

    Returns
    -------
    DataFrame
        Count rows (unit ``students``); ``term`` is the respondents' column or an outcome.
    """
    answered = next(iter(study.codebook.respondents))
    rows = []
    for population in populations:
        counted = {answered: len(population.frame)} | {
            outcome: int(population.frame[outcome].notna().sum()) for outcome in study.codebook.outcomes
        }
        rows += [
            {
                "population": population.key,
                "model": "count",
                "term": term,
                "estimate": count,
                "n_obs": len(population.frame),
                "unit": "students",
            }
            for term, count in counted.items()
        ]
    return estimates(rows)
