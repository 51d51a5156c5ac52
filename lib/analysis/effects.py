"""How the exposure goes with each outcome: one structural-equation model per outcome.

The exposure is one latent quality measured by its subscales; outcome and exposure are both regressed on
the covariates. Effects are standardized: SD of the outcome per SD of the exposure.
"""

from __future__ import annotations

import pandas as pd

from lib.analysis.design import design
from lib.analysis.estimates import estimates
from lib.errors import ModelError, StudyError
from lib.sem.fit import SemFit, fit
from lib.sem.quantities import Effect, estimate_effect
from lib.study.codebook import nearest
from lib.study.load import Population, Study

MISSING = {
    "fiml": {"missing": "ml.x", "fixed_x": False},
    "listwise": {"missing": "listwise", "fixed_x": True},
}
METHOD = {
    "fiml": "SEM, maximum likelihood with missing answers (FIML)",
    "listwise": "SEM, maximum likelihood, complete answers only",
}
METHOD_LABELS = {METHOD["fiml"]: "Every answer (FIML)", METHOD["listwise"]: "Complete answers only"}


def populations(study: Study, *names: str) -> list[Population]:
    """The named populations, without the empty names that stand for "none"."""
    return [study.population(name) for name in dict.fromkeys(names) if name]


def covariates_by_outcome(study: Study, covariates: str, *, records: str) -> dict[str, str]:
    """Covariate set of every possible outcome: one for survey scales, another for the record's columns."""
    surveyed = [*study.codebook.scales, *study.codebook.domains]
    return dict.fromkeys(surveyed, covariates) | dict.fromkeys(study.codebook.outcomes, records)


def direct_effects(
    study: Study,
    groups: list[Population],
    *,
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    missing: str = "fiml",
) -> pd.DataFrame:
    """Standardized path from the exposure to each outcome, one model per outcome.

    Parameters
    ----------
    study : Study
    groups : list of Population
        The students to use, each population by itself.
    outcomes : list of str
        Keys of scales, domains or outcome columns.
    covariates : dict
        A covariate set of the codebook for each outcome.
    conf_level : float
        Coverage of the interval, in (0, 1).
    missing : {"fiml", "listwise"}
        What happens to students with missing answers.

    Raises
    ------
    StudyError
        If an outcome has no covariate set, that is, the codebook does not know it.

    Returns
    -------
    DataFrame
        One row per population and outcome, in the shared shape; ``unit`` is ``SD per SD``.
    """
    exposure, _ = study.codebook.exposure
    for outcome in outcomes:
        if outcome not in covariates:
            raise StudyError(
                f"codebook.yml has no scale, domain or outcome {outcome!r}{nearest(outcome, covariates)}"
            )
    rows = []
    for population in groups:
        for outcome in outcomes:
            base = {
                "population": population.key,
                "model": "direct",
                "estimator": METHOD[missing],
                "term": outcome,
            }
            paths, held = [(outcome, exposure)], covariates[outcome]
            try:
                fitted = fit_structural(study, population, paths, covariates=held, missing=missing)
            except ModelError as error:
                rows.append(base | not_estimated(error))
                continue
            rows.append(base | path(fitted, outcome, exposure, conf_level=conf_level))
    return estimates(rows)


def fit_structural(
    study: Study,
    population: Population,
    paths: list[tuple[str, str]],
    *,
    covariates: str,
    missing: str,
) -> SemFit:
    """Fit the latent exposure and the paths given, everything regressed on the covariates.

    Parameters
    ----------
    study : Study
    population : Population
    paths : list of (outcome, predictor)
        Structural paths; their variables are the exposure's key or columns of the students' table.
    covariates : str
        A covariate set of the codebook.
    missing : {"fiml", "listwise"}

    Raises
    ------
    ModelError
        If the model cannot be estimated, or its solution may not be reported.
    """
    exposure, _ = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]
    held = design(population.frame, study.codebook, covariates)
    observed = sorted({variable for pair in paths for variable in pair} - {exposure})
    data = pd.concat([population.frame[indicators + observed].astype(float), held.columns], axis=1)
    constant = " + ".join(held.columns)
    regressed = [exposure, *dict.fromkeys(outcome for outcome, _ in paths)]
    lines = [f"{exposure} =~ {' + '.join(indicators)}"]
    for variable in regressed:
        predictors = [
            f"{path_label(outcome, predictor)}*{predictor}"
            for outcome, predictor in paths
            if outcome == variable
        ]
        right = " + ".join(filter(None, [*predictors, constant]))
        lines += [f"{variable} ~ {right}"] if right else []
    fitted = fit("\n".join(lines), data, **MISSING[missing])
    if fitted.status != "ok":
        raise ModelError(fitted.status_reason)
    return fitted


def not_estimated(error: ModelError) -> dict:
    """Row columns of a result that a model could not give."""
    return {"unit": "SD per SD", "status": "not_converged", "status_reason": f"not estimated: {error}"}


def path(fitted: SemFit, outcome: str, predictor: str, *, conf_level: float) -> dict:
    """Row columns of the standardized path ``outcome ~ predictor``, with its delta-method interval."""
    label = path_label(outcome, predictor)
    effect = estimate_effect(fitted, label, conf_level=conf_level, standardized=True)
    return effect_row(effect, unit="SD per SD", n_obs=fitted.n_obs)


def effect_row(effect: Effect, *, unit: str, n_obs: int) -> dict:
    """Row columns of one estimated quantity."""
    return {
        "estimate": effect.estimate,
        "std_error": effect.std_error,
        "statistic": effect.statistic,
        "p_value": effect.p_value,
        "conf_low": effect.conf_low,
        "conf_high": effect.conf_high,
        "interval_method": effect.interval_method.replace("_", " "),
        "n_obs": n_obs,
        "unit": unit,
    }


def path_label(outcome: str, predictor: str) -> str:
    """Label of a structural path in the model's text."""
    return f"{predictor}_to_{outcome}"
