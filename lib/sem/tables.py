"""The table of estimates, and whether a solution may be reported at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem import distributions
from lib.sem.implied import imply, row_values
from lib.sem.spec import COVARIANCE, Spec
from lib.sem.standard import jacobian, row_functions

NAMES = ("lhs", "op", "rhs", "group", "label")
NUMBERS = (
    "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_all", "std_se", "std_ci_lower", "std_ci_upper",
)  # fmt: skip
NO_INFORMATION = 1e-9
"""Smallest eigenvalue of the information, scaled to a unit diagonal, that counts as identified."""


def invert_information(information: np.ndarray, spec: Spec) -> np.ndarray:
    """Inverse information of one case (r, r).

    Raises
    ------
    ModelError
        If some direction has no information: the model is not identified.
    """
    inverse, weak = try_inverse(information, spec)
    if weak:
        raise ModelError(
            f"the model is not identified: the data hold no information on '{weak}'; "
            "fix it, add indicators or constrain parameters"
        )
    return inverse


def try_inverse(information: np.ndarray, spec: Spec) -> tuple[np.ndarray, str]:
    """Inverse information (r, r), and the parameter that moves most where there is none, or an empty string."""
    root = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scale = np.outer(root, root)
    scaled = information / scale
    try:
        np.linalg.cholesky(scaled)
        inverse = np.linalg.inv(scaled)
        # no eigenvalue is below 1 / trace of the inverse
        if np.trace(inverse) < 1 / NO_INFORMATION:
            return inverse / scale, ""
    except np.linalg.LinAlgError:
        inverse = np.full_like(scaled, np.nan)
    size, direction = np.linalg.eigh(scaled)
    if size[0] > NO_INFORMATION:
        return inverse / scale, ""
    _, e = np.argwhere(spec.free == int(np.argmax(np.abs(spec.basis @ direction[:, 0]))))[0]
    return inverse / scale, " ".join(spec.rows[e].key).strip()


def judge(spec: Spec, tau: np.ndarray, value: np.ndarray, *, converged: bool) -> tuple[str, str]:
    """Status (``ok``, ``not_converged``, ``inadmissible``) of a solution, and the reason."""
    if not converged:
        return "not_converged", "the estimates did not converge; simplify the model or give starting values"
    values = row_values(spec, tau[None], value)[0]
    own = (spec.kind == COVARIANCE) & (spec.i == spec.j)
    negative = [spec.rows[e].term.lhs for g, e in np.argwhere(own & (values < 0))]
    if negative:
        return "inadmissible", f"negative variance (Heywood case) of {', '.join(dict.fromkeys(negative))}"
    p = len(spec.observed)
    latent = imply(spec, tau[None], value).full[0][:, p:, p:]
    if latent.shape[-1] and np.linalg.eigvalsh(latent).min() < -1e-8:
        return "inadmissible", "the covariance matrix of the latents is not positive definite"
    return "ok", ""


def tabulate(
    spec: Spec,
    tau: np.ndarray,
    value: np.ndarray,
    vcov: np.ndarray,
    *,
    df: float = np.inf,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """lavaan's table of estimates with the standardized solution.

    Parameters
    ----------
    tau, vcov : ndarray (r,), (r, r)
        Free parameters and their covariance matrix.
    df : float
        Degrees of freedom of t for p-values and intervals; infinite for normal ones.

    Returns
    -------
    DataFrame
        One row per parameter and group, then one per definition; fixed moments of covariates are left out. It
        holds no numbers where ``vcov`` holds none.
    """
    shown = reported(spec)
    names = [row for row, show in zip(row_names(spec), shown, strict=True) if show]
    named = dict(zip(NAMES, zip(*names, strict=True), strict=True))
    if np.isnan(vcov).any():
        return pd.DataFrame(named | dict.fromkeys(NUMBERS, np.nan))
    columns = {}
    for name, function in row_functions(spec, value).items():
        slope = jacobian(function, tau)
        columns[name] = function(tau[None])[0]
        # the delta method: se^2 = J V J'
        columns[name + "_se"] = np.sqrt(np.maximum(((slope @ vcov) * slope).sum(1), 0.0))
    est, se, std, std_se = (columns[name] for name in ("est", "est_se", "std", "std_se"))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 0, est / se, np.nan)
    width = distributions.quantile(0.5 + conf_level / 2, df)
    numbers = (
        est, se, z, distributions.two_sided_p(z, df), est - width * se, est + width * se,
        std, std_se, std - width * std_se, std + width * std_se,
    )  # fmt: skip
    return pd.DataFrame(named | dict(zip(NUMBERS, (column[shown] for column in numbers), strict=True)))


def row_names(spec: Spec) -> list[tuple[str, str, str, str, str]]:
    """``lhs op rhs group label`` of all G * e rows and d definitions."""
    rows = [
        (*row.key, group, spec.label[g][e])
        for g, group in enumerate(spec.groups)
        for e, row in enumerate(spec.rows)
    ]
    return rows + [(name, ":=", expression.text, "", name) for name, expression in spec.definitions]


def reported(spec: Spec) -> np.ndarray:
    """Which of the G * e + d rows a table shows: all but the fixed moments of covariates."""
    rows = [not row.from_data for _ in spec.groups for row in spec.rows]
    return np.array(rows + [True] * len(spec.definitions))
