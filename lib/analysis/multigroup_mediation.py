"""What runs through a mediator in two populations, from one model of both.

Notation is that of ``lib.analysis.mediation``, the model that of ``lib.analysis.multigroup``. Indirect effects are
compared unstandardized, in pooled SD, by draws or resamples that are joint over both populations; shares of a
total are shown for each population and never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lib.analysis.design import Design
from lib.analysis.effects import not_estimated, path_label
from lib.analysis.estimates import estimates, mediated_by
from lib.analysis.mediation import (
    DRAWS,
    INTERVALS,
    QUANTITIES,
    check_interval,
    decomposed,
    draw_normal,
    resampling_units,
)
from lib.analysis.multigroup import (
    clusters_of,
    compared_effects,
    fit_pair,
    held_by_both,
    method,
    not_comparable,
    pooled_sd,
)
from lib.analysis.pairs import GROUP, Pair, corrected_tests, tail_p
from lib.errors import ModelError
from lib.sem.distributions import quantile, two_sided_p
from lib.sem.fit import SemFit
from lib.sem.implied import row_values
from lib.sem.quantities import evaluate_quantity, label_values
from lib.sem.standard import jacobian
from lib.sem.syntax import read_expression
from lib.study.load import Study

DIFFERENCES = ("difference a", "difference b", "difference indirect")


def compared_mediation(
    study: Study,
    pair: Pair,
    *,
    mediators: list[str],
    outcomes: list[str],
    covariates: dict[str, str],
    conf_level: float,
    seed: int,
    missing: str = "fiml",
    clustered: bool = True,
    metric: bool = True,
    interval: str = "monte carlo",
    draws: int = DRAWS,
    direct: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What runs through each mediator in two populations, and how far that differs.

    Parameters
    ----------
    study, mediators, outcomes, covariates, conf_level, seed, missing, interval, draws
        As of ``lib.analysis.mediation.mediated_effects``; draws and resamples are joint over both populations.
    pair, clustered, metric
        As of ``compared_effects``.
    direct : DataFrame, optional
        Rows of ``compared_effects`` with the same settings, where they are known already.

    Returns
    -------
    DataFrame
        For each mediator and outcome the contrasts of ``mediated_effects`` in each population, and
        ``difference a``, ``difference b``, ``difference indirect`` (unstandardized, in pooled SD).
    """
    check_interval(interval)
    settings = {"conf_level": conf_level, "missing": missing, "clustered": clustered}
    if direct is None:
        direct = compared_effects(study, pair, outcomes=outcomes, covariates=covariates, **settings)
    before = direct[direct["group"] == ""].set_index(["population", "term"])
    settings |= {"seed": seed, "interval": interval, "draws": draws, "metric": metric}
    held, rows = held_by_both(study, pair, outcomes, covariates), []
    for mediator, outcome in product(mediators, outcomes):
        base = {
            "model": mediated_by(mediator),
            "estimator": method(missing, clustered=clustered),
            "term": outcome,
        }
        for population in pair.both:
            known = before.loc[(population.key, outcome)].drop(["row_id", *base], errors="ignore").to_dict()
            rows.append(known | base | {"population": population.key, "contrast": "before"})
        try:
            found = _one_mediator(study, pair, mediator, outcome, held=held[outcome], **settings)
        except ModelError as error:
            found = [keys | not_estimated(error) for keys in _mediation_keys(pair)]
        rows += [base | one for one in found]
    return corrected_tests(estimates(rows), study.codebook)


def _one_mediator(
    study: Study, pair: Pair, mediator: str, outcome: str, *, held: tuple[Design, Design], conf_level: float,
    missing: str, clustered: bool, metric: bool, seed: int, interval: str, draws: int,
) -> list[dict]:  # fmt: skip
    exposure, _ = study.codebook.exposure
    paths = [(mediator, exposure), (outcome, mediator), (outcome, exposure)]
    fitted = fit_pair(study, pair, paths, held=held, missing=missing, clustered=clustered)
    labels = [path_label(*one, group=group) for group in (1, 2) for one in paths]
    unit = pooled_sd(fitted)
    scale = np.array([unit[predictor] / unit[explained] for explained, predictor in paths])
    known = _known_paths(fitted, labels)
    drawn = _drawn(study, pair, fitted, labels, known, interval=interval, draws=draws, seed=seed)
    about = {"interval_method": INTERVALS[interval], "n_clusters": clusters_of(fitted)}
    rows, at = [], known.at.reshape(2, -1)
    for place, population in enumerate(pair.both):
        inside = slice(3 * place, 3 * place + 3)
        counted = {"n_obs": int(fitted.problem.sample.n[place])}
        found = {
            name: known.effect(fitted, {3 * place + k: 1.0}, conf_level) | counted
            for k, name in enumerate(("a", "b", "direct"))
        }
        found |= decomposed(
            list(at[0, inside]), drawn[0][:, inside], conf_level=conf_level, about=about | counted
        )
        rows += [{"population": population.key, "contrast": name} | one for name, one in found.items()]
    gaps = {
        name: known.effect(fitted, {6 + k: scale[k], 9 + k: -scale[k]}, conf_level) | {"n_obs": fitted.n_obs}
        for k, name in enumerate(DIFFERENCES[:2])
    }
    gaps["difference indirect"] = _indirect_gap(
        at[1], drawn[1], scale[0] * scale[1], conf_level, about | {"n_obs": fitted.n_obs}
    )
    return rows + [
        pair.keys | {"contrast": name} | (one if metric else not_comparable(study))
        for name, one in gaps.items()
    ]


@dataclass(frozen=True)
class _Paths:
    """The six paths standardized within groups, then unstandardized (12,), and their covariance matrix (12, 12)."""

    at: np.ndarray
    cov: np.ndarray

    def effect(self, fitted: SemFit, weights: dict[int, float], conf_level: float) -> dict:
        """Row columns of a weighted sum of paths, by the delta method."""
        along = np.zeros(len(self.at))
        along[list(weights)] = list(weights.values())
        estimate, error = float(along @ self.at), float(np.sqrt(max(along @ self.cov @ along, 0.0)))
        reach = float(quantile(0.5 + conf_level / 2, fitted.df)) * error
        statistic = estimate / error if error > 0 else float("nan")
        return {
            "estimate": estimate, "std_error": error, "statistic": statistic,
            "p_value": float(two_sided_p(statistic, fitted.df)), "conf_low": estimate - reach,
            "conf_high": estimate + reach, "interval_method": "delta", "unit": "SD per SD",
            "n_clusters": clusters_of(fitted),
        }  # fmt: skip


def _known_paths(fitted: SemFit, labels: list[str]) -> _Paths:
    spec, needed = fitted.problem.spec, read_expression(" + ".join(labels))

    def paths(tau: np.ndarray) -> np.ndarray:
        values = row_values(spec, tau, fitted.problem.value)
        found = [label_values(spec, values, needed, standardized=way) for way in (True, False)]
        return np.stack([one[label] for one in found for label in labels], axis=1)

    slope = jacobian(paths, fitted.tau)
    return _Paths(paths(fitted.tau[None])[0], slope @ fitted.vcov @ slope.T)


def _drawn(
    study: Study,
    pair: Pair,
    fitted: SemFit,
    labels: list[str],
    known: _Paths,
    *,
    interval: str,
    draws: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the paths, two of (draws, labels): standardized within groups, and unstandardized."""
    if interval == "bootstrap":
        drawn = _resampled(study, pair, fitted, labels, n_boot=draws, seed=seed)
    else:
        drawn = draw_normal(known.at, known.cov, draws=draws, seed=seed)
    return drawn[:, : len(labels)], drawn[:, len(labels) :]


def _resampled(
    study: Study, pair: Pair, fitted: SemFit, labels: list[str], *, n_boot: int, seed: int
) -> np.ndarray:
    from lib.sem.bootstrap import resample

    units = resampling_units(study, pair.frame)
    if "cluster" not in units:
        units = {"strata": pair.frame[GROUP] + units.get("strata", "")}
    found = resample(fitted, n_boot=n_boot, seed=seed, **units)
    values = [
        evaluate_quantity(fitted, label, found.tau, found.value, standardized=way)
        for way in (True, False)
        for label in labels
    ]
    return np.stack(values, axis=1)


def _indirect_gap(at: np.ndarray, drawn: np.ndarray, scale: float, conf_level: float, about: dict) -> dict:
    gap = scale * (drawn[:, 0] * drawn[:, 1] - drawn[:, 3] * drawn[:, 4])
    low, high = np.quantile(gap, [0.5 - conf_level / 2, 0.5 + conf_level / 2])
    spread = {"std_error": gap.std(ddof=1), "conf_low": low, "conf_high": high, "p_value": tail_p(gap)}
    return {"estimate": scale * (at[0] * at[1] - at[3] * at[4]), "unit": "SD per SD"} | spread | about


def _mediation_keys(pair: Pair) -> list[dict]:
    own = [{"population": one.key, "contrast": name} for one in pair.both for name in QUANTITIES[1:]]
    return own + [pair.keys | {"contrast": contrast} for contrast in DIFFERENCES]
