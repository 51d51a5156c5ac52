"""A model and its data, brought together: what every estimate, test and resample starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.fiml import evaluate_fiml
from lib.sem.implied import Layout, lay_out
from lib.sem.likelihood import Moments, evaluate
from lib.sem.momentspace import lower
from lib.sem.patterns import Patterns, find_patterns, shares
from lib.sem.sample import Sample, find_groups, take_sample
from lib.sem.saturated import GroupMoments, saturate
from lib.sem.scoring import Optimum, maximise
from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec, renumber
from lib.sem.specify import build_spec
from lib.sem.start import fill_covariates, start_values
from lib.sem.syntax import parse_model


@dataclass(frozen=True)
class Problem:
    """A spec with the sufficient statistics of its data.

    Attributes
    ----------
    spec : Spec
    layout : Layout
    value : ndarray (G, e)
        Fixed values, the covariates' moments filled in.
    groups : tuple of Patterns (G)
    saturated : tuple of GroupMoments (G)
    sample : Sample
    """

    spec: Spec
    layout: Layout
    value: np.ndarray
    groups: tuple[Patterns, ...]
    saturated: tuple[GroupMoments, ...]
    sample: Sample

    @property
    def n(self) -> int:
        return int(self.sample.n.sum())

    @property
    def complete(self) -> bool:
        return all(patterns.complete for patterns in self.groups)

    @property
    def moments(self) -> Moments:
        """Saturated moments as a batch of one; sufficient when the data are complete."""
        mean = np.array([group.mean for group in self.saturated])[None]
        cov = np.array([group.cov for group in self.saturated])[None]
        return Moments(self.sample.n[None].astype(float), mean, cov, self.sample.kept[None])

    @property
    def covariates(self) -> np.ndarray:
        """Which observed variables are covariates (p,)."""
        return np.array([name in self.spec.variables.covariates for name in self.spec.observed])

    @property
    def fixed(self) -> np.ndarray:
        """Covariates whose moments are not parameters (p,)."""
        return self.covariates & self.spec.fixed_x

    def modelled(self) -> np.ndarray:
        """Moment coordinates (G, k) that the model speaks about: not of fixed or dropped covariates."""
        row, column = lower(len(self.spec.observed))
        kept = self.sample.kept
        mean = kept & ~self.fixed & self.spec.meanstructure
        cov = kept[:, row] & kept[:, column] & ~(self.fixed[row] & self.fixed[column])
        return np.concatenate([mean, cov], axis=1)

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return int(self.modelled().sum()) - self.spec.n_free


def pose(
    model: str,
    data: pd.DataFrame,
    *,
    group: str | None,
    group_equal: Sequence[str],
    group_partial: Sequence[str],
    missing: str,
    cluster: str | None,
    meanstructure: bool,
    fixed_x: bool,
) -> Problem:
    """Read a model, take its cases and their sufficient statistics (arguments as in `lib.sem.fit.fit`)."""
    parsed = parse_model(model)
    meanstructure = meanstructure or any(term.op == "~1" for term in parsed.terms)
    spec = build_spec(
        parsed, groups=find_groups(data, group), meanstructure=meanstructure, fixed_x=fixed_x,
        group_equal=group_equal, group_partial=group_partial,
    )  # fmt: skip
    sample = take_sample(
        data, spec.observed, covariates=spec.variables.covariates, group=group, cluster=cluster,
        missing=missing, fixed_x=fixed_x,
    )  # fmt: skip
    return assemble(drop_covariates(spec, sample.kept), sample)


def assemble(spec: Spec, sample: Sample) -> Problem:
    """The problem of a spec and a sample that fit each other."""
    groups = tuple(
        find_patterns(values, kept) for values, kept in zip(sample.values, sample.kept, strict=True)
    )
    saturated = tuple(saturate(patterns) for patterns in groups)
    return _join(spec, groups, saturated, sample)


def with_spec(problem: Problem, spec: Spec) -> Problem:
    """Another model of the same variables for the same cases; their statistics are kept."""
    return _join(
        drop_covariates(spec, problem.sample.kept), problem.groups, problem.saturated, problem.sample
    )


def _join(
    spec: Spec, groups: tuple[Patterns, ...], saturated: tuple[GroupMoments, ...], sample: Sample
) -> Problem:
    problem = Problem(spec, lay_out(spec), _filled(spec, saturated), groups, saturated, sample)
    if problem.df < 0:
        raise ModelError(
            f"the model is not identified: {spec.n_free} free parameters for {spec.n_free + problem.df} moments; "
            "fix parameters or add indicators"
        )
    return problem


def _filled(spec: Spec, saturated: tuple[GroupMoments, ...]) -> np.ndarray:
    return fill_covariates(spec, np.array([s.mean for s in saturated]), np.array([s.cov for s in saturated]))


def estimate(problem: Problem, start: np.ndarray | None = None) -> Optimum:
    """Maximum-likelihood estimates of a problem.

    Complete data are fitted from their moments. Incomplete data start from the fit to their saturated moments.

    Parameters
    ----------
    start : ndarray (r,), optional
        Starting values tau.
    """
    spec, layout, value, moments = problem.spec, problem.layout, problem.value, problem.moments
    if start is None:
        start = start_values(spec, moments.mean[0], moments.cov[0])
    optimum = maximise(
        lambda tau, which, full: evaluate(spec, layout, tau, value, moments.take(which), information=full),
        start[None],
        moments.n.sum(1),
    )
    if problem.complete:
        return optimum
    start = optimum.tau if optimum.converged[0] else start[None]
    return maximise(
        lambda tau, _, full: evaluate_fiml(spec, layout, tau, value, problem.groups, information=full),
        start,
        moments.n.sum(1),
    )


def start_information(problem: Problem) -> np.ndarray:
    """Expected information of one case (r, r) at the starting values."""
    moments = problem.moments
    start = start_values(problem.spec, moments.mean[0], moments.cov[0])
    return evaluate(problem.spec, problem.layout, start[None], problem.value, moments)[2][0]


def drop_covariates(spec: Spec, kept: np.ndarray) -> Spec:
    """Fix at 0 what a dropped covariate would have (kept: (G, p))."""
    if kept.all():
        return spec
    free, value = spec.free.copy(), spec.value.copy()
    gone = np.concatenate([~kept, np.zeros((len(kept), len(spec.variables.latents)), bool)], axis=1)
    for e in range(len(spec.rows)):
        left = gone[:, spec.i[e]] & (spec.kind[e] != PATH)
        right = gone[:, spec.j[e]] & (spec.kind[e] != MEAN)
        hit = left | right
        free[hit, e] = -1
        value[hit, e] = 1.0 if spec.kind[e] == COVARIANCE and spec.i[e] == spec.j[e] else 0.0
    return renumber(spec, free, value)


def log_likelihoods(problem: Problem, *objectives: float) -> tuple[float, ...]:
    """Log likelihoods of the modelled variables; that of fixed covariates is left out, as in lavaan."""
    fixed, own = problem.fixed, -_constant(problem.groups, problem.sample.kept)
    if fixed.any():
        covariates = [select_variables(problem, g, fixed) for g in range(len(problem.groups))]
        share = shares(problem.groups)
        own += problem.n * sum(share[g] * saturate(covariates[g]).objective for g in range(len(covariates)))
        own += _constant(covariates, problem.sample.kept[:, fixed])
    return tuple(float(own - problem.n * objective) for objective in objectives)


def _constant(groups: Sequence[Patterns], kept: np.ndarray) -> float:
    """The part of -log likelihood that no parameter moves; dropped variables have an objective of 1/2 a case."""
    seen = sum(
        (patterns.n @ patterns.seen[:, keep]).sum() for patterns, keep in zip(groups, kept, strict=True)
    )
    neutral = sum(patterns.n.sum() * (~keep).sum() for patterns, keep in zip(groups, kept, strict=True))
    return 0.5 * np.log(2 * np.pi) * seen - 0.5 * neutral


def select_variables(problem: Problem, g: int, which: np.ndarray) -> Patterns:
    """The patterns of some of the variables (p,) in group g."""
    patterns, kept = problem.groups[g], problem.sample.kept[g, which]
    if not patterns.complete:
        return find_patterns(patterns.values[:, which], kept)
    return replace(
        patterns, seen=patterns.seen[:, which], mean=patterns.mean[:, which],
        cov=patterns.cov[:, which][:, :, which], values=patterns.values[:, which],
    )  # fmt: skip
