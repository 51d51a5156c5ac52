"""Fit a structural equation model; the room's front door.

Maximum likelihood as in Bollen (1989) and, for incomplete data, Enders & Bandalos (2001); names, defaults and
definitions are those of lavaan 0.6-14 (Rosseel, 2012), against which every number is tested.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.fiml import model_information
from lib.sem.implied import row_values
from lib.sem.problem import Problem, estimate, pose, start_information, with_spec
from lib.sem.result import SemFit
from lib.sem.robust import check_clusters, cluster_df, sandwich
from lib.sem.spec import Spec
from lib.sem.standard import define
from lib.sem.tables import invert_information, judge, try_inverse

MISSING = ("listwise", "fiml", "ml.x")
ESTIMATORS = ("ML", "MLR")
INFORMATION = (None, "expected", "observed")


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
    define(spec, row_values(spec, tau[None], problem.value))
    status, reason = judge(spec, tau, problem.value, converged=converged)
    inverse, weak = try_inverse(optimum.information[0], spec)
    if weak and not try_inverse(start_information(problem), spec)[1]:
        # the model is identified in general, but not where these data lead
        status = "inadmissible" if converged else status
        reason = f"these data hold no information on '{weak}'; simplify the model"
    elif weak:
        invert_information(optimum.information[0], spec)
    if status == "not_converged" or weak:
        return _without_numbers(
            problem, tau, converged, status, reason, objective, information, robust, correct
        )
    if information == "observed":
        hessian = model_information(
            spec, problem.layout, tau, problem.value, problem.groups, kind=information
        )
        inverse = invert_information(hessian, spec)
    vcov = sandwich(problem, tau, inverse) if robust else inverse / problem.n
    df = cluster_df(problem) if correct else np.inf
    return SemFit(
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


def _without_numbers(
    problem: Problem, tau: np.ndarray, converged: bool, status: str, reason: str, objective: float,
    information: str, robust: bool, correct: bool,
) -> SemFit:  # fmt: skip
    """A fit that failed: its table names the parameters and holds no numbers."""
    nothing = np.full((len(tau), len(tau)), np.nan)
    return SemFit(
        nothing, tau, converged, status, reason, np.inf, objective, nothing, information, robust, correct, problem,
    )  # fmt: skip


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ModelError(f"{name}={value!r} is not known; choose from {', '.join(map(repr, choices))}")
