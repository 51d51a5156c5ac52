"""How much of a tie runs through a mediator.

Notation follows Hayes (2022, ch. 3): a is exposure -> mediator, b is mediator -> outcome given the exposure,
the direct effect c' is what remains, the indirect effect is a * b, and total = direct + indirect within
one model and one sample. Intervals of indirect effects and shares are percentiles: of resamples of classes
(bootstrap), or of draws from the joint normal distribution of a, b and c' (Preacher and Selig, 2012).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from lib.analysis.design import Design
from lib.analysis.effects import (
    METHOD,
    direct_effects,
    fit_structural,
    held_constant,
    not_estimated,
    path,
    path_label,
)
from lib.analysis.estimates import estimates, mediated_by
from lib.errors import ModelError
from lib.sem.fit import SemFit
from lib.sem.quantities import evaluate_quantity, quantity
from lib.sem.standard import jacobian
from lib.study.load import Population, Study

QUANTITIES = ("before", "direct", "a", "b", "indirect", "total", "share_explained")
DRAWS = 20_000
INTERVALS = {"monte carlo": "Monte Carlo", "bootstrap": "percentile bootstrap"}
SCHOOL = "school"
MOST_FAILED = 0.1


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
    interval: str = "monte carlo",
    draws: int = DRAWS,
) -> pd.DataFrame:
    """The path from the exposure to each outcome before and after one mediator, and what runs through it.

    Parameters
    ----------
    study, groups, outcomes, covariates, conf_level, missing
        As of ``direct_effects``; a path's own interval is that of the delta method.
    mediators : list of str
        Keys of scales or domains; one model for each mediator and outcome.
    seed : int
        Of the draws or resamples.
    interval : {"monte carlo", "bootstrap"}
        Where intervals of indirect and total effects and of shares come from. The bootstrap resamples classes
        within schools, or students within schools and groups where the codebook names no classes.
    draws : int
        Monte Carlo draws, or resamples.

    Returns
    -------
    DataFrame
        Seven rows for each population and pair, in the shared shape: ``model`` names the mediator, ``term`` is
        the outcome, ``contrast`` is one of ``QUANTITIES``; ``before`` is from the model without mediator.

    Raises
    ------
    ModelError
        If ``interval`` is not known.
    """
    check_interval(interval)
    settings = {"conf_level": conf_level, "missing": missing}
    before = direct_effects(study, groups, outcomes=outcomes, covariates=covariates, **settings)
    before = before.set_index(["population", "term"])
    settings |= {"seed": seed, "interval": interval, "draws": draws}
    rows = []
    for population in groups:
        held = held_constant(study, population, outcomes, covariates)
        for mediator, outcome in product(mediators, outcomes):
            base = {"population": population.key, "model": mediated_by(mediator), "term": outcome}
            base["estimator"] = METHOD[missing]
            direct = before.loc[(population.key, outcome)].drop(["row_id", *base], errors="ignore")
            rows.append(direct.to_dict() | base | {"contrast": "before"})
            try:
                found = _one_mediator(study, population, mediator, outcome, held=held[outcome], **settings)
            except ModelError as error:
                found = {quantity: not_estimated(error) for quantity in QUANTITIES[1:]}
            rows += [base | {"contrast": quantity} | values for quantity, values in found.items()]
    return estimates(rows)


def check_interval(interval: str) -> None:
    """Refuse an unknown source of intervals."""
    if interval not in INTERVALS:
        raise ModelError(f"interval={interval!r} is not known; choose from {', '.join(INTERVALS)}")


def _one_mediator(
    study: Study, population: Population, mediator: str, outcome: str, *,
    held: Design, conf_level: float, missing: str, seed: int, interval: str, draws: int,
) -> dict[str, dict]:  # fmt: skip
    exposure, _ = study.codebook.exposure
    paths = [(mediator, exposure), (outcome, mediator), (outcome, exposure)]
    fitted = fit_structural(study, population, paths, held=held, missing=missing)
    labels = [path_label(*pair) for pair in paths]
    if interval == "bootstrap":
        drawn = resampled_paths(study, population.frame, fitted, labels, n_boot=draws, seed=seed)
    else:
        drawn = drawn_paths(fitted, labels, draws=draws, seed=seed)
    found = {
        "direct": path(fitted, outcome, exposure, conf_level=conf_level),
        "a": path(fitted, mediator, exposure, conf_level=conf_level),
        "b": path(fitted, outcome, mediator, conf_level=conf_level),
    }
    at = [float(quantity(fitted, label, standardized=True)(fitted.tau[None])[0]) for label in labels]
    about = {"interval_method": INTERVALS[interval], "n_obs": fitted.n_obs}
    return found | decomposed(at, drawn, conf_level=conf_level, about=about)


def drawn_paths(fitted: SemFit, labels: list[str], *, draws: int, seed: int) -> np.ndarray:
    """Standardized paths (draws, labels) from their estimated joint normal distribution."""
    functions = [quantity(fitted, label, standardized=True) for label in labels]

    def paths(tau: np.ndarray) -> np.ndarray:
        return np.stack([function(tau) for function in functions], axis=1)

    at, slope = paths(fitted.tau[None])[0], jacobian(paths, fitted.tau)
    return draw_normal(at, slope @ fitted.vcov @ slope.T, draws=draws, seed=seed)


def draw_normal(at: np.ndarray, cov: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """Draws (draws, k) from a normal distribution."""
    return np.random.default_rng(seed).multivariate_normal(at, cov, size=draws)


def resampled_paths(
    study: Study, frame: pd.DataFrame, fitted: SemFit, labels: list[str], *, n_boot: int, seed: int
) -> np.ndarray:
    """Standardized paths (resamples that converged, labels) of refits to resampled classes or students.

    Parameters
    ----------
    frame : DataFrame
        Students in the order of the data that were fitted.

    Raises
    ------
    ModelError
        If more than a tenth of the resamples did not converge.
    """
    from lib.sem.bootstrap import resample

    units = resampling_units(study, frame)
    found = resample(fitted, n_boot=n_boot, seed=seed, **units)
    if found.failed > MOST_FAILED * n_boot:
        raise ModelError(f"{found.failed} of {n_boot} resamples did not converge; use Monte Carlo intervals")
    values = [evaluate_quantity(fitted, label, found.tau, found.value, standardized=True) for label in labels]
    return np.stack(values, axis=1)


def resampling_units(study: Study, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """What a bootstrap draws and within what: classes within schools, else students within schools and groups."""
    codebook = study.codebook
    if codebook.cluster in frame:
        within = frame[SCHOOL] if SCHOOL in frame else pd.Series("", index=frame.index)
        return {"cluster": frame[codebook.cluster], "strata": within.astype(str)}
    named = [SCHOOL, *codebook.populations[codebook.focal].where]
    parts = [frame[column].astype(str) for column in dict.fromkeys(named) if column in frame]
    return (
        {"strata": pd.Series(list(zip(*parts, strict=True)), index=frame.index).astype(str)} if parts else {}
    )


def decomposed(at: list[float], drawn: np.ndarray, *, conf_level: float, about: dict) -> dict[str, dict]:
    """Row columns of ``indirect``, ``total`` and ``share_explained`` from the paths a, b and c' and their draws.

    Parameters
    ----------
    at : list of float
        The estimates of a, b and c'.
    drawn : ndarray (draws, 3)
    conf_level : float
    about : dict
        Row columns that all three share, such as ``n_obs``.

    Returns
    -------
    dict
        The share has no number unless the total's interval excludes 0 and indirect and direct effect have one sign.
    """

    def row(function: Callable, unit: str) -> dict:
        values = function(*drawn.T)
        low, high = np.quantile(values, [0.5 - conf_level / 2, 0.5 + conf_level / 2])
        spread = {"std_error": values.std(ddof=1), "conf_low": low, "conf_high": high}
        return {"estimate": function(*at), "unit": unit} | spread | about

    indirect = row(lambda a, b, direct: a * b, "SD per SD")
    total = row(lambda a, b, direct: a * b + direct, "SD per SD")
    share = row(lambda a, b, direct: 100 * a * b / (a * b + direct), "percent")
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
