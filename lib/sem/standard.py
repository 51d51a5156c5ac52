"""Standardized solution and defined parameters, with delta-method standard errors.

Standardized values are lavaan's ``std.all``: latents, outcomes and covariates all have implied variance 1;
covariances become correlations of the residuals. Derivatives are exact, by complex steps (Squire & Trapp, 1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lib.errors import ModelError
from lib.sem.implied import row_values, variances
from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec

STEP = 1e-30


def standardize(spec: Spec, values: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Standardized values of all parameters, or of some.

    Parameters
    ----------
    values : ndarray (B, G, e)
        Parameter values, real or with imaginary parts that are complex steps.
    rows : ndarray (k,), optional
        The parameters asked for.

    Returns
    -------
    ndarray (B, G, e) or (B, G, k)
        NaN where an implied or residual variance is not positive.
    """
    rows = np.arange(len(spec.rows)) if rows is None else rows
    kind, i, j = spec.kind[rows], spec.i[rows], spec.j[rows]
    path, mean, own = kind == PATH, kind == MEAN, (kind == COVARIANCE) & (i == j)
    both = (kind == COVARIANCE) & (i != j)
    spread = _root(variances(spec, values))
    residual = np.zeros(spread.shape, values.dtype)
    at = np.flatnonzero((spec.kind == COVARIANCE) & (spec.i == spec.j))
    residual[..., spec.i[at]] = values[..., at]
    scale = np.empty((*values.shape[:2], len(rows)), values.dtype)
    # failed problems hold NaN, and a variable without residual variance has no residual correlation
    with np.errstate(divide="ignore", invalid="ignore"):
        scale[..., path] = spread[..., j[path]] / spread[..., i[path]]
        scale[..., mean] = 1 / spread[..., i[mean]]
        scale[..., own] = 1 / spread[..., i[own]] ** 2
        scale[..., both] = 1 / (_root(residual[..., i[both]]) * _root(residual[..., j[both]]))
    return values[..., rows] * scale


def _root(variance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(variance.real > 0, variance, np.nan))


def define(spec: Spec, values: np.ndarray) -> np.ndarray:
    """Values of the defined parameters (``:=``).

    Parameters
    ----------
    values : ndarray (B, G, e)
        Parameter values, plain or standardized.

    Returns
    -------
    ndarray (B, d)

    Raises
    ------
    ModelError
        If a definition names no label.
    """
    return define_from(spec, {label: values[:, g, e] for label, (g, e) in spec.named.items()}, len(values))


def define_from(spec: Spec, at: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Values of the defined parameters (B, d) from those of the labels, (B,) each; ``at`` gains the definitions."""
    out = []
    for name, expression in spec.definitions:
        unknown = [used for used in expression.names() if used not in at]
        if unknown:
            raise ModelError(f"'{name} := {expression.text}' uses '{unknown[0]}', which labels no parameter")
        at[name] = np.broadcast_to(expression.evaluate(at), count)
        out.append(at[name])
    return np.stack(out, axis=1) if out else np.zeros((count, 0))


def jacobian(function: Callable[[np.ndarray], np.ndarray], tau: np.ndarray) -> np.ndarray:
    """Derivatives of a smooth function of the free parameters.

    Parameters
    ----------
    function : callable
        Takes (B, r) complex, gives (B, k).
    tau : ndarray (r,)

    Returns
    -------
    ndarray (k, r)
    """
    return (function(tau + 1j * STEP * np.eye(len(tau))).imag / STEP).T


def row_functions(spec: Spec, value: np.ndarray) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Functions of tau (B, r): all rows and definitions, plain (``est``) and standardized (``std``), (B, G*e + d)."""

    def both(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values.reshape(len(values), -1), define(spec, values)], axis=1)

    return {
        "est": lambda tau: both(row_values(spec, tau, value)),
        "std": lambda tau: both(standardize(spec, row_values(spec, tau, value))),
    }
