"""Resampling students or classes and refitting.

Complete data are refitted in batches from moments; incomplete data from their moments per pattern, one resample
at a time. Every refit starts at the estimates of the full sample.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.distributions import two_sided_p
from lib.sem.fiml import evaluate_fiml, model_information
from lib.sem.likelihood import Moments, evaluate
from lib.sem.patterns import weigh_patterns
from lib.sem.problem import Problem, select_variables
from lib.sem.quantities import Draws
from lib.sem.result import SemFit
from lib.sem.robust import summed_scores
from lib.sem.sample import neutralise
from lib.sem.saturated import saturate
from lib.sem.scoring import descend
from lib.sem.standard import row_functions
from lib.sem.start import fill_covariates
from lib.sem.tables import reported

CHUNK = 64
TOLERANCE = 1e-8
"""Refits stop within about 1e-4 standard errors of their optimum, far inside the resampling error."""


def resample(
    fitted: SemFit,
    *,
    n_boot: int,
    seed: int,
    cluster: pd.Series | None = None,
    strata: pd.Series | None = None,
) -> Draws:
    """Bootstrap a fit.

    Parameters
    ----------
    fitted : SemFit
    n_boot : int
        Resamples.
    seed : int
    cluster : Series, optional
        Units to resample, aligned to the rows of the data that were fitted; by default the fit's clusters, or
        students.
    strata : Series, optional
        Units are resampled within strata; by default within the fit's groups, or where clusters hold students of
        several groups, over all.

    Returns
    -------
    Draws
        Resamples that did not converge are left out and counted in ``failed``.
    """
    weights = draw_weights(fitted, n_boot=n_boot, seed=seed, cluster=cluster, strata=strata)
    return refit_weights(fitted, weights)


def draw_weights(
    fitted: SemFit,
    *,
    n_boot: int,
    seed: int,
    cluster: pd.Series | None = None,
    strata: pd.Series | None = None,
) -> np.ndarray:
    """How often each case is drawn in each resample (B, n), cases in the order of the fit's groups."""
    if n_boot < 1:
        raise ModelError(f"n_boot is {n_boot}; ask for at least 1 resample")
    sample = fitted.problem.sample
    rows = np.concatenate(sample.case)
    if cluster is not None:
        unit = pd.factorize(cluster.iloc[rows])[0]
    elif sample.cluster is not None:
        unit = np.unique(np.concatenate(sample.cluster), return_inverse=True)[1]
    else:
        unit = np.arange(len(rows))
    if (unit < 0).any():
        raise ModelError(
            f"{int((unit < 0).sum())} cases have no cluster; resample students or complete the column"
        )
    if strata is not None:
        stratum = pd.factorize(strata.iloc[rows], use_na_sentinel=False)[0]
    else:
        stratum = np.repeat(np.arange(len(sample.case)), sample.n)
    first = np.unique(unit, return_index=True)[1]
    if (stratum != stratum[first][unit]).any():
        if strata is not None:
            raise ModelError("some clusters lie in several strata; use strata that hold whole clusters")
        stratum = np.zeros_like(stratum)
    of_unit = stratum[first]
    rng = np.random.default_rng(seed)
    counts = np.zeros((n_boot, len(first)))
    for level in np.unique(of_unit):
        inside = np.flatnonzero(of_unit == level)
        counts[:, inside] = rng.multinomial(len(inside), np.full(len(inside), 1 / len(inside)), n_boot)
    return counts[:, unit]


def refit_weights(fitted: SemFit, weights: np.ndarray) -> Draws:
    """Refit to given case weights (B, n), cases in the order of the fit's groups."""
    problem = fitted.problem
    expected = model_information(
        problem.spec, problem.layout, fitted.tau, problem.value, problem.groups, kind=fitted.information
    )
    inverse = np.linalg.inv(expected)
    if problem.complete:
        tau, value, converged = _refit_complete(problem, fitted.tau, inverse, weights)
    else:
        tau, value, converged = _refit_incomplete(problem, fitted.tau, inverse, weights)
    scores = summed_scores(problem, fitted.tau)
    return Draws(tau[converged], value[converged], int((~converged).sum()), -scores @ inverse / problem.n)


def weighted_moments(problem: Problem, weights: np.ndarray) -> Moments:
    """Moments of complete data under case weights (B, n)."""
    edges = np.cumsum(problem.sample.n)[:-1]
    n, means, covs = [], [], []
    p = len(problem.spec.observed)
    row, column = np.tril_indices(p)
    for patterns, weight in zip(problem.groups, np.split(weights, edges, axis=1), strict=True):
        # centring first keeps the products from cancelling
        centre = patterns.values.mean(0)
        values = patterns.values - centre
        total = weight.sum(1)
        sums = weight @ np.concatenate([values, values[:, row] * values[:, column]], axis=1) / total[:, None]
        mean, cov = sums[:, :p], np.empty((len(weight), p, p))
        cov[:, row, column] = cov[:, column, row] = sums[:, p:]
        covs.append(cov - mean[:, :, None] * mean[:, None, :])
        means.append(mean + centre)
        n.append(total)
    mean, cov = np.stack(means, axis=1), np.stack(covs, axis=1)
    kept = np.broadcast_to(problem.sample.kept, mean.shape)
    neutralise(mean, cov, kept)
    return Moments(np.stack(n, axis=1), mean, cov, kept)


def _refit_complete(
    problem: Problem, start: np.ndarray, inverse: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, ...]:
    spec, layout, parts = problem.spec, problem.layout, []
    for begin in range(0, len(weights), CHUNK):
        moments = weighted_moments(problem, weights[begin : begin + CHUNK])
        value = fill_covariates(spec, moments.mean, moments.cov)
        tau, converged = descend(
            lambda tau, which, m=moments, v=value: evaluate(
                spec, layout, tau, v[which], m.take(which), information=False
            )[:2],
            np.tile(start, (len(value), 1)),
            inverse,
            moments.n.sum(1),
            tolerance=TOLERANCE,
        )
        parts.append((tau, value, converged))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _refit_incomplete(
    problem: Problem, start: np.ndarray, inverse: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, ...]:
    edges = np.cumsum(problem.sample.n)[:-1]
    parts = []
    for weight in weights:
        groups = tuple(
            weigh_patterns(patterns, kept, part).drawn()
            for patterns, kept, part in zip(
                problem.groups, problem.sample.kept, np.split(weight, edges), strict=True
            )
        )
        value = _covariate_values(problem, np.split(weight, edges))

        tau, converged = descend(
            lambda tau, _, g=groups, v=value: evaluate_fiml(
                problem.spec, problem.layout, tau, v, g, information=False
            )[:2],
            start[None],
            inverse,
            np.array([weight.sum()]),
            tolerance=TOLERANCE,
        )
        parts.append((tau[0], value, converged[0]))
    return tuple(np.array(column) for column in zip(*parts, strict=True))


def _covariate_values(problem: Problem, weights: list[np.ndarray]) -> np.ndarray:
    """Fixed values of a resample; free covariates have none to fill."""
    which = problem.fixed
    if not which.any():
        return problem.value
    p = len(which)
    mean, cov = np.zeros((len(weights), p)), np.tile(np.eye(p), (len(weights), 1, 1))
    for g, weight in enumerate(weights):
        kept = problem.sample.kept[g, which]
        found = saturate(weigh_patterns(select_variables(problem, g, which), kept, weight).drawn())
        mean[g, which] = found.mean
        cov[g][np.ix_(which, which)] = found.cov
    return fill_covariates(problem.spec, mean, cov)


def with_bootstrap(fitted: SemFit, *, n_boot: int, seed: int | None, conf_level: float = 0.95) -> SemFit:
    """The fit with bootstrap standard errors and percentile intervals in its table.

    Raises
    ------
    ModelError
        Without a seed, or if fewer than 90 % of the resamples converged.
    """
    if seed is None:
        raise ModelError("a bootstrap needs seed=, so that it can be repeated")
    draws = resample(fitted, n_boot=n_boot, seed=seed)
    if draws.failed > n_boot / 10:
        raise ModelError(f"{draws.failed} of {n_boot} resamples did not converge; simplify the model")
    table = fitted.estimates.copy()
    tails = [0.5 - conf_level / 2, 0.5 + conf_level / 2]
    for name, function in row_functions(fitted.problem.spec, draws.value).items():
        drawn = function(draws.tau)[:, reported(fitted.problem.spec)]
        se, low, high = (
            ("se", "ci_lower", "ci_upper") if name == "est" else ("std_se", "std_ci_lower", "std_ci_upper")
        )
        table[se] = drawn.std(axis=0, ddof=1)
        table[low], table[high] = np.nanquantile(drawn, tails, axis=0)
    moving = table["se"] > 0
    table["z"] = (table["est"] / table["se"].where(moving)).to_numpy()
    table["pvalue"] = two_sided_p(table["z"].to_numpy())
    return replace(fitted, resampled=table, vcov=np.cov(draws.tau, rowvar=False).reshape(fitted.vcov.shape))
