"""How the exposure goes with each outcome: one structural-equation model per outcome.

The exposure is one latent quality measured by its subscales; outcome and exposure are both regressed on
the covariates. Effects are standardized: SD of the outcome per SD of the exposure.
"""

from __future__ import annotations

import pandas as pd

from lib.analysis.design import Design, design
from lib.analysis.estimates import estimates
from lib.errors import ModelError, StudyError, TooFewError
from lib.sem.fit import SemFit, fit
from lib.sem.quantities import Effect, estimate_effect
from lib.study.codebook import DisclosureSettings, nearest
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
    """The named populations, each once, without the empty names that stand for "none"."""
    found = [study.population(name) for name in names if name]
    return list({population.key: population for population in found}.values())


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
        If the codebook does not know an outcome.

    Returns
    -------
    DataFrame
        One row per population and outcome, in the shared shape; ``unit`` is ``SD per SD``.
    """
    exposure, _ = study.codebook.exposure
    rows = []
    for population in groups:
        held = held_constant(study, population, outcomes, covariates)
        for outcome in outcomes:
            base = {
                "population": population.key,
                "model": "direct",
                "estimator": METHOD[missing],
                "term": outcome,
            }
            try:
                fitted = fit_structural(
                    study, population, [(outcome, exposure)], held=held[outcome], missing=missing
                )
            except ModelError as error:
                rows.append(base | not_estimated(error))
                continue
            rows.append(base | path(fitted, outcome, exposure, conf_level=conf_level))
    return estimates(rows)


def held_constant(
    study: Study, population: Population, outcomes: list[str], covariates: dict[str, str]
) -> dict[str, Design]:
    """Covariate columns that each outcome's models hold constant, made once for each covariate set.

    Raises
    ------
    StudyError
        If an outcome has no covariate set, that is, the codebook does not know it.
    """
    unknown = [outcome for outcome in outcomes if outcome not in covariates]
    if unknown:
        raise StudyError(
            f"codebook.yml has no scale, domain or outcome {unknown[0]!r}{nearest(unknown[0], covariates)}"
        )
    sets = dict.fromkeys(covariates[outcome] for outcome in outcomes)
    made = {name: design(population.frame, study.codebook, name) for name in sets}
    return {outcome: made[covariates[outcome]] for outcome in outcomes}


def fit_structural(
    study: Study, population: Population, paths: list[tuple[str, str]], *, held: Design, missing: str
) -> SemFit:
    """Fit the latent exposure and the paths given, everything regressed on the covariates.

    Parameters
    ----------
    study : Study
    population : Population
    paths : list of (outcome, predictor)
        Structural paths; their variables are the exposure's key or columns of the students' table.
    held : Design
        Covariates of the population (``held_constant``).
    missing : {"fiml", "listwise"}

    Raises
    ------
    ModelError
        If the model cannot be estimated, or its solution may not be reported.
    """
    data = structural_data(study, population, paths, held)
    fitted = fit(structural_model(study, paths, list(held.columns)), data, **MISSING[missing])
    return reportable(fitted, study.codebook.disclosure)


def reportable(fitted: SemFit, settings: DisclosureSettings) -> SemFit:
    """The fit, if its results may be reported: converged, admissible and on enough students in each group (D7).

    Raises
    ------
    ModelError
        If it is not; a ``TooFewError`` for want of students.
    """
    sizes = fitted.problem.sample.n
    own = fitted.n_parameters / len(sizes)
    if min(sizes) < max(settings.latent_min_n, settings.latent_n_per_parameter * own):
        raise TooFewError("too few students")
    if fitted.status != "ok":
        raise ModelError(fitted.status_reason)
    return fitted


def structural_data(
    study: Study, population: Population, paths: list[tuple[str, str]], held: Design
) -> pd.DataFrame:
    """Indicators, observed variables of the paths and covariates of a population, one row per student."""
    exposure, _ = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]
    observed = sorted({variable for pair in paths for variable in pair} - {exposure})
    return pd.concat([population.frame[indicators + observed].astype(float), held.columns], axis=1)


def structural_model(
    study: Study, paths: list[tuple[str, str]], constant: list[str], *, groups: int = 1
) -> str:
    """Text of the model: the latent exposure, its paths with a label for each group, covariates everywhere."""
    exposure, _ = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]
    lines = [f"{exposure} =~ {' + '.join(indicators)}"]
    for variable in [exposure, *dict.fromkeys(outcome for outcome, _ in paths)]:
        predictors = [
            f"{_modifier(outcome, predictor, groups)}*{predictor}"
            for outcome, predictor in paths
            if outcome == variable
        ]
        right = " + ".join([*predictors, *constant])
        lines += [f"{variable} ~ {right}"] if right else []
    return "\n".join(lines)


def _modifier(outcome: str, predictor: str, groups: int) -> str:
    labels = [path_label(outcome, predictor, group=group) for group in range(1, groups + 1)]
    return path_label(outcome, predictor) if groups == 1 else f"c({', '.join(labels)})"


def not_estimated(error: ModelError) -> dict:
    """Row columns of a result that a model could not give."""
    status = "too_few" if isinstance(error, TooFewError) else "not_converged"
    return {"unit": "SD per SD", "status": status, "status_reason": f"not estimated: {error}"}


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


def path_label(outcome: str, predictor: str, *, group: int = 0) -> str:
    """Label of a structural path in the model's text; groups are counted from 1."""
    return f"{predictor}_to_{outcome}" + (f"_{group}" if group else "")
