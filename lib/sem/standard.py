"""Standardized solution and defined parameters, with delta-method standard errors.

Standardized values are lavaan's ``std.all``: latents, outcomes and covariates all have implied variance 1;
covariances become correlations of the residuals. Derivatives are exact, by complex steps (Squire & Trapp, 1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lib.errors import ModelError
from lib.sem.implied import imply_rows, row_values
from lib.sem.spec import COVARIANCE, MEAN, PATH, Spec

STEP = 1e-30


def standardize(spec: Spec, values: np.ndarray) -> np.ndarray:
    """Standardized values of all parameters.

    Parameters
    ----------
    values : ndarray (B, G, e)
        Parameter values, real or complex.

    Returns
    -------
    ndarray (B, G, e)
        NaN where an implied or residual variance is not positive.
    """
    variance = np.diagonal(imply_rows(spec, values).full, axis1=-2, axis2=-1)
    residual = np.zeros(variance.shape, values.dtype)
    own = (spec.kind == COVARIANCE) & (spec.i == spec.j)
    residual[..., spec.i[own]] = values[..., own]
    spread, rest = _root(variance), _root(residual)
    i, j = spec.i, spec.j
    # the branches not taken divide by scales that a row does not have
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(
            spec.kind == PATH,
            spread[..., j] / spread[..., i],
            np.where(
                spec.kind == MEAN,
                1 / spread[..., i],
                np.where(i == j, 1 / spread[..., i] ** 2, 1 / (rest[..., i] * rest[..., j])),
            ),
        )
    return values * scale


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
    at: dict[str, np.ndarray] = {}
    for g, labels in enumerate(spec.label):
        for e, label in enumerate(labels):
            if label:
                at.setdefault(label, values[:, g, e])
    out = []
    for name, expression in spec.definitions:
        unknown = [used for used in expression.names() if used not in at]
        if unknown:
            raise ModelError(f"'{name} := {expression.text}' uses '{unknown[0]}', which labels no parameter")
        at[name] = expression.evaluate(at)
        out.append(np.broadcast_to(at[name], len(values)))
    return np.stack(out, axis=1) if out else np.zeros((len(values), 0), values.dtype)


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
