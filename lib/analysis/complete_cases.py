"""Direct and mediated effects of many outcomes at once, from complete answers.

The models and rows are those of ``lib.analysis.effects`` and ``lib.analysis.mediation`` with ``missing="listwise"``;
all of one form are fitted side by side from their moments, ten times as fast. A model that cannot be fitted so is
fitted by itself, which gives its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lib.analysis.associations import about_association
from lib.analysis.design import Design
from lib.analysis.effects import METHOD, direct_effects, held_constant, not_estimated
from lib.analysis.estimates import estimates, mediated_by
from lib.analysis.mediation import DRAWS, INTERVALS, decomposed, draw_normal, mediated_effects
from lib.errors import ModelError
from lib.sem.batch import ManyFits, fit_many
from lib.sem.distributions import quantile, two_sided_p
from lib.sem.implied import row_values, variance_slopes
from lib.sem.likelihood import Moments
from lib.sem.sample import neutralise
from lib.sem.specify import build_spec
from lib.sem.syntax import parse_model
from lib.study.load import Population, Study

OUTCOME, MEDIATOR, FEATURE = "outcome_", "mediator_", "feature_"
LISTWISE = "listwise"


@dataclass(frozen=True)
class _Case:
    """One model: whose students, which observed variables stand for its roles, what is held constant."""

    population: Population
    roles: dict[str, str]
    held: Design


def direct_effects_complete(
    study: Study,
    groups: list[Population],
    *,
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """``lib.analysis.effects.direct_effects`` with ``missing="listwise"``."""
    cases = [
        _Case(population, {OUTCOME: outcome}, held)
        for population in groups
        for outcome, held in held_constant(study, population, outcomes, covariates).items()
    ]
    found = _fitted(study, cases, [(OUTCOME, "direct", study.codebook.exposure[0])])
    rows, settings = [], {"covariates": covariates, "conf_level": conf_level, "missing": LISTWISE}
    for case, fit in zip(cases, found, strict=True):
        outcome = case.roles[OUTCOME]
        if fit is None:
            alone = direct_effects(study, [case.population], outcomes=[outcome], **settings)
            rows += alone.to_dict("records")
            continue
        about = {"population": case.population.key, "model": "direct", "estimator": METHOD[LISTWISE]}
        rows.append(about | {"term": outcome} | fit.path(0, conf_level))
    return estimates(rows)


def mediated_effects_complete(
    study: Study,
    groups: list[Population],
    *,
    mediators: list[str],
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    seed: int,
    draws: int = DRAWS,
    direct: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """``lib.analysis.mediation.mediated_effects`` with ``missing="listwise"`` and Monte Carlo intervals.

    ``direct`` are rows of ``direct_effects_complete`` with the same settings, where they are known already.
    """
    exposure, _ = study.codebook.exposure
    settings = {"covariates": covariates, "conf_level": conf_level}
    if direct is None:
        direct = direct_effects_complete(study, groups, outcomes=outcomes, **settings)
    before = {(row["population"], row["term"]): row for row in direct.to_dict("records")}
    cases = [
        _Case(population, {MEDIATOR: mediator, OUTCOME: outcome}, held)
        for population in groups
        for mediator, (outcome, held) in product(
            mediators, held_constant(study, population, outcomes, covariates).items()
        )
    ]
    paths = [(MEDIATOR, "a", exposure), (OUTCOME, "b", MEDIATOR), (OUTCOME, "direct", exposure)]
    rows = []
    for case, fit in zip(cases, _fitted(study, cases, paths), strict=True):
        outcome, mediator = case.roles[OUTCOME], case.roles[MEDIATOR]
        if fit is None:
            alone = {"mediators": [mediator], "outcomes": [outcome], "missing": LISTWISE, "seed": seed}
            rows += mediated_effects(study, [case.population], **settings | alone).to_dict("records")
            continue
        about = {"population": case.population.key, "model": mediated_by(mediator), "term": outcome}
        about["estimator"] = METHOD[LISTWISE]
        known = before[case.population.key, outcome]
        own = {"before": {key: value for key, value in known.items() if key not in ("row_id", *about)}}
        own |= {name: fit.path(place, conf_level) for place, name in ((2, "direct"), (0, "a"), (1, "b"))}
        drawn = draw_normal(fit.at, fit.cov, draws=draws, seed=seed)
        shared = {"interval_method": INTERVALS["monte carlo"], "n_obs": fit.n_obs}
        own |= decomposed(list(fit.at), drawn, conf_level=conf_level, about=shared)
        rows += [about | values | {"contrast": name} for name, values in own.items()]
    return estimates(rows)


def associations_complete(
    study: Study,
    groups: list[Population],
    *,
    features: list[str],
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """``lib.analysis.associations.associations`` with ``missing="listwise"``."""
    cases = [
        _Case(population, {FEATURE: feature, OUTCOME: outcome}, held)
        for population in groups
        for feature, (outcome, held) in product(
            features, held_constant(study, population, outcomes, covariates).items()
        )
    ]
    rows = [
        about_association(case.population, case.roles[FEATURE], case.roles[OUTCOME], LISTWISE)
        | (fit.path(0, conf_level) if fit else not_estimated(ModelError("the model did not converge")))
        for case, fit in zip(cases, _fitted(study, cases, [(OUTCOME, "b", FEATURE)]), strict=True)
    ]
    return estimates(rows)


@dataclass(frozen=True)
class _Paths:
    """Standardized paths of one model, k, and their covariance matrix, k by k."""

    at: np.ndarray
    cov: np.ndarray
    n_obs: int

    def path(self, place: int, conf_level: float) -> dict:
        """Row columns of one path."""
        estimate, error = float(self.at[place]), float(np.sqrt(self.cov[place, place]))
        reach = float(quantile(0.5 + conf_level / 2)) * error
        return {
            "estimate": estimate, "std_error": error, "statistic": estimate / error,
            "p_value": float(two_sided_p(estimate / error)), "conf_low": estimate - reach,
            "conf_high": estimate + reach, "interval_method": "delta", "n_obs": self.n_obs, "unit": "SD per SD",
        }  # fmt: skip


def _fitted(study: Study, cases: Sequence[_Case], paths: list[tuple[str, str, str]]) -> list[_Paths | None]:
    """Paths of each case, given as (outcome, label, predictor); None where a case must be fitted by itself."""
    exposure, _ = study.codebook.exposure
    indicators = [scale.key for scale in study.codebook.scales_with("exposure")]
    constant = list(dict.fromkeys(name for case in cases for name in case.held.columns))
    latent = any(predictor == exposure for _, _, predictor in paths)
    lines = [f"{exposure} =~ {' + '.join(indicators)}"] if latent else []
    for variable in [*([exposure] if latent else []), *dict.fromkeys(outcome for outcome, _, _ in paths)]:
        own = [f"{label}*{predictor}" for outcome, label, predictor in paths if outcome == variable]
        lines += [f"{variable} ~ {' + '.join([*own, *constant])}"] if own or constant else []
    model = "\n".join(lines)
    observed = build_spec(parse_model(model), meanstructure=False).observed
    moments = _moments(list(_values(cases, observed, constant)))
    fits = fit_many(model, moments)
    good = np.flatnonzero(fits.status == "ok")
    at, cov = _standardized(fits, good, [label for _, label, _ in paths])
    found: list[_Paths | None] = [None] * len(cases)
    for place, case in enumerate(good):
        found[case] = _Paths(at[place], cov[place], int(fits.n_obs[case]))
    return found


def _values(
    cases: Sequence[_Case], observed: Sequence[str], constant: Sequence[str]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Complete rows of each case (n, p), and which of its columns it has (p,): some covariates are other cases'."""
    names = [name for name in observed if name not in constant]
    places = [observed.index(name) for name in names]
    frames: dict[str, pd.DataFrame] = {case.population.key: case.population.frame for case in cases}
    read = list(dict.fromkeys(case.roles.get(name, name) for case in cases for name in names))
    known = {key: frame[read].to_numpy(float, na_value=np.nan) for key, frame in frames.items()}
    column = {name: place for place, name in enumerate(read)}
    for case in cases:
        own, held = known[case.population.key], case.held.columns
        values, kept = np.zeros((len(own), len(observed))), np.ones(len(observed), bool)
        values[:, places] = own[:, [column[case.roles.get(name, name)] for name in names]]
        values[:, [observed.index(name) for name in held]] = held.to_numpy(float)
        kept[[observed.index(name) for name in constant if name not in held]] = False
        whole = values[~np.isnan(values).any(axis=1)]
        spread = whole.std(axis=0)
        yield whole / np.where(spread > 0, spread, 1.0), kept  # one unit for all, so that one start suits all


def _moments(tables: list[tuple[np.ndarray, np.ndarray]]) -> Moments:
    n = np.array([len(values) for values, _ in tables], float)
    mean = np.stack([values.mean(axis=0) for values, _ in tables])
    cov = np.stack([np.cov(values, rowvar=False, bias=True) for values, _ in tables])
    kept = np.stack([own for _, own in tables]) & (np.diagonal(cov, axis1=1, axis2=2) > 0)
    neutralise(mean, cov, kept)
    return Moments(n[:, None], mean[:, None], cov[:, None], kept[:, None])


def _standardized(fits: ManyFits, good: np.ndarray, labels: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Standardized paths (b, k) of the fits that are good, and their covariance matrices (b, k, k).

    For a path p of y on x, s = p (var x / var y)^(1/2), so that
    ds = s (dp / p + dvar x / 2 var x - dvar y / 2 var y).
    """
    spec, count = fits.spec, fits.tau.shape[1]
    values = row_values(spec, fits.tau[good], fits.value[good])
    variance, slopes = variance_slopes(spec, values)
    free = np.flatnonzero(spec.free[0] >= 0)
    slope = np.zeros((len(good), variance.shape[-1], count))
    slope[..., spec.free[0, free]] = slopes[:, 0][..., free]
    relative = slope / (2 * variance[:, 0, :, None])
    rows = [spec.named[label][1] for label in labels]
    i, j = spec.i[rows], spec.j[rows]
    factor = np.sqrt(variance[:, 0, j] / variance[:, 0, i])
    paths = values[:, 0, rows] * factor
    change = paths[..., None] * (relative[:, j] - relative[:, i])
    change[:, np.arange(len(rows)), spec.free[0, rows]] += factor
    return paths, change @ fits.vcov[good] @ change.swapaxes(1, 2)
