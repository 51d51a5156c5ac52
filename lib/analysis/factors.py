"""How well scales measure: reliability and confirmatory factor analysis.

Alpha is Cronbach's (1951) with the interval of Feldt (1965); omega is McDonald's (1999) from a fitted one-factor model,
and for ordered answers that of Green & Yang (2009) from polychoric correlations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from lib.analysis.effects import not_estimated, reportable
from lib.analysis.estimates import estimates
from lib.analysis.ladder import TOO_FEW
from lib.analysis.measurement import MIN_ITEMS, indicator_answers, indicators_of
from lib.errors import ModelError
from lib.sem.distributions import quantile
from lib.sem.fit import fit
from lib.sem.quantities import estimate_effect
from lib.sem.reliability import alpha, ordinal_omega
from lib.sem.result import SemFit
from lib.study.codebook import DisclosureSettings
from lib.study.load import Population, Study

CFA = "CFA, MLR with missing answers (FIML)"
MOST_LEVELS = 10
FIT = {"cfi": "cfi.robust", "tli": "tli.robust", "rmsea": "rmsea.robust", "srmr": "srmr"}


def student_scales(study: Study) -> list[str]:
    """Keys of the students' scales of two items or more, in the codebook's order."""
    return [
        key
        for key, scale in study.codebook.scales.items()
        if scale.file == "students" and len(scale.items) > 1
    ]


def reliability(
    study: Study, population: Population, scales: Sequence[str], *, conf_level: float
) -> pd.DataFrame:
    """Alpha, omega and categorical omega of each scale's sum of items.

    Parameters
    ----------
    study : Study
    population : Population
    scales : sequence of str
        Keys of scales of the students' file.
    conf_level : float
        Coverage of the intervals of alpha and omega; categorical omega has none.

    Returns
    -------
    DataFrame
        Model ``reliability``, contrast ``alpha``, ``omega`` or ``omega_categorical`` (ordered answers only), ``term``
        the scale. Omega needs three items. Numbers rest on rows complete on a scale, omega on all answers.
    """
    rows = []
    for key in scales:
        base = {"population": population.key, "model": "reliability", "term": key, "unit": "reliability"}
        answers = indicator_answers(study, {key: study.codebook.scales[key].items}, population.frame)
        reason = unfit(study, answers)
        kinds = _coefficients(answers, study.codebook.disclosure)
        for contrast, (estimator, compute) in kinds.items():
            found = reason or _attempt(compute, answers, conf_level)
            rows.append(base | {"contrast": contrast, "estimator": estimator} | found)
    return estimates(rows)


def confirmatory(
    study: Study, population: Population, keys: Sequence[str], *, conf_level: float
) -> pd.DataFrame:
    """One-factor model of each scale's items, and of the exposure's subscales.

    Returns
    -------
    DataFrame
        Model ``CFA``: contrasts ``chisq`` (scaled), ``cfi``, ``tli``, ``rmsea`` (robust), ``srmr`` with ``term`` the
        scale, none for a scale of three items, which fits by construction; ``lowest loading``; and for the exposure
        contrast ``loading`` with ``term`` the subscale, standardized, with intervals.
    """
    exposure, _ = study.codebook.exposure
    rows = []
    for key in keys:
        base = {"population": population.key, "model": "CFA", "estimator": CFA, "term": key}
        names = indicators_of(study, key)
        answers = indicator_answers(study, {key: names}, population.frame)
        reason = unfit(study, answers) or too_few_variables(answers)
        try:
            fitted = None if reason else one_factor(answers, study.codebook.disclosure)
        except ModelError as error:
            reason = failed(error)
        if reason:
            rows.append(base | {"contrast": "chisq"} | reason)
            continue
        rows += [base | row for row in _measures(fitted)]
        loadings = fitted.estimates[fitted.estimates["op"] == "=~"]
        rows.append(
            base
            | {
                "contrast": "lowest loading",
                "estimate": loadings["std_all"].abs().min(),
                "n_obs": fitted.n_obs,
            }
            | {"unit": "SD per SD"}
        )
        if key == exposure:
            rows += [base | row for row in _loadings(fitted, names, conf_level)]
    return estimates(rows)


def one_factor(answers: pd.DataFrame, settings: DisclosureSettings) -> SemFit:
    """One factor with variance 1, its loadings labelled l0, l1 and its residual variances e0, e1; ``omega`` is defined.

    Raises
    ------
    ModelError
        If the model cannot be estimated, or its solution may not be reported (D7).
    """
    names, places = list(answers), range(answers.shape[1])
    true = f"({' + '.join(f'l{k}' for k in places)})^2"
    lines = [
        "factor =~ " + " + ".join(f"NA*{name} + l{k}*{name}" for k, name in enumerate(names)),
        "factor ~~ 1*factor",
        *(f"{name} ~~ e{k}*{name}" for k, name in enumerate(names)),
        f"omega := {true}/({true} + {' + '.join(f'e{k}' for k in places)})",
    ]
    return reportable(fit("\n".join(lines), answers, missing="fiml", estimator="MLR"), settings)


def unfit(study: Study, answers: pd.DataFrame) -> dict:
    """Row columns that say why some answers cannot be analysed; empty where they can."""
    if len(answers.dropna()) < study.codebook.disclosure.latent_min_n:
        return {"status": "too_few", "status_reason": TOO_FEW}
    if (answers.dropna().nunique() < 2).any():
        return {"status": "not_converged", "status_reason": "not estimated: an item has one answer only"}
    return {}


def too_few_variables(answers: pd.DataFrame) -> dict:
    """Row columns of a factor with fewer than three indicators; empty for three or more."""
    if answers.shape[1] >= MIN_ITEMS:
        return {}
    return {"status": "not_converged", "status_reason": "not estimated: fewer than three indicators"}


def ordered(answers: pd.DataFrame) -> bool:
    """Whether answers are ordered codes, few enough for polychoric correlations."""
    values = answers.to_numpy(float)
    values = values[~np.isnan(values)]
    return bool((values == np.round(values)).all()) and len(np.unique(values)) <= MOST_LEVELS


def failed(error: ModelError) -> dict:
    """Row columns of a model that gave no result."""
    return {name: told for name, told in not_estimated(error).items() if name != "unit"}


def _coefficients(answers: pd.DataFrame, settings: DisclosureSettings) -> dict[str, tuple[str, Callable]]:
    """Estimator and function of each coefficient that these items allow."""
    found = {"alpha": ("complete answers", _alpha)}
    if answers.shape[1] >= MIN_ITEMS:
        found["omega"] = (CFA, partial(_omega, settings=settings))
        if ordered(answers):
            found["omega_categorical"] = ("CFA, polychoric correlations", _categorical_omega)
    return found


def _attempt(compute: Callable, answers: pd.DataFrame, conf_level: float) -> dict:
    try:
        return compute(answers, conf_level)
    except ModelError as error:
        return failed(error)


def _alpha(answers: pd.DataFrame, conf_level: float) -> dict:
    from scipy.stats import f

    n, k = len(answers.dropna()), answers.shape[1]
    estimate = alpha(answers, list(answers))
    tail, freedom = (1 - conf_level) / 2, (n - 1, (n - 1) * (k - 1))
    return {
        "estimate": estimate,
        "conf_low": 1 - (1 - estimate) * f.ppf(1 - tail, *freedom),
        "conf_high": 1 - (1 - estimate) * f.ppf(tail, *freedom),
        "interval_method": "Feldt",
        "n_obs": n,
    }


def _omega(answers: pd.DataFrame, conf_level: float, *, settings: DisclosureSettings) -> dict:
    fitted = one_factor(answers, settings)
    effect = estimate_effect(fitted, "omega", conf_level=conf_level)
    return {
        "estimate": effect.estimate,
        "std_error": effect.std_error,
        "conf_low": effect.conf_low,
        "conf_high": effect.conf_high,
        "interval_method": "delta",
        "n_obs": fitted.n_obs,
    }


def _categorical_omega(answers: pd.DataFrame, conf_level: float) -> dict:
    return {"estimate": ordinal_omega(answers, list(answers)), "n_obs": len(answers.dropna())}


def _measures(fitted: SemFit) -> list[dict]:
    found = fitted.fit_measures
    if found["df"] == 0:
        return []
    chisq = {
        "contrast": "chisq", "estimate": found["chisq.scaled"], "statistic": found["chisq.scaled"],
        "df": found["df"], "p_value": found["pvalue.scaled"], "n_obs": fitted.n_obs, "unit": "chi-square",
    }  # fmt: skip
    return [chisq] + [
        {"contrast": name, "estimate": found[key], "n_obs": fitted.n_obs, "unit": name.upper()}
        for name, key in FIT.items()
    ]


def _loadings(fitted: SemFit, names: Sequence[str], conf_level: float) -> list[dict]:
    table = fitted.estimates[fitted.estimates["op"] == "=~"].set_index("rhs")
    reach = float(quantile((1 + conf_level) / 2)) * table["std_se"]
    return [
        {
            "contrast": "loading", "term": name, "estimate": table["std_all"][name],
            "std_error": table["std_se"][name], "conf_low": table["std_all"][name] - reach[name],
            "conf_high": table["std_all"][name] + reach[name], "interval_method": "delta",
            "n_obs": fitted.n_obs, "unit": "SD per SD",
        }
        for name in names
    ]  # fmt: skip
