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
    """Scaling factors of the chi-square of a model and of its baseline, and the trace behind the first."""

    factor: float
    baseline: float
    trace: float


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
    h1: list[tuple[np.ndarray, np.ndarray]],
) -> Scaling:  # fmt: skip
    """Yuan-Bentler scaling factors (Mplus variant) of the model and of its baseline.

    Parameters
    ----------
    inverse : ndarray (r, r)
        Inverse information of one case at tau.
    h1 : list of (ndarray, ndarray)
        From `h1_matrices`.
    """
    saturated = _traces(h1)
    trace = saturated - float(np.trace(meat(problem, tau) @ inverse))
    base = saturated - _traces(group_matrices(problem, baseline, baseline_coordinates(problem)))
    factor = trace / problem.df if problem.df > 0 and trace > 0 else np.nan
    return Scaling(factor, base / baseline_df if baseline_df > 0 else np.nan, trace)


def _traces(matrices: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(sum(np.trace(np.linalg.solve(information, scores)) for scores, information in matrices))


def baseline_coordinates(problem: Problem) -> np.ndarray:
    """Moment coordinates (G, k) that the baseline estimates: means, variances, covariances among covariates."""
    row, column = lower(len(problem.spec.observed))
    among = problem.covariates[row] & problem.covariates[column]
    own = np.concatenate([np.ones(len(problem.covariates), bool), (row == column) | among])
    return problem.modelled() & own


def h1_matrices(problem: Problem) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean outer product of scores, and Hessian, of the saturated model, per group and case."""
    return group_matrices(problem, problem.saturated, problem.modelled())


def group_matrices(
    problem: Problem, moments: tuple[GroupMoments, ...], free: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean outer product of scores, and Hessian, of each group's moments in the coordinates ``free`` (G, k)."""
    out = []
    for g, patterns in enumerate(problem.groups):
        at = evaluate_patterns(patterns, moments[g].mean, moments[g].cov)
        scores = case_scores(patterns, moments[g].mean, at, problem.sample.kept[g])[:, free[g]]
        clusters = None if problem.sample.cluster is None else problem.sample.cluster[g]
        scores = _sum_by_cluster(scores, clusters)
        second = observed_information(at)[np.ix_(free[g], free[g])]
        out.append((scores.T @ scores / patterns.n.sum(), second))
    return out


def corrected_traces(
    problem: Problem, slopes: list[list[np.ndarray]], h1: list[tuple[np.ndarray, np.ndarray]], *, robust: bool
) -> list[float]:
    """Traces that correct fit indices of incomplete data (Zhang & Savalei, 2023): FIML-C V3 if robust, else V6.

    Parameters
    ----------
    slopes : list of list of ndarray (k, r)
        For each model, the derivatives of each group's moment coordinates with respect to its parameters.
    h1 : list of (ndarray, ndarray)
        From `h1_matrices`.
    """
    free, share, groups = problem.modelled(), shares(problem.groups), range(len(h1))
    inverses = [np.linalg.inv(second) for _, second in h1]
    weight = _blocks([share[g] * h1[g][1] for g in groups])
    inverse = _blocks([inverses[g] / share[g] for g in groups])
    gamma = _blocks([inverses[g] @ h1[g][0] @ inverses[g] / share[g] for g in groups])
    complete = [expected_information(_as_complete(problem, g))[np.ix_(free[g], free[g])] for g in groups]
    full = _blocks([share[g] * complete[g] for g in groups])
    out = []
    for slope in slopes:
        delta = np.concatenate([slope[g][free[g]] for g in groups])
        loaded = weight @ delta
        core = np.eye(len(delta)) - delta @ np.linalg.solve(delta.T @ loaded, loaded.T)
        lifted = full @ core
        out.append(float(((lifted @ gamma) * core).sum() if robust else (lifted * inverse).sum()))
    return out


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


def _sum_by_cluster(scores: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    if cluster is None:
        return scores
    order = np.argsort(cluster, kind="stable")
    _, first = np.unique(cluster[order], return_index=True)
    return np.add.reduceat(scores[order], first) * np.sqrt(len(first) / (len(first) - 1))
