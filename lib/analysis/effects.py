"""How the exposure goes with each outcome: one structural-equation model per outcome.

The exposure is one latent quality measured by its subscales; outcome and exposure are both regressed on
the covariates. Effects are standardized: SD of the outcome per SD of the exposure.
"""

from __future__ import annotations

import pandas as pd

from lib.analysis.design import design
from lib.analysis.estimates import estimates
from lib.errors import ModelError
from lib.sem.fit import SemFit, fit
from lib.study.load import Population, Study

MISSING = {
    "fiml": {"missing": "ml.x", "fixed_x": False},
    "listwise": {"missing": "listwise", "fixed_x": True},
}
METHOD = {
    "fiml": "SEM, maximum likelihood with missing answers (FIML)",
    "listwise": "SEM, maximum likelihood",
}


def direct_effects(
    study: Study,
    population: Population,
    *,
    outcomes: list[str],
    covariates: str,
    conf_level: float,
    missing: str = "fiml",
) -> pd.DataFrame:
    """Standardized path from the exposure to each outcome, one model per outcome.

    Parameters
    ----------
    study : Study
    population : Population
        The students to use.
    outcomes : list of str
        Keys of scales, domains or outcome columns.
    covariates : str
        A covariate set of the codebook.
    conf_level : float
        Coverage of the interval, in (0, 1).
    missing : {"fiml", "listwise"}
        What happens to students with missing answers.

    Returns
    -------
    DataFrame
        One row per outcome, in the shared shape; ``unit`` is ``SD per SD``.
    """
    exposure, _ = study.codebook.exposure
    rows = []
    for outcome in outcomes:
        base = _row(study, population, outcome, model="direct", method=METHOD[missing])
        try:
            fitted = fit_structural(
                study, population, [(outcome, exposure)], covariates=covariates, missing=missing
            )
        except ModelError as error:
            rows.append(base | {"status": "not_converged", "status_reason": str(error)})
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
    defined: str = "",
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
    defined : str
        Further lines of the model, such as ``indirect := a * b``.
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
        predictors = [_labelled(variable, predictor) for outcome, predictor in paths if outcome == variable]
        right = " + ".join(filter(None, [*predictors, constant]))
        lines += [f"{variable} ~ {right}"] if right else []
    return fit("\n".join([*lines, defined]), data, **MISSING[missing])


def path(fitted: SemFit, outcome: str, predictor: str, *, conf_level: float) -> dict:
    """The standardized path ``outcome ~ predictor`` with its delta-method interval, as row columns."""
    table = fitted.estimates
    found = table[(table["lhs"] == outcome) & (table["op"] == "~") & (table["rhs"] == predictor)].iloc[0]
    return standardized(found, fitted, conf_level=conf_level)


def standardized(found: pd.Series, fitted: SemFit, *, conf_level: float) -> dict:
    """Row columns of one parameter's standardized value, SE, interval and test."""
    from scipy.special import ndtri

    half = float(ndtri(0.5 + conf_level / 2)) * found["std_se"]
    return {
        "estimate": found["std_all"],
        "std_error": found["std_se"],
        "statistic": found["z"],
        "p_value": found["pvalue"],
        "conf_low": found["std_all"] - half,
        "conf_high": found["std_all"] + half,
        "interval_method": "delta method",
        "n_obs": fitted.n_obs,
        "unit": "SD per SD",
    }


def _labelled(outcome: str, predictor: str) -> str:
    return f"{predictor}_to_{outcome}*{predictor}"


def _row(study: Study, population: Population, term: str, *, model: str, method: str) -> dict:
    return {
        "population": population.key,
        "model": model,
        "estimator": method,
        "term": term,
        "unit": "SD per SD",
    }
