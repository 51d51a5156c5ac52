"""Fit a structural equation model; the room's front door.

Maximum likelihood as in Bollen (1989) and, for incomplete data, Enders & Bandalos (2001); names, defaults and
definitions are those of lavaan 0.6-14 (Rosseel, 2012), against which every number is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.fiml import model_information
from lib.sem.measures import measure_fit
from lib.sem.problem import Problem, estimate, pose, with_spec
from lib.sem.robust import check_clusters, cluster_df, sandwich
from lib.sem.spec import Spec
from lib.sem.tables import invert_information, judge, tabulate

MISSING = ("listwise", "fiml", "ml.x")
ESTIMATORS = ("ML", "MLR")
INFORMATION = (None, "expected", "observed")


@dataclass(frozen=True)
class SemFit:
    """A fitted model.

    Attributes
    ----------
    estimates : DataFrame
        lavaan's columns ``lhs op rhs group label est se z pvalue ci_lower ci_upper std_all`` and, for the
        standardized solution (SD per SD), ``std_se std_ci_lower std_ci_upper``. ``group`` holds the group's label.
    vcov : ndarray (r, r)
        Covariance matrix of the free parameters ``tau`` (r,).
    converged : bool
    n_obs, n_clusters, excluded : int
        Cases used, clusters among them (0 without), and rows left out.
    status : str
        ``ok``, ``not_converged`` or ``inadmissible``; ``status_reason`` says why. Numbers of a fit whose status
        is not ``ok`` are no result.
    df : float
        Degrees of freedom of t behind p-values and intervals; infinite for normal ones.
    objective : float
        Minus the log likelihood per case, without its constant.
    inverse : ndarray (r, r)
        Inverse information of one case, before any robust correction.
    """

    estimates: pd.DataFrame
    vcov: np.ndarray = field(repr=False)
    tau: np.ndarray = field(repr=False)
    converged: bool
    status: str
    status_reason: str
    df: float
    objective: float
    inverse: np.ndarray = field(repr=False)
    information: str
    robust: bool
    correct: bool
    problem: Problem = field(repr=False)

    @cached_property
    def fit_measures(self) -> dict[str, float]:
        """Fit measures by lavaan's names (see `lib.sem.measures`), computed when first asked for.

        Empty for a fit that did not converge.
        """
        if not self.converged:
            return {}
        return measure_fit(self.problem, self.tau, self.objective, self.inverse, robust=self.robust)

    @property
    def n_obs(self) -> int:
        return self.problem.n

    @property
    def n_clusters(self) -> int:
        return self.problem.sample.n_clusters

    @property
    def excluded(self) -> int:
        return self.problem.sample.excluded

    @property
    def groups(self) -> tuple[str, ...]:
        return self.problem.spec.groups

    @property
    def dropped(self) -> dict[str, tuple[str, ...]]:
        """Covariates left out because they were constant or collinear, by group."""
        return self.problem.sample.dropped

    def row(self, lhs: str, op: str, rhs: str = "", *, group: str | None = None) -> pd.Series:
        """One row of ``estimates``; a definition is found by its name and ``":="``.

        Raises
        ------
        ModelError
            If there is not exactly one such row.
        """
        table = self.estimates
        hit = (table.lhs == lhs) & (table.op == op)
        if op != ":=":
            hit &= table.rhs == rhs
        if group is not None:
            hit &= table.group == group
        if hit.sum() != 1:
            raise ModelError(
                f"{hit.sum()} rows match '{lhs} {op} {rhs}' in group {group!r}; exactly one is needed"
            )
        return table[hit].iloc[0]


def fit(
    model: str,
    data: pd.DataFrame,
    *,
    group: str | None = None,
    group_equal: Sequence[str] = (),
    group_partial: Sequence[str] = (),
    missing: str = "listwise",
    estimator: str = "ML",
    cluster: str | None = None,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    information: str | None = None,
    bootstrap: int = 0,
    seed: int | None = None,
    cluster_correction: bool = True,
) -> SemFit:
    """Fit a model by maximum likelihood.

    Parameters
    ----------
    model : str
        lavaan syntax, see `lib.sem.syntax`.
    data : DataFrame
        One row per student; never changed.
    group : str, optional
        Column whose values are the groups, in a category's order or that of first appearance.
    group_equal : sequence of str
        Parameters held equal over groups: loadings, intercepts, means, residuals, residual.covariances,
        regressions, lv.variances, lv.covariances.
    group_partial : sequence of str
        Parameters freed again, as ``"x3 ~ 1"``.
    missing : {"listwise", "fiml", "ml.x"}
        Complete rows only; full information with rows complete on fixed covariates; full information with
        all rows. With ``fixed_x=False`` the last two are the same.
    estimator : {"ML", "MLR"}
        MLR gives Huber-White standard errors and the Yuan-Bentler chi-square.
    cluster : str, optional
        Column of clusters (classes); implies robust standard errors. At least 20 clusters.
    meanstructure : bool, optional
        Model the means; by default with groups, clusters, incomplete data or where the text holds ``~ 1``.
    fixed_x : bool
        Take covariates' moments from the sample instead of estimating them.
    information : {"expected", "observed"}, optional
        Behind standard errors; by default expected for listwise ML, else observed.
    bootstrap : int
        Resamples of students (of clusters where given) behind standard errors and percentile intervals.
    seed : int, optional
        Of the resampling; required with ``bootstrap``.
    cluster_correction : bool
        With 20 to 49 clusters use t with G - 1 degrees of freedom, where lavaan uses the normal distribution.
        The factor G / (G - 1) is always in the covariance matrix, as in lavaan 0.6-14.

    Returns
    -------
    SemFit

    Raises
    ------
    ModelError
        If the model cannot be read, is not identified or cannot be estimated from these data.
    """
    _check_choice("missing", missing, MISSING)
    _check_choice("estimator", estimator, ESTIMATORS)
    _check_choice("information", information, INFORMATION)
    robust = estimator == "MLR" or cluster is not None
    problem = pose(
        model, data, group=group, group_equal=tuple(group_equal), group_partial=tuple(group_partial),
        missing=missing, cluster=cluster, fixed_x=fixed_x,
        meanstructure=bool(meanstructure or group is not None or cluster is not None or missing != "listwise"),
    )  # fmt: skip
    check_clusters(problem)
    kind = information or ("observed" if robust or missing != "listwise" else "expected")
    fitted = solve_problem(problem, robust=robust, information=kind, correct=cluster_correction)
    if bootstrap:
        from lib.sem.bootstrap import with_bootstrap

        return with_bootstrap(fitted, n_boot=bootstrap, seed=seed)
    return fitted


def refit(fitted: SemFit, spec: Spec, *, start: np.ndarray | None = None) -> SemFit:
    """Fit another model of the same variables to the same cases, with the same choices."""
    return solve_problem(
        with_spec(fitted.problem, spec), robust=fitted.robust, information=fitted.information,
        correct=fitted.correct, start=start,
    )  # fmt: skip


def solve_problem(
    problem: Problem,
    *,
    robust: bool,
    information: str,
    correct: bool = True,
    start: np.ndarray | None = None,
) -> SemFit:
    """Estimate a problem and everything that is reported of it."""
    optimum = estimate(problem, start)
    tau, objective, converged = optimum.tau[0], float(optimum.objective[0]), bool(optimum.converged[0])
    spec = problem.spec
    expected = invert_information(optimum.information[0], spec)
    inverse = expected
    if information == "observed" and converged:
        hessian = model_information(
            spec, problem.layout, tau, problem.value, problem.groups, kind=information
        )
        inverse = invert_information(hessian, spec)
    vcov = inverse / problem.n
    if robust and converged:
        vcov = sandwich(problem, tau, inverse)
    df = cluster_df(problem) if correct else np.inf
    status, reason = judge(spec, tau, problem.value, converged=converged)
    table = tabulate(spec, tau, problem.value, vcov, df=df)
    return SemFit(
        table,
        vcov,
        tau,
        converged,
        status,
        reason,
        df,
        objective,
        inverse,
        information,
        robust,
        correct,
        problem,
    )


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ModelError(f"{name}={value!r} is not known; choose from {', '.join(map(repr, choices))}")
