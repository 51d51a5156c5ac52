"""Reliability of sum scores from a fitted factor model (McDonald, 1999), and factors by minimum residuals.

Minres (Harman & Jones, 1966) is here because `statsmodels` offers principal factors and maximum likelihood only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.implied import imply, row_values
from lib.sem.ordinal import categorical_omega, polychoric_correlations
from lib.sem.result import SemFit
from lib.sem.spec import COVARIANCE


def omega(fitted: SemFit, factor: str) -> pd.Series:
    """Omega of the sum of a factor's indicators, one value per group.

    The variance of the sum that the factor explains over its implied variance; residual covariances count as error.

    Raises
    ------
    ModelError
        If the fit has no such latent or was not ``ok``.
    """
    spec = fitted.problem.spec
    if factor not in spec.variables.latents:
        raise ModelError(
            f"'{factor}' is no latent of the model; it has {', '.join(spec.variables.latents) or 'none'}"
        )
    if fitted.status != "ok":
        raise ModelError(f"omega needs an admissible fit: {fitted.status_reason}")
    values = row_values(spec, fitted.tau[None], fitted.problem.value)
    implied, at = imply(spec, fitted.tau[None], fitted.problem.value), spec.names.index(factor)
    rows = [e for e, row in enumerate(spec.rows) if row.term.op == "=~" and row.term.lhs == factor]
    items = spec.i[rows]
    out = []
    for g in range(len(spec.groups)):
        true = values[0, g, rows].sum() ** 2 * implied.full[0, g, at, at]
        inside = (spec.kind == COVARIANCE) & np.isin(spec.i, items) & np.isin(spec.j, items)
        error = (values[0, g, inside] * np.where(spec.i[inside] == spec.j[inside], 1.0, 2.0)).sum()
        out.append(true / (true + error))
    return pd.Series(out, index=list(spec.groups), name="omega")


def ordinal_omega(data: pd.DataFrame, items: Sequence[str]) -> float:
    """Omega of a sum of ordered items: one factor by minres on polychoric correlations, then Green and Yang."""
    found = polychoric_correlations(data, items)
    factor = minres(found.correlations, n_factors=1)
    loadings = factor.loadings.iloc[:, 0].to_numpy()
    return categorical_omega(
        loadings, [found.thresholds[item] for item in items], np.outer(loadings, loadings)
    )


def alpha(data: pd.DataFrame, items: Sequence[str]) -> float:
    """Cronbach's alpha from rows complete on all items."""
    complete = data[list(items)].dropna()
    if len(complete) < 3 or len(items) < 2:
        raise ModelError(
            f"alpha needs 2 items and 3 complete rows; there are {len(items)} and {len(complete)}"
        )
    cov = np.cov(complete.to_numpy(float), rowvar=False)
    return float(len(items) / (len(items) - 1) * (1 - np.trace(cov) / cov.sum()))


@dataclass(frozen=True)
class Minres:
    """Unrotated factors.

    ``loadings`` (k, f) are in SD of the item per SD of the factor; ``residual`` is the sum of squared off-diagonal
    residual correlations.
    """

    loadings: pd.DataFrame
    uniquenesses: pd.Series
    residual: float


def minres(correlations: pd.DataFrame, *, n_factors: int) -> Minres:
    """Factors that leave the smallest off-diagonal residuals.

    Parameters
    ----------
    correlations : DataFrame (k, k)
        Pearson or polychoric.
    n_factors : int

    Raises
    ------
    ModelError
        If there are too many factors for the variables, or the search does not converge.
    """
    from scipy.optimize import minimize

    matrix, count = correlations.to_numpy(float), len(correlations)
    if not 0 < n_factors <= (2 * count + 1 - np.sqrt(8 * count + 1)) / 2:
        raise ModelError(f"{n_factors} factors cannot be found from {count} variables; ask for fewer")

    def residual(unique: np.ndarray) -> tuple[float, np.ndarray]:
        size, direction = np.linalg.eigh(matrix - np.diag(unique))
        rest, turned = size[:-n_factors], direction[:, :-n_factors]
        return 0.5 * float((rest**2).sum()), -(turned**2) @ rest

    start = np.clip(1 / np.diag(np.linalg.inv(matrix + 1e-6 * np.eye(count))), 0.05, 0.95)
    found = minimize(
        residual, start, jac=True, method="L-BFGS-B", bounds=[(0.005, 1.0)] * count,
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    if not found.success:
        raise ModelError("the factors did not converge; ask for fewer or leave out nearly empty variables")
    size, direction = np.linalg.eigh(matrix - np.diag(found.x))
    kept = slice(-1, -n_factors - 1, -1)
    loadings = direction[:, kept] * np.sqrt(np.maximum(size[kept], 0.0))
    loadings = loadings * np.where(loadings.sum(0) < 0, -1.0, 1.0)
    rest = matrix - loadings @ loadings.T
    off = rest - np.diag(np.diag(rest))
    names = list(correlations.index)
    return Minres(
        pd.DataFrame(loadings, index=names, columns=[f"factor_{k + 1}" for k in range(n_factors)]),
        pd.Series(found.x, index=names, name="uniqueness"),
        float((off**2).sum() / 2),
    )
