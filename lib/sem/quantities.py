"""Quantities computed from a fit's labels: indirect effects, their differences, shares of a total.

A quantity is an expression in labels and definitions, such as ``"a1*b1 - a2*b2"``. Intervals: delta method,
Monte Carlo (Preacher & Selig, 2012), percentile and BCa bootstrap (Efron, 1987), and Fieller (1954) for ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.errors import ModelError
from lib.sem.distributions import normal_cdf, quantile, two_sided_p
from lib.sem.expressions import Expression
from lib.sem.implied import row_values
from lib.sem.result import SemFit
from lib.sem.spec import Spec
from lib.sem.standard import define_from, jacobian, standardize
from lib.sem.syntax import read_expression

METHODS = ("delta", "monte_carlo", "percentile", "bca")
Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Effect:
    """A quantity with its interval.

    ``status`` is ``ok`` or, for a Fieller ratio whose denominator may be 0, ``unbounded`` (limits infinite).
    """

    expression: str
    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float
    conf_level: float
    interval_method: str
    n_draws: int
    status: str = "ok"


@dataclass(frozen=True)
class Draws:
    """Estimates of resamples, or draws from the sampling distribution of one fit.

    Attributes
    ----------
    tau : ndarray (B, r)
        Free parameters of the B draws that count.
    value : ndarray (B, G, e) or (G, e)
        Fixed values, which a resample's covariates change.
    failed : int
        Resamples left out because they did not converge or were inadmissible.
    influence : ndarray (U, r)
        Influence of each independent unit on tau, for the acceleration of BCa.
    """

    tau: np.ndarray
    value: np.ndarray
    failed: int
    influence: np.ndarray


def read_equations(text: str) -> Expression:
    """The gap between the two sides of ``left == right``; a text without ``==`` is compared with 0."""
    left, equals, right = text.partition("==")
    one = read_expression(left)
    if not equals:
        return one
    other = read_expression(right)
    return Expression(("-", one.tree, other.tree), f"{one.text}-({other.text})")


def quantity(fitted: SemFit, expression: str | Expression, *, standardized: bool = False) -> Function:
    """A quantity as a function of the free parameters: (B, r) to (B,).

    Raises
    ------
    ModelError
        If the expression names neither a label nor a definition.
    """
    return lambda tau: evaluate_quantity(
        fitted, expression, tau, fitted.problem.value, standardized=standardized
    )


def evaluate_quantity(
    fitted: SemFit, expression: str | Expression, tau: np.ndarray, value: np.ndarray, *, standardized: bool
) -> np.ndarray:
    """Values (B,) of a quantity at parameters tau (B, r) with fixed values (G, e) or (B, G, e)."""
    spec = fitted.problem.spec
    tree = read_expression(expression) if isinstance(expression, str) else expression
    at = label_values(spec, row_values(spec, tau, value), tree, standardized=standardized)
    return np.broadcast_to(tree.evaluate(at), (len(tau),))


def label_values(
    spec: Spec, values: np.ndarray, needed: Expression, *, standardized: bool
) -> dict[str, np.ndarray]:
    """Values (B,) of all labels and definitions, from those of all rows (B, G, e).

    Raises
    ------
    ModelError
        If the expression ``needed`` names something else.
    """
    rows, place = np.unique([e for _, e in spec.named.values()], return_inverse=True)
    rows = rows.astype(int)
    values = standardize(spec, values, rows) if standardized else values[..., rows]
    at = {label: values[:, g, k] for (label, (g, _)), k in zip(spec.named.items(), place, strict=True)}
    define_from(spec, at, len(values))
    unknown = [name for name in needed.names() if name not in at]
    if unknown:
        known = ", ".join(at) or "none"
        raise ModelError(
            f"'{needed.text}' uses '{unknown[0]}', which is no label or definition of the model ({known})"
        )
    return at


def estimate_effect(
    fitted: SemFit,
    expression: str,
    *,
    conf_level: float,
    method: str = "delta",
    draws: Draws | None = None,
    standardized: bool = False,
) -> Effect:
    """A quantity with standard error and interval.

    Parameters
    ----------
    fitted : SemFit
    expression : str
        In labels and definitions of the model.
    conf_level : float
        Coverage of the interval, in (0, 1).
    method : {"delta", "monte_carlo", "percentile", "bca"}
        The last three need ``draws``: from `simulate_draws` for Monte Carlo, else from `lib.sem.bootstrap.resample`.
    standardized : bool
        Whether labels stand for standardized values (SD per SD).

    Returns
    -------
    Effect
        The p-value is that of the delta method (normal, or t with few clusters).
    """
    if method not in METHODS:
        raise ModelError(f"method={method!r} is not known; choose from {', '.join(METHODS)}")
    if (method == "delta") != (draws is None):
        raise ModelError(f"method={method!r} {'takes no' if method == 'delta' else 'needs'} draws")
    if not 0 < conf_level < 1:
        raise ModelError(f"conf_level is {conf_level}; it must lie between 0 and 1")
    function = quantity(fitted, expression, standardized=standardized)
    estimate = float(function(fitted.tau[None])[0])
    slope = jacobian(lambda tau: function(tau)[:, None], fitted.tau)[0]
    error = float(np.sqrt(max(slope @ fitted.vcov @ slope, 0.0)))
    statistic = estimate / error if error > 0 else float("nan")
    p_value = float(two_sided_p(statistic, fitted.df))
    count = 0
    if draws is None:
        low, high = estimate + np.array([-1, 1]) * quantile(0.5 + conf_level / 2, fitted.df) * error
    else:
        drawn = evaluate_quantity(fitted, expression, draws.tau, draws.value, standardized=standardized)
        drawn = drawn[np.isfinite(drawn)]
        count = len(drawn)
        tails = np.array([0.5 - conf_level / 2, 0.5 + conf_level / 2])
        if method == "bca":
            tails = _bca_tails(tails, drawn, estimate, draws.influence @ slope)
        low, high = np.quantile(drawn, tails)
        if method != "monte_carlo":
            error = float(drawn.std(ddof=1))
    return Effect(
        expression,
        estimate,
        error,
        statistic,
        fitted.df,
        p_value,
        float(low),
        float(high),
        conf_level,
        method,
        count,
    )


def _bca_tails(tails: np.ndarray, drawn: np.ndarray, estimate: float, influence: np.ndarray) -> np.ndarray:
    """Bias-corrected and accelerated tail areas; the acceleration is that of the influence values."""
    share = np.clip(
        ((drawn < estimate).mean() + (drawn <= estimate).mean()) / 2, 1 / len(drawn), 1 - 1 / len(drawn)
    )
    bias = quantile(share)
    size = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * size**1.5) if size > 0 else 0.0
    moved = bias + quantile(tails)
    return normal_cdf(bias + moved / (1 - acceleration * moved))


def simulate_draws(fitted: SemFit, *, n_draws: int, seed: int) -> Draws:
    """Draws from the estimated sampling distribution of the free parameters, for Monte Carlo intervals."""
    rng = np.random.default_rng(seed)
    size, direction = np.linalg.eigh(fitted.vcov)
    root = direction * np.sqrt(np.maximum(size, 0.0))
    tau = fitted.tau + rng.standard_normal((n_draws, len(size))) @ root.T
    return Draws(tau, fitted.problem.value, 0, np.zeros((0, len(size))))


def ratio_interval(
    fitted: SemFit, numerator: str, denominator: str, *, conf_level: float, standardized: bool = False
) -> Effect:
    """A ratio with Fieller's interval: all values that the data do not reject for numerator / denominator.

    Returns
    -------
    Effect
        ``status`` is ``unbounded`` where the denominator does not differ from 0 at this level; the limits are then
        infinite.
    """
    functions = [quantity(fitted, text, standardized=standardized) for text in (numerator, denominator)]

    def both(tau: np.ndarray) -> np.ndarray:
        return np.stack([function(tau) for function in functions], axis=1)

    top, bottom = both(fitted.tau[None])[0].real
    slope = jacobian(both, fitted.tau)
    cov = slope @ fitted.vcov @ slope.T
    width2 = float(quantile(0.5 + conf_level / 2, fitted.df)) ** 2
    ratio = float(top / bottom) if bottom else float("nan")
    gradient = np.array([1 / bottom, -top / bottom**2]) if bottom else np.full(2, np.nan)
    error = float(np.sqrt(gradient @ cov @ gradient))
    lead = bottom**2 - width2 * cov[1, 1]
    low, high, status = -np.inf, np.inf, "unbounded"
    if lead > 0:
        middle = top * bottom - width2 * cov[0, 1]
        spread = np.sqrt(max(middle**2 - lead * (top**2 - width2 * cov[0, 0]), 0.0))
        low, high, status = (middle - spread) / lead, (middle + spread) / lead, "ok"
    text = f"({numerator})/({denominator})"
    return Effect(
        text, ratio, error, float("nan"), fitted.df, float("nan"), float(low), float(high), conf_level, "fieller", 0,
        status,
    )  # fmt: skip
