"""The two models that a fitted model is judged against: the saturated one and the one of no association."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.errors import ModelError
from lib.sem.momentspace import (
    evaluate_patterns,
    expected_information,
    slopes,
    stack_moments,
    unstack_moments,
)
from lib.sem.patterns import Patterns, rough_moments
from lib.sem.scoring import maximise

EM_STEPS = 12


@dataclass(frozen=True)
class GroupMoments:
    """Maximum-likelihood moments of one group under a reference model, and their objective per case."""

    mean: np.ndarray
    cov: np.ndarray
    objective: float


def saturate(patterns: Patterns) -> GroupMoments:
    """Mean and covariance matrix of one group without any model.

    Complete data give the sample moments. Incomplete data give their maximum-likelihood estimates: a few EM
    steps, then Fisher scoring.

    Raises
    ------
    ModelError
        If the estimates do not converge, as when two variables were never answered together.
    """
    if patterns.complete:
        mean, cov = patterns.mean[0], patterns.cov[0]
        return GroupMoments(mean, cov, evaluate_patterns(patterns, mean, cov).objective)
    mean, variance = rough_moments(patterns)
    cov, p = np.diag(variance), len(mean)
    for _ in range(EM_STEPS):
        at = evaluate_patterns(patterns, mean, cov)
        shift = -cov @ at.slope_mean
        cov = cov - 2 * cov @ at.slope_cov @ cov - np.outer(shift, shift)
        mean = mean + shift
    start = stack_moments(mean, (cov + cov.T) / 2)

    def evaluate(tau: np.ndarray, _: np.ndarray, full: bool) -> tuple:
        at = evaluate_patterns(patterns, *unstack_moments(tau[0], p))
        return np.array([at.objective]), slopes(at)[None], expected_information(at)[None] if full else None

    optimum = maximise(evaluate, start[None], np.array([patterns.n.sum()]))
    if not optimum.converged[0]:
        raise ModelError(
            "the covariance matrix of the incomplete data could not be estimated; "
            "some variables may never have been answered together: leave one out or use missing='listwise'"
        )
    mean, cov = unstack_moments(optimum.tau[0], p)
    return GroupMoments(mean, cov, float(optimum.objective[0]))


def unrelate(patterns: Patterns, covariates: np.ndarray, among: GroupMoments | None) -> GroupMoments:
    """The baseline: variables independent of each other, covariates related only among themselves.

    Parameters
    ----------
    covariates : ndarray (p,) of bool
    among : GroupMoments or None
        Saturated moments of the covariates alone.
    """
    mean, variance = rough_moments(patterns)
    cov = np.diag(variance)
    if among is not None:
        cov[np.ix_(covariates, covariates)] = among.cov
        mean[covariates] = among.mean
    return GroupMoments(mean, cov, evaluate_patterns(patterns, mean, cov).objective)
