"""Fit measures by lavaan's definitions and names."""

from __future__ import annotations

import numpy as np

from lib.sem.distributions import chisq_p, noncentrality
from lib.sem.fiml import moment_slopes
from lib.sem.implied import imply
from lib.sem.likelihood import evaluate
from lib.sem.momentspace import lower
from lib.sem.patterns import shares
from lib.sem.problem import Problem, log_likelihoods, select_variables
from lib.sem.robust import Scaling, baseline_coordinates, corrected_traces, h1_matrices, scale_test
from lib.sem.saturated import GroupMoments, saturate, unrelate


def measure_fit(
    problem: Problem, tau: np.ndarray, objective: float, inverse: np.ndarray, *, robust: bool
) -> dict[str, float]:
    """Fit measures of a fitted problem.

    Parameters
    ----------
    tau : ndarray (r,)
        Estimates.
    objective : float
        Minus the log likelihood per case without its constant.
    inverse : ndarray (r, r)
        Inverse information of one case.
    robust : bool
        Whether to add the scaled and robust forms.

    Returns
    -------
    dict of str to float
        lavaan's names (``chisq df pvalue baseline.chisq cfi tli rmsea srmr logl aic bic`` and others).
    """
    share, n, df, groups = shares(problem.groups), problem.n, problem.df, len(problem.groups)
    best = sum(share[g] * problem.saturated[g].objective for g in range(groups))
    baseline, base_df = baseline_moments(problem)
    base = 2 * n * (sum(share[g] * baseline[g].objective for g in range(groups)) - best)
    chisq = max(2 * n * (objective - best), 0.0)
    logl, unrestricted = log_likelihoods(problem, objective, best)
    npar = problem.spec.n_free
    out = {
        "npar": npar, "ntotal": n, "chisq": chisq, "df": df, "pvalue": chisq_p(chisq, df),
        "baseline.chisq": base, "baseline.df": base_df, "baseline.pvalue": chisq_p(base, base_df),
        **_incremental(chisq, df, base, base_df),
        "logl": logl, "unrestricted.logl": unrestricted,
        "aic": 2 * npar - 2 * logl, "bic": npar * np.log(n) - 2 * logl,
        **_rmsea(chisq, df, n, groups),
        "srmr": _srmr(problem, tau),
    }  # fmt: skip
    h1 = h1_matrices(problem) if robust or not problem.complete else []
    if robust:
        out |= _scaled(out, scale_test(problem, tau, inverse, baseline, base_df, h1), n, groups)
    if not problem.complete and df > 0 and base_df > 0:
        out |= _corrected(problem, tau, baseline, out, h1, robust=robust)
    return out


def baseline_moments(problem: Problem) -> tuple[tuple[GroupMoments, ...], int]:
    """The baseline model's moments of each group, and its degrees of freedom."""
    which, out = problem.covariates, []
    for g, patterns in enumerate(problem.groups):
        among = saturate(select_variables(problem, g, which)) if which.any() else None
        out.append(unrelate(patterns, which, among))
    return tuple(out), int(problem.modelled().sum() - baseline_coordinates(problem).sum())


def _incremental(
    chisq: float,
    df: int,
    base: float,
    base_df: int,
    *,
    suffix: str = "",
    scale: tuple[float, float] = (1.0, 1.0),
) -> dict[str, float]:
    excess, base_excess = chisq - scale[0] * df, base - scale[1] * base_df
    highest = max(excess, base_excess, 0.0)
    cfi = 1.0 if highest < 1e-8 else 1 - max(excess, 0.0) / highest
    tli = 1.0
    if df > 0 and base_df > 0 and base_excess != 0:
        tli = 1 - (excess / df) / (base_excess / base_df)
    return {"cfi" + suffix: cfi, "tli" + suffix: tli}


def _rmsea(
    chisq: float, df: float, n: int, groups: int, *, suffix: str = "", point: float | None = None, scale: float = 1.0,
    point_scale: float = 1.0,
) -> dict[str, float]:  # fmt: skip
    """RMSEA with 90 % interval and close-fit p (Browne & Cudeck, 1993); ``point`` is the chi-square of the estimate."""
    names = [name + suffix for name in ("rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue")]
    if not df > 0:
        return dict(zip(names, (0.0, 0.0, 0.0, float("nan")), strict=True))
    raw = chisq if point is None else point
    value = np.sqrt(max(raw / n / df - point_scale / n, 0.0) * groups)
    lower_, upper = (
        np.sqrt(scale * noncentrality(chisq, df, tail) / (n * df) * groups) for tail in (0.95, 0.05)
    )
    close = chisq_p(chisq, df, n * df / scale * 0.05**2 / groups)
    return dict(zip(names, map(float, (value, lower_, upper, close)), strict=True))


def _srmr(problem: Problem, tau: np.ndarray) -> float:
    """Root mean square of residual correlations and, with means, standardized residual means (Bentler)."""
    implied = imply(problem.spec, tau[None], problem.value)
    row, column = lower(len(problem.spec.observed))
    total = 0.0
    for g, saturated in enumerate(problem.saturated):
        kept = problem.sample.kept[g]
        scale = np.sqrt(np.diag(saturated.cov))
        gap = ((saturated.cov - implied.cov[0, g]) / np.outer(scale, scale))[row, column]
        parts = gap[kept[row] & kept[column]]
        if problem.spec.meanstructure:
            parts = np.concatenate([parts, ((saturated.mean - implied.mean[0, g]) / scale)[kept]])
        total += shares(problem.groups)[g] * np.sqrt((parts**2).mean())
    return float(total)


def _scaled(out: dict[str, float], scaling: Scaling, n: int, groups: int) -> dict[str, float]:
    factor, base_factor, df, base_df = scaling.factor, scaling.baseline, out["df"], out["baseline.df"]
    chisq = out["chisq"] / factor if df > 0 else out["chisq"]
    base = out["baseline.chisq"] / base_factor if base_df > 0 else out["baseline.chisq"]
    # lavaan: the scaled RMSEA keeps the chi-square and takes the trace for its degrees of freedom
    return {
        "chisq.scaled": chisq, "df.scaled": df, "pvalue.scaled": chisq_p(chisq, df), "chisq.scaling.factor": factor,
        "baseline.chisq.scaled": base, "baseline.df.scaled": base_df,
        "baseline.pvalue.scaled": chisq_p(base, base_df), "baseline.chisq.scaling.factor": base_factor,
        **_incremental(chisq, df, base, base_df, suffix=".scaled"),
        **_incremental(out["chisq"], df, out["baseline.chisq"], base_df, suffix=".robust", scale=(factor, base_factor)),
        **_rmsea(out["chisq"], scaling.trace if df > 0 else 0, n, groups, suffix=".scaled"),
        **_rmsea(chisq, df, n, groups, suffix=".robust", point=out["chisq"], scale=factor, point_scale=factor),
    }  # fmt: skip


def _corrected(
    problem: Problem,
    tau: np.ndarray,
    baseline: tuple[GroupMoments, ...],
    out: dict[str, float],
    h1: list[tuple[np.ndarray, np.ndarray]],
    *,
    robust: bool,
) -> dict[str, float]:
    """Robust CFI, TLI and RMSEA of incomplete data (Zhang & Savalei, 2023)."""
    spec, df, base_df, n = problem.spec, out["df"], out["baseline.df"], problem.n
    moments = problem.moments
    objective = evaluate(spec, problem.layout, tau[None], problem.value, moments, information=False)[0][0]
    share, groups = shares(problem.groups), len(problem.groups)
    log_det = [np.linalg.slogdet(s.cov)[1] for s in problem.saturated]
    best = 0.5 * (share @ np.array(log_det) + len(spec.observed))
    chisq = 2 * n * (objective - best)
    slope = moment_slopes(spec, problem.layout, imply(spec, tau[None], problem.value))
    base = n * sum(
        share[g] * (_complete_objective(problem, g, baseline[g]) - log_det[g]) for g in range(groups)
    )
    base -= n * len(spec.observed)
    where = baseline_coordinates(problem)
    units = np.cumsum(where.ravel()).reshape(where.shape) - 1
    select = [np.eye(int(where.sum()))[units[g]] * where[g][:, None] for g in range(groups)]
    trace, base_trace = corrected_traces(problem, [slope, select], h1, robust=robust)
    factor, base_factor = trace / df, base_trace / base_df
    return {
        **_incremental(chisq, df, base, base_df, suffix=".robust", scale=(factor, base_factor)),
        **_rmsea(
            chisq / factor, df, n, groups, suffix=".robust", point=chisq, scale=factor, point_scale=factor
        ),
    }


def _complete_objective(problem: Problem, g: int, moments: GroupMoments) -> float:
    """log|C| + tr(C^-1 S) + the means' part, S and means the saturated ones of group g."""
    gap = problem.saturated[g].mean - moments.mean
    second = problem.saturated[g].cov + np.outer(gap, gap)
    return np.linalg.slogdet(moments.cov)[1] + np.trace(np.linalg.solve(moments.cov, second))
