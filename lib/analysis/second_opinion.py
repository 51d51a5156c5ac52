"""How far another program's estimates of the headline models lie from ours, as rows of the shared shape."""

from __future__ import annotations

import pandas as pd

from lib.analysis.effects import fit_structural, held_constant, not_estimated, structural_data
from lib.analysis.estimates import estimates
from lib.errors import ModelError
from lib.sem.second_opinion import second_opinion
from lib.study.load import Population, Study

MILLIONTHS, UNIT = 1e6, "millionths of a standard error"


def second_opinions(
    study: Study, population: Population, *, outcomes: list[str], covariates: dict[str, str]
) -> pd.DataFrame:
    """Refit the model of each outcome with semopy, on complete answers.

    Parameters
    ----------
    study : Study
    population : Population
    outcomes : list of str
        Keys of scales, domains or outcome columns.
    covariates : dict
        A covariate set of the codebook for each outcome.

    Returns
    -------
    DataFrame
        One row for each outcome, model ``second opinion``: the largest difference of any free parameter in
        millionths of its standard error.
    """
    exposure, _ = study.codebook.exposure
    designs = held_constant(study, population, outcomes, covariates)
    rows = []
    for outcome in outcomes:
        row = {
            "model": "second opinion", "estimator": "semopy", "population": population.key, "term": outcome,
            "contrast": "largest difference",
        }  # fmt: skip
        paths, held = [(outcome, exposure)], designs[outcome]
        try:
            fitted = fit_structural(study, population, paths, held=held, missing="listwise")
            found = second_opinion(fitted, structural_data(study, population, paths, held))
        except ModelError as error:
            rows.append(row | not_estimated(error))
            continue
        row |= {"estimate": MILLIONTHS * found["difference"].max(), "unit": UNIT, "n_obs": fitted.n_obs}
        rows.append(row)
    return estimates(rows)
