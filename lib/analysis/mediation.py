"""How much of a tie runs through a mediator.

Notation follows Hayes (2022, ch. 3): a is exposure -> mediator, b is mediator -> outcome given the exposure,
the direct effect c' is what remains, the indirect effect is a * b, and total = direct + indirect within
one model and one sample. Intervals of indirect effects and shares are Monte Carlo intervals (Preacher and
Selig, 2012): percentiles of draws from the joint normal distribution of a, b and c'.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from lib.analysis.effects import (
    METHOD,
    direct_effects,
    fit_structural,
    not_estimated,
    path,
    path_label,
)
from lib.analysis.estimates import estimates, mediated_by
from lib.errors import ModelError
from lib.sem.fit import SemFit
from lib.sem.quantities import quantity
from lib.sem.standard import jacobian
from lib.study.load import Population, Study

QUANTITIES = ("before", "direct", "a", "b", "indirect", "total", "share_explained")
DRAWS = 20_000


def mediated_effects(
    study: Study,
    groups: list[Population],
    *,
    mediators: list[str],
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    seed: int,
    missing: str = "fiml",
) -> pd.DataFrame:
    """The path from the exposure to each outcome before and after one mediator, and what runs through it.

    Parameters
    ----------
    study : Study
    groups : list of Population
        The students to use, each population by itself.
    mediators, outcomes : list of str
        Keys of scales, domains or outcome columns; one model for each pair.
    covariates : dict
        A covariate set of the codebook for each outcome.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Of the Monte Carlo draws.
    missing : {"fiml", "listwise"}

    Returns
    -------
    DataFrame
        Seven rows for each population and pair, in the shared shape: ``model`` names the mediator, ``term`` is
        the outcome, ``contrast`` is one of ``QUANTITIES``; ``before`` is from the model without mediator.
    """
    before = direct_effects(
        study, groups, outcomes=outcomes, covariates=covariates, conf_level=conf_level, missing=missing
    ).set_index(["population", "term"])
    rows = []
    for population, mediator, outcome in product(groups, mediators, outcomes):
        base = {"population": population.key, "model": mediated_by(mediator), "term": outcome}
        base["estimator"] = METHOD[missing]
        direct = before.loc[(population.key, outcome)].drop(["row_id", *base], errors="ignore")
        rows.append(direct.to_dict() | base | {"contrast": "before"})
        try:
            found = _one_mediator(
                study, population, mediator, outcome,
                covariates=covariates[outcome], conf_level=conf_level, seed=seed, missing=missing,
            )  # fmt: skip
        except ModelError as error:
            found = {quantity: not_estimated(error) for quantity in QUANTITIES[1:]}
        rows += [base | {"contrast": quantity} | values for quantity, values in found.items()]
    return estimates(rows)


def _one_mediator(
    study: Study,
    population: Population,
    mediator: str,
    outcome: str,
    *,
    covariates: str,
    conf_level: float,
    seed: int,
    missing: str,
) -> dict[str, dict]:
    exposure, _ = study.codebook.exposure
    paths = [(mediator, exposure), (outcome, mediator), (outcome, exposure)]
    fitted = fit_structural(study, population, paths, covariates=covariates, missing=missing)
    found = {
        "direct": path(fitted, outcome, exposure, conf_level=conf_level),
        "a": path(fitted, mediator, exposure, conf_level=conf_level),
        "b": path(fitted, outcome, mediator, conf_level=conf_level),
    }
    labels = [path_label(*pair) for pair in paths]
    return found | monte_carlo(fitted, labels, conf_level=conf_level, seed=seed)


def monte_carlo(fitted: SemFit, labels: list[str], *, conf_level: float, seed: int) -> dict[str, dict]:
    """Indirect and total effect in SD units and the share explained, with Monte Carlo intervals.

    Parameters
    ----------
    fitted : SemFit
    labels : list of str
        Labels of the paths a, b and c' in the fit.
    conf_level : float
    seed : int

    Returns
    -------
    dict
        Row columns of ``indirect``, ``total`` and ``share_explained``. The share has no number unless the total's
        interval excludes 0 and indirect and direct effect have one sign.
    """
    functions = [quantity(fitted, label, standardized=True) for label in labels]

    def paths(tau: np.ndarray) -> np.ndarray:
        return np.stack([function(tau) for function in functions], axis=1)

    at, slope = paths(fitted.tau[None])[0], jacobian(paths, fitted.tau)
    draws = np.random.default_rng(seed).multivariate_normal(at, slope @ fitted.vcov @ slope.T, size=DRAWS)

    def drawn(function: Callable, unit: str) -> dict:
        values = function(*draws.T)
        low, high = np.quantile(values, [0.5 - conf_level / 2, 0.5 + conf_level / 2])
        return {
            "estimate": function(*at),
            "std_error": values.std(ddof=1),
            "conf_low": low,
            "conf_high": high,
            "interval_method": "Monte Carlo",
            "n_obs": fitted.n_obs,
            "unit": unit,
        }

    indirect = drawn(lambda a, b, direct: a * b, "SD per SD")
    total = drawn(lambda a, b, direct: a * b + direct, "SD per SD")
    share = drawn(lambda a, b, direct: 100 * a * b / (a * b + direct), "percent")
    return {
        "indirect": indirect,
        "total": total,
        "share_explained": share | _share_status(indirect, total, at[2]),
    }


def _share_status(indirect: dict, total: dict, direct: float) -> dict:
    """Why a share would not be a share of anything; empty where it is one."""
    if total["conf_low"] <= 0 <= total["conf_high"]:
        return {
            "status": "inadmissible",
            "status_reason": "not expressed as a share: the total's interval includes zero",
        }
    if indirect["estimate"] * direct < 0:
        return {
            "status": "inadmissible",
            "status_reason": "inconsistent mediation: indirect and direct effect differ in sign",
        }
    return {}
