"""Whether ties differ between two populations: one model of both, with equal loadings of the exposure.

Equal paths are tested by the Wald test of unstandardized paths under metric invariance (Meredith, 1993), which
does not depend on how far the groups spread; estimates of differences are given in SD within groups, pooled
over both. Beside it stand paths standardized within each group and the delta test of their difference.
With classes as clusters, scores are summed over both groups within a class.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.analysis.design import Design
from lib.analysis.effects import (
    METHOD,
    MISSING,
    effect_row,
    held_constant,
    not_estimated,
    path_label,
    reportable,
    structural_data,
    structural_model,
)
from lib.analysis.estimates import STANDARDIZED, estimates
from lib.analysis.pairs import GROUP, Pair, corrected_tests
from lib.errors import ModelError
from lib.sem.fit import SemFit, fit
from lib.sem.implied import imply
from lib.sem.quantities import estimate_effect
from lib.sem.robust import MIN_CLUSTERS
from lib.study.load import Study

CLUSTER = "cluster_"


def method(missing: str, *, clustered: bool) -> str:
    """What the column ``estimator`` says of these models."""
    return f"{METHOD[missing]}, two groups with equal loadings{', by class' if clustered else ''}"


METHOD_LABELS = {
    method("fiml", clustered=True): "Every answer, counting classes",
    method("fiml", clustered=False): "Every answer, counting students",
    method("listwise", clustered=True): "Complete answers, counting classes",
    method("listwise", clustered=False): "Complete answers, counting students",
}


def compared_effects(
    study: Study,
    pair: Pair,
    *,
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    missing: str = "fiml",
    clustered: bool = True,
    metric: bool = True,
) -> pd.DataFrame:
    """Path from the exposure to each outcome in two populations, and its difference.

    Parameters
    ----------
    study, outcomes, covariates, conf_level, missing
        As of ``lib.analysis.effects.direct_effects``.
    pair : Pair
    clustered : bool
        Count classes rather than students, where the codebook names enough of them.
    metric : bool
        Whether the exposure measures alike in both populations; without that, unstandardized paths have no
        common unit and are not compared.

    Returns
    -------
    DataFrame
        For each outcome the path in each population (SD per SD within it), ``difference`` (first minus second,
        unstandardized, in pooled SD; its p-value is the Wald test's) and ``standardized difference``.
    """
    exposure, _ = study.codebook.exposure
    rows = []
    for outcome, held in held_by_both(study, pair, outcomes, covariates).items():
        base = {"model": "direct", "estimator": method(missing, clustered=clustered), "term": outcome}
        try:
            fitted = fit_pair(
                study, pair, [(outcome, exposure)], held=held, missing=missing, clustered=clustered
            )
        except ModelError as error:
            rows += [base | keys | not_estimated(error) for keys in _direct_keys(pair)]
            continue
        one, two = (path_label(outcome, exposure, group=group) for group in (1, 2))
        rows += [
            base | {"population": population.key} | effect_of(fitted, label, conf_level, group=place)
            for place, (population, label) in enumerate(zip(pair.both, (one, two), strict=True))
        ]
        unit = pooled_sd(fitted)
        gap = effect_of(fitted, f"{one} - {two}", conf_level, scale=unit[exposure] / unit[outcome])
        gap = gap if metric else not_comparable(study)
        rows += [
            base | pair.keys | {"contrast": "difference"} | gap,
            base | pair.keys | {"contrast": STANDARDIZED} | effect_of(fitted, f"{one} - {two}", conf_level),
        ]
    return corrected_tests(estimates(rows), study.codebook)


def fit_pair(
    study: Study, pair: Pair, paths: list[tuple[str, str]], *, held: tuple[Design, Design], missing: str,
    clustered: bool,
) -> SemFit:  # fmt: skip
    """Fit one model to both populations: loadings of the exposure equal, everything else free.

    Raises
    ------
    ModelError
        If either population is too small, or the model cannot be estimated or reported.
    """
    parts = [
        structural_data(study, population, paths, one)
        for population, one in zip(pair.both, held, strict=True)
    ]
    constant = list(dict.fromkeys(name for one in held for name in one.columns))
    # a column that one population has not is constant there, and the fit leaves it out
    parts = [part.assign(**dict.fromkeys((c for c in constant if c not in part), 0.0)) for part in parts]
    data = pd.DataFrame(np.vstack([part[[*parts[0]]].to_numpy(float) for part in parts]), columns=[*parts[0]])
    data[GROUP] = pair.frame[GROUP].to_numpy()
    cluster = study.codebook.cluster
    use = clustered and cluster in pair.frame and pair.frame[cluster].nunique() >= MIN_CLUSTERS
    fitted = fit(
        structural_model(study, paths, constant, groups=2),
        data.assign(**{CLUSTER: pair.frame[cluster].astype(str)}) if use else data,
        group=GROUP, group_equal=("loadings",), cluster=CLUSTER if use else None, **MISSING[missing],
    )  # fmt: skip
    return reportable(fitted, study.codebook.disclosure)


def effect_of(
    fitted: SemFit, expression: str, conf_level: float, *, group: int | None = None, scale: float = 0.0
) -> dict:
    """Row columns of an expression in labels: standardized within groups, or unstandardized times ``scale``."""
    effect = estimate_effect(fitted, expression, conf_level=conf_level, standardized=not scale)
    n_obs = fitted.n_obs if group is None else int(fitted.problem.sample.n[group])
    row = effect_row(effect, unit="SD per SD", n_obs=n_obs) | {"n_clusters": clusters_of(fitted)}
    if scale:
        row |= {key: row[key] * scale for key in ("estimate", "std_error", "conf_low", "conf_high")}
    return row


def pooled_sd(fitted: SemFit) -> dict[str, float]:
    """Implied SD within groups of each variable, pooled over both by their numbers of students."""
    spec = fitted.problem.spec
    full = imply(spec, fitted.tau[None], fitted.problem.value).full[0]
    pooled = np.average(np.diagonal(full, axis1=1, axis2=2), axis=0, weights=fitted.problem.sample.n)
    return dict(zip(spec.names, np.sqrt(pooled), strict=True))


def clusters_of(fitted: SemFit) -> float:
    """Classes behind a fit; NaN where students were counted."""
    return fitted.n_clusters or float("nan")


def held_by_both(
    study: Study, pair: Pair, outcomes: list[str], covariates: dict[str, str]
) -> dict[str, tuple[Design, Design]]:
    """Covariate columns of either population for each outcome's models."""
    parts = [held_constant(study, population, outcomes, covariates) for population in pair.both]
    return {outcome: tuple(part[outcome] for part in parts) for outcome in outcomes}


def _direct_keys(pair: Pair) -> list[dict]:
    own = [{"population": population.key} for population in pair.both]
    return own + [pair.keys | {"contrast": contrast} for contrast in ("difference", STANDARDIZED)]


def not_comparable(study: Study) -> dict:
    """Row columns of a difference of paths that have no common unit."""
    _, label = study.codebook.exposure
    reason = f"not comparable: {label[:1].lower()}{label[1:]} does not measure alike in both groups"
    return {"unit": "SD per SD", "status": "not_comparable", "status_reason": reason}
