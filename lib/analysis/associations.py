"""How views of the classroom go with outcomes, by themselves: the exposure is in none of these models.

Each outcome is regressed on one view and the covariates; paths are standardized, SD per SD.
"""

from __future__ import annotations

from itertools import product

import pandas as pd

from lib.analysis.effects import MISSING, effect_row, held_constant, not_estimated
from lib.analysis.estimates import estimates
from lib.errors import ModelError
from lib.sem.fit import fit
from lib.sem.quantities import estimate_effect
from lib.study.load import Population, Study

MODEL, LABEL = "association", "b"
METHOD = {
    "fiml": "regression, maximum likelihood with missing answers (FIML)",
    "listwise": "regression, maximum likelihood, complete answers only",
}


def associations(
    study: Study,
    groups: list[Population],
    *,
    features: list[str],
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    missing: str = "fiml",
) -> pd.DataFrame:
    """Standardized path from each view of the classroom to each outcome.

    Parameters
    ----------
    study, groups, outcomes, covariates, conf_level, missing
        As of ``lib.analysis.effects.direct_effects``.
    features : list of str
        Keys of scales or domains.

    Returns
    -------
    DataFrame
        One row for each population, feature and outcome: ``contrast`` is the feature, ``term`` the outcome.
    """
    rows = []
    for population in groups:
        held = held_constant(study, population, outcomes, covariates)
        for feature, outcome in product(features, outcomes):
            columns = held[outcome].columns
            data = pd.concat([population.frame[[feature, outcome]].astype(float), columns], axis=1)
            model = f"{outcome} ~ {' + '.join([f'{LABEL}*{feature}', *columns])}"
            try:
                fitted = fit(model, data, **MISSING[missing])
                effect = estimate_effect(fitted, LABEL, conf_level=conf_level, standardized=True)
                found = effect_row(effect, unit="SD per SD", n_obs=fitted.n_obs)
            except ModelError as error:
                found = not_estimated(error)
            rows.append(about_association(population, feature, outcome, missing) | found)
    return estimates(rows)


def about_association(population: Population, feature: str, outcome: str, missing: str) -> dict:
    """Row columns that name one association."""
    named = {"population": population.key, "contrast": feature, "term": outcome}
    return named | {"model": MODEL, "estimator": METHOD[missing]}
