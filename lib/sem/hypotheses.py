"""Tests of a model's restrictions: chi-square difference, Wald and score tests.

Scaled differences follow Satorra & Bentler (2001) and, where that value is negative, (2010); score tests are those
of lavaan's ``lavTestScore`` (Lagrange multipliers with the expected information).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.distributions import chisq_p, f_p
from lib.sem.expressions import Expression
from lib.sem.fiml import evaluate_fiml, model_information
from lib.sem.implied import lay_out, row_values
from lib.sem.measures import baseline_moments
from lib.sem.quantities import quantity, read_equations
from lib.sem.result import SemFit
from lib.sem.robust import h1_matrices, scale_test
from lib.sem.spec import Spec
from lib.sem.standard import jacobian
from lib.sem.tables import invert_information


@dataclass(frozen=True)
class Test:
    """A test statistic with its null hypothesis in words.

    ``df2`` is infinite for a chi-square; else the statistic is F with ``df`` and ``df2`` degrees of freedom.
    """

    null: str
    statistic: float
    df: float
    pvalue: float
    method: str
    df2: float = np.inf


def difference_test(restricted: SemFit, general: SemFit) -> Test:
    """Likelihood-ratio test of a model against a more general one; scaled when the fits are robust.

    Parameters
    ----------
    restricted, general : SemFit
        Nested fits of the same variables to the same cases.

    Raises
    ------
    ModelError
        If the fits do not share their cases, or the restricted one has no more degrees of freedom.
    """
    for name, fitted in (("restricted", restricted), ("general", general)):
        if not fitted.converged:
            raise ModelError(f"the {name} model did not converge, so it cannot be tested; simplify it")
    if restricted.n_obs != general.n_obs or set(restricted.problem.spec.observed) != set(
        general.problem.spec.observed
    ):
        raise ModelError("the two models use other cases or variables; fit both to the same data")
    chisq0, chisq1 = (fitted.fit_measures["chisq"] for fitted in (restricted, general))
    df0, df1 = (fitted.fit_measures["df"] for fitted in (restricted, general))
    df = df0 - df1
    if df <= 0:
        raise ModelError(
            f"the restricted model has {df0} degrees of freedom and the general one {df1}; swap them"
        )
    null = f"the {df} restrictions hold"
    if not (restricted.robust and general.robust):
        return Test(null, chisq0 - chisq1, df, chisq_p(chisq0 - chisq1, df), "chi-square difference")
    factor0 = restricted.fit_measures["chisq.scaling.factor"]
    factor1 = general.fit_measures["chisq.scaling.factor"] if df1 else 1.0
    factor, method = (df0 * factor0 - df1 * factor1) / df, "scaled difference (Satorra-Bentler 2001)"
    if factor <= 0:
        factor, method = factor_at_restricted(restricted, general), "scaled difference (Satorra-Bentler 2010)"
    statistic = (chisq0 - chisq1) / factor
    return Test(null, statistic, df, chisq_p(statistic, df), method)


def factor_at_restricted(restricted: SemFit, general: SemFit) -> float:
    """Scaling factor of a difference test (2010): the general model's own factor is taken at the restricted fit."""
    df0, df1 = restricted.fit_measures["df"], general.fit_measures["df"]
    inner = _scaling_at(general, restricted) if df1 else 1.0
    return (df0 * restricted.fit_measures["chisq.scaling.factor"] - df1 * inner) / (df0 - df1)


def _scaling_at(general: SemFit, restricted: SemFit) -> float:
    """Scaling factor of the general model at the restricted model's estimates."""
    problem, spec = general.problem, general.problem.spec
    inner = restricted.problem
    values = row_values(inner.spec, restricted.tau[None], inner.value)[0]
    theta = np.zeros(spec.n_theta)
    for e, row in enumerate(spec.rows):
        try:
            found = values[:, inner.spec.find(*row.key)]
        except ModelError:
            found = np.zeros(len(values))
        free = spec.free[:, e] >= 0
        theta[spec.free[free, e]] = found[free]
    tau = spec.basis.T @ (theta - spec.shift)
    inverse = invert_information(
        model_information(spec, problem.layout, tau, problem.value, problem.groups, kind=general.information),
        spec,
    )
    baseline, base_df = baseline_moments(problem)
    return scale_test(problem, tau, inverse, baseline, base_df, h1_matrices(problem)).factor


def wald_test(fitted: SemFit, *hypotheses: str, standardized: bool = False) -> Test:
    """Wald test that all hypotheses hold together.

    Parameters
    ----------
    fitted : SemFit
    hypotheses : str
        Equations in labels and definitions, such as ``"a1 == a2"`` or ``"b == 0"``; smooth functions are tested
        by the delta method.
    standardized : bool
        Whether labels stand for standardized values.

    Returns
    -------
    Test
        Chi-square, or F with few clusters.
    """
    if not hypotheses:
        raise ModelError("wald_test needs at least one hypothesis, such as 'a1 == a2'")
    gaps: list[Expression] = [read_equations(text) for text in hypotheses]
    functions = [quantity(fitted, gap, standardized=standardized) for gap in gaps]

    def stacked(tau: np.ndarray) -> np.ndarray:
        return np.stack([function(tau) for function in functions], axis=1)

    gap = stacked(fitted.tau[None])[0].real
    slope = jacobian(stacked, fitted.tau)
    cov = slope @ fitted.vcov @ slope.T
    rank = int(np.linalg.matrix_rank(cov, hermitian=True))
    if rank < len(gap):
        raise ModelError(
            f"{len(gap)} hypotheses hold only {rank} independent restrictions; remove the redundant ones"
        )
    statistic = float(gap @ np.linalg.solve(cov, gap))
    null = " and ".join(hypotheses)
    if np.isfinite(fitted.df):
        return Test(null, statistic / rank, rank, f_p(statistic / rank, rank, fitted.df), "Wald F", fitted.df)
    return Test(null, statistic, rank, chisq_p(statistic, rank), "Wald chi-square")


def score_tests(fitted: SemFit) -> pd.DataFrame:
    """Score test of freeing each parameter that is held equal to another, one at a time.

    Returns
    -------
    DataFrame
        ``lhs op rhs group chisq df pvalue``, one row per parameter and group after the first it is equal to.

    Raises
    ------
    ModelError
        If the model holds nothing equal.
    """
    spec, problem = fitted.problem.spec, fitted.problem
    loose, instance = _unmerge(spec)
    layout = lay_out(loose)
    tau = row_values(spec, fitted.tau[None], problem.value)[0][spec.free >= 0]
    _, gradient, _ = evaluate_fiml(loose, layout, tau[None], problem.value, problem.groups, information=False)
    information = model_information(loose, layout, tau, problem.value, problem.groups, kind="expected")
    held = spec.basis[instance]
    rows = []
    seen: set[int] = set()
    for place, (g, e) in enumerate(np.argwhere(spec.free >= 0)):
        if instance[place] not in seen:
            seen.add(int(instance[place]))
            continue
        basis = np.column_stack([held, np.arange(len(tau)) == place]).astype(float)
        score = basis.T @ gradient[0]
        chisq = float(problem.n * score @ np.linalg.solve(basis.T @ information @ basis, score))
        rows.append((*spec.rows[e].key, spec.groups[g], chisq, 1, chisq_p(chisq, 1)))
    if not rows:
        raise ModelError("the model holds no parameters equal, so there is nothing to free")
    return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "chisq", "df", "pvalue"])


def _unmerge(spec: Spec) -> tuple[Spec, np.ndarray]:
    """The spec with every free row its own parameter, and each one's place in the original theta."""
    free = np.full(spec.free.shape, -1)
    count = int((spec.free >= 0).sum())
    free[spec.free >= 0] = np.arange(count)
    return replace(spec, free=free, basis=np.eye(count), shift=np.zeros(count)), spec.free[spec.free >= 0]
