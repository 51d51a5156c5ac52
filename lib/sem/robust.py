"""Standard errors and test statistics that hold without normality or independence within clusters.

MLR: the sandwich of White (1982) with the observed information, and the Yuan-Bentler (2000) scaled chi-square in
its Mplus variant, as lavaan computes them. With clusters the scores are summed over a cluster's cases, over groups
too where a class holds both groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.errors import ModelError
from lib.sem.fiml import model_scores
from lib.sem.momentspace import (
    Evaluated,
    case_scores,
    evaluate_patterns,
    expected_information,
    lower,
    observed_information,
)
from lib.sem.patterns import Patterns, shares
from lib.sem.problem import Problem
from lib.sem.saturated import GroupMoments

MIN_CLUSTERS = 20
FEW_CLUSTERS = 50


@dataclass(frozen=True)
class Scaling:
    """Scaling factors of the chi-square of a model and of its baseline, with the traces behind them."""

    factor: float
    baseline: float
    trace: float
    trace_h0: float
    trace_h1: float


def check_clusters(problem: Problem) -> None:
    """Refuse cluster-robust inference with fewer than 20 clusters."""
    count = problem.sample.n_clusters
    if problem.sample.cluster is not None and count < MIN_CLUSTERS:
        raise ModelError(
            f"{count} clusters are too few for cluster-robust standard errors (at least {MIN_CLUSTERS}); "
            "enter them as 0/1 covariates instead, or name a finer cluster such as the class"
        )


def cluster_df(problem: Problem) -> float:
    """Degrees of freedom of t: clusters - 1 with 20 to 49 clusters, else infinite (normal)."""
    count = problem.sample.n_clusters
    return float(count - 1) if 0 < count < FEW_CLUSTERS else np.inf


def summed_scores(problem: Problem, tau: np.ndarray) -> np.ndarray:
    """Scores (C, r) of independent units: students, or clusters summed over groups.

    Those of clusters carry the root of G / (G - 1), with G counted per group where no cluster holds two groups.
    """
    scores = model_scores(
        problem.spec, problem.layout, tau, problem.value, problem.groups, problem.sample.kept
    )
    clusters = problem.sample.cluster
    if clusters is None:
        return np.concatenate(scores)
    if problem.sample.n_clusters == sum(len(np.unique(codes)) for codes in clusters):
        return np.concatenate([_sum_by_cluster(*pair) for pair in zip(scores, clusters, strict=True)])
    return _sum_by_cluster(np.concatenate(scores), np.concatenate(clusters))


def meat(problem: Problem, tau: np.ndarray) -> np.ndarray:
    """Mean outer product of the scores per case (r, r)."""
    scores = summed_scores(problem, tau)
    return scores.T @ scores / problem.n


def sandwich(problem: Problem, tau: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Robust covariance matrix of the free parameters (r, r).

    Parameters
    ----------
    inverse : ndarray (r, r)
        Inverse information of one case.
    """
    return inverse @ meat(problem, tau) @ inverse / problem.n


def scale_test(
    problem: Problem, tau: np.ndarray, inverse: np.ndarray, baseline: tuple[GroupMoments, ...], baseline_df: int,
    *, kind: str = "observed",
) -> Scaling:  # fmt: skip
    """Yuan-Bentler scaling factors (Mplus variant) of the model and of its baseline.

    Parameters
    ----------
    inverse : ndarray (r, r)
        Inverse information of one case at tau.
    kind : {"observed", "expected"}
        Information of the saturated model.
    """
    trace_h1 = sum(np.trace(_solve(first, second)) for second, first in h1_matrices(problem, kind=kind))
    trace_h0 = float(np.trace(meat(problem, tau) @ inverse))
    free = baseline_coordinates(problem)
    trace_base = sum(
        np.trace(_solve(first, second))
        for second, first in group_matrices(problem, baseline, free, kind=kind)
    )
    trace = float(trace_h1 - trace_h0)
    factor = trace / problem.df if problem.df > 0 else np.nan
    base = float(trace_h1 - trace_base) / baseline_df if baseline_df > 0 else np.nan
    return Scaling(factor if factor > 0 else np.nan, base, trace, trace_h0, float(trace_h1))


def baseline_coordinates(problem: Problem) -> np.ndarray:
    """Moment coordinates (G, k) that the baseline estimates: means, variances, covariances among covariates."""
    row, column = lower(len(problem.spec.observed))
    among = problem.covariates[row] & problem.covariates[column]
    own = np.concatenate([np.ones(len(problem.covariates), bool), (row == column) | among])
    return problem.modelled() & own


def h1_matrices(problem: Problem, *, kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """First-order and second-order information of the saturated model, per group and case."""
    return group_matrices(problem, problem.saturated, problem.modelled(), kind=kind)


def group_matrices(
    problem: Problem, moments: tuple[GroupMoments, ...], free: np.ndarray, *, kind: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean outer product of scores, and information, of each group's moments in the coordinates ``free`` (G, k)."""
    out = []
    for g, patterns in enumerate(problem.groups):
        at = evaluate_patterns(patterns, moments[g].mean, moments[g].cov)
        scores = case_scores(patterns, moments[g].mean, at, problem.sample.kept[g])[:, free[g]]
        clusters = None if problem.sample.cluster is None else problem.sample.cluster[g]
        scores = _sum_by_cluster(scores, clusters)
        second = (observed_information if kind == "observed" else expected_information)(at)
        out.append((scores.T @ scores / patterns.n.sum(), second[np.ix_(free[g], free[g])]))
    return out


def corrected_chisq(problem: Problem, tau: np.ndarray, slope: list[np.ndarray], *, robust: bool) -> float:
    """Trace that corrects fit indices of incomplete data (Zhang & Savalei, 2023), FIML-C V3 (robust) or V6.

    Parameters
    ----------
    slope : list of ndarray (k, r)
        Derivatives of each group's moment coordinates with respect to the model's parameters.
    """
    free, share = problem.modelled(), shares(problem.groups)
    incomplete, complete, gamma, jacobian = [], [], [], []
    for g, (first, second) in enumerate(h1_matrices(problem, kind="observed")):
        inverse = np.linalg.inv(second)
        at = _as_complete(problem, g)
        incomplete.append(share[g] * second)
        complete.append(share[g] * expected_information(at)[np.ix_(free[g], free[g])])
        gamma.append(inverse @ first @ inverse / share[g])
        jacobian.append(slope[g][free[g]])
    weight, full = _blocks(incomplete), _blocks(complete)
    delta = np.concatenate(jacobian)
    inverse = np.linalg.inv(weight)
    loaded = weight @ delta
    residual = weight - loaded @ np.linalg.solve(delta.T @ loaded, loaded.T)
    core = inverse @ residual
    if robust:
        return float(np.trace(core.T @ full @ core @ _blocks(gamma)))
    return float(np.trace(full @ core @ inverse))


def _as_complete(problem: Problem, g: int) -> Evaluated:
    """Group g as if its saturated moments were those of complete data."""
    moments = problem.saturated[g]
    whole = Patterns(
        np.ones((1, len(moments.mean))),
        np.ones(1),
        moments.mean[None],
        moments.cov[None],
        np.empty((0, 0)),
        np.empty(0),
    )
    return evaluate_patterns(whole, moments.mean, moments.cov)


def _blocks(parts: list[np.ndarray]) -> np.ndarray:
    size = sum(len(part) for part in parts)
    out, at = np.zeros((size, size)), 0
    for part in parts:
        out[at : at + len(part), at : at + len(part)] = part
        at += len(part)
    return out


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.linalg.solve(matrix, right)


def _sum_by_cluster(scores: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    if cluster is None:
        return scores
    order = np.argsort(cluster, kind="stable")
    _, first = np.unique(cluster[order], return_index=True)
    return np.add.reduceat(scores[order], first) * np.sqrt(len(first) / (len(first) - 1))
