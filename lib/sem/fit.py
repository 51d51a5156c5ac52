"""Fit a structural equation model; the room's front door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem import distributions
from lib.sem.implied import imply, lay_out
from lib.sem.likelihood import evaluate
from lib.sem.sample import Sample, find_groups, take_sample
from lib.sem.scoring import maximise
from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec, build_spec, renumber
from lib.sem.standard import jacobian, row_functions
from lib.sem.start import fill_covariates, start_values
from lib.sem.syntax import parse_model


@dataclass(frozen=True)
class SemFit:
    """A fitted model.

    Attributes
    ----------
    estimates : DataFrame
        lavaan's columns ``lhs op rhs group label est se z pvalue ci_lower ci_upper std_all`` and
        ``std_se std_ci_lower std_ci_upper``; standardized values are in SD per SD.
    fit_measures : dict of str to float
        By lavaan's names.
    vcov : ndarray (r, r)
        Covariance matrix of the free parameters ``tau``.
    tau : ndarray (r,)
        Free parameters after constraints.
    converged : bool
    n_obs : int
        Cases used.
    status : str
        ``ok``, ``not_converged`` or ``inadmissible``; ``status_reason`` says why.
    dropped : dict of str to tuple of str
        Covariates left out because they are constant or collinear, by group.
    """

    estimates: pd.DataFrame
    fit_measures: dict[str, float]
    vcov: np.ndarray = field(repr=False)
    tau: np.ndarray = field(repr=False)
    converged: bool
    n_obs: int
    status: str
    status_reason: str
    dropped: dict[str, tuple[str, ...]]
    spec: Spec = field(repr=False)
    sample: Sample = field(repr=False)
    value: np.ndarray = field(repr=False)


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
) -> SemFit:
    """Fit a model by maximum likelihood.

    Parameters
    ----------
    model : str
        lavaan syntax.
    data : DataFrame
        One row per student.

    Raises
    ------
    ModelError
        If the model cannot be read, identified or estimated from these data.
    """
    groups = find_groups(data, group)
    means = (len(groups) > 1) if meanstructure is None else meanstructure
    spec = build_spec(
        parse_model(model), groups=groups, meanstructure=means, fixed_x=fixed_x,
        group_equal=group_equal, group_partial=group_partial,
    )  # fmt: skip
    sample = take_sample(
        data, spec.observed, covariates=spec.variables.covariates, group=group, cluster=cluster,
        missing=missing, fixed_x=fixed_x,
    )  # fmt: skip
    spec = drop_covariates(spec, sample.kept)
    moments = sample.moments()
    value = fill_covariates(spec, moments.mean[0], moments.cov[0])
    layout = lay_out(spec)
    start = start_values(spec, moments.mean[0], moments.cov[0])
    optimum = maximise(
        lambda tau, which: evaluate(spec, layout, tau, value, moments.take(which)),
        start[None],
        moments.n.sum(1),
    )
    tau = optimum.tau[0]
    n_obs = int(sample.n.sum())
    vcov = invert_information(optimum.information[0], spec) / n_obs
    status, reason = judge(spec, tau, value, converged=bool(optimum.converged[0]))
    return SemFit(
        tabulate(spec, tau, value, vcov), {}, vcov, tau, bool(optimum.converged[0]), n_obs, status, reason,
        sample.dropped, spec, sample, value,
    )  # fmt: skip


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


def invert_information(information: np.ndarray, spec: Spec) -> np.ndarray:
    """Inverse information; a direction without information is a model that is not identified."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information / np.outer(scale, scale)
    size, direction = np.linalg.eigh(scaled)
    if len(size) and size[0] < 1e-9:
        loads = np.abs(spec.basis @ (direction[:, 0] / scale))
        worst = int(np.argmax(loads * 1.0))
        g, e = np.argwhere(spec.free == worst)[0]
        lhs, op, rhs = spec.rows[e].key
        raise ModelError(
            f"the model is not identified: the data hold no information on '{lhs} {op} {rhs}'; "
            "fix it, add indicators, or constrain parameters"
        )
    return (direction / size) @ direction.T / np.outer(scale, scale)


def judge(spec: Spec, tau: np.ndarray, value: np.ndarray, *, converged: bool) -> tuple[str, str]:
    """Whether a solution may be reported, and why not."""
    if not converged:
        return "not_converged", "the estimates did not converge; simplify the model or give starting values"
    full = imply(spec, tau[None], value)
    theta = spec.shift + spec.basis @ tau
    own = (spec.kind == COVARIANCE) & (spec.i == spec.j)
    values = np.where(spec.free >= 0, np.append(theta, 0.0)[spec.free], value)
    negative = [spec.rows[e].term.lhs for g, e in np.argwhere(own & (values < 0))]
    if negative:
        return "inadmissible", f"negative variance (Heywood case) of {', '.join(dict.fromkeys(negative))}"
    p = len(spec.observed)
    if np.linalg.eigvalsh(full.full[0][:, p:, p:]).min(initial=1.0) < -1e-8:
        return "inadmissible", "the covariance matrix of the latents is not positive definite"
    return "ok", ""


def tabulate(
    spec: Spec, tau: np.ndarray, value: np.ndarray, vcov: np.ndarray, *, df: float = np.inf
) -> pd.DataFrame:
    """lavaan's table of estimates with the standardized solution; z and intervals use t(df) if df is finite."""
    functions = row_functions(spec, value)
    columns = {}
    for name, function in functions.items():
        slope = jacobian(function, tau)
        columns[name] = function(tau[None])[0]
        columns[name + "_se"] = np.sqrt(np.maximum(np.einsum("kr,rs,ks->k", slope, vcov, slope), 0.0))
    est, se = columns["est"], columns["est_se"]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 0, est / se, np.nan)
    width = distributions.quantile(0.975, df)
    table = _row_names(spec).assign(
        est=est, se=se, z=z, pvalue=distributions.two_sided_p(z, df), ci_lower=est - width * se,
        ci_upper=est + width * se, std_all=columns["std"], std_se=columns["std_se"],
        std_ci_lower=columns["std"] - width * columns["std_se"],
        std_ci_upper=columns["std"] + width * columns["std_se"],
    )  # fmt: skip
    return table[_reported(spec)].reset_index(drop=True)


def _row_names(spec: Spec) -> pd.DataFrame:
    rows = [
        (*row.key, group, spec.label[g][e])
        for g, group in enumerate(spec.groups)
        for e, row in enumerate(spec.rows)
    ]
    rows += [(name, ":=", expression.text, "", name) for name, expression in spec.definitions]
    return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "label"])


def _reported(spec: Spec) -> np.ndarray:
    """All rows but the fixed moments of covariates."""
    rows = [not row.from_data for _ in spec.groups for row in spec.rows]
    return np.array(rows + [True] * len(spec.definitions))
