"""Estimating many specifications of one model at a time, from their moments.

Every specification of a model becomes the same few lines of syntax (an exposure, maybe a mediator, an outcome,
covariates), so that those of one shape are estimated side by side by ``fit_many``. Notation of paths is that of
``lib.analysis.mediation``. Standard errors come from the model or, where the rows are at hand, are clustered by class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lib.analysis.covariate_directions import directions
from lib.analysis.specified_sums import Sums
from lib.errors import ModelError
from lib.sem.batch import ManyFits, fit_many
from lib.sem.implied import Layout, imply, lay_out
from lib.sem.likelihood import Moments
from lib.sem.spec import PATH
from lib.study.codebook import DisclosureSettings

STEP = 1e-20
MIN_CLUSTERS, FEW_CLUSTERS = 20, 50
PATHS = ("direct", "a", "b")


@dataclass(frozen=True)
class Job:
    """One model in one specification.

    Attributes
    ----------
    sums : Sums
        Columns in order: indicators (or one observed exposure), the mediator if any, the outcome, covariates.
    indicators : int
        Indicators of a latent exposure; 0 for an observed one.
    mediated : bool
    error : float
        Share of the mediator's variance that is error.
    shrunk : float
        Share of the outcome's SD that is true (the root of its reliability).
    points : bool
        Whether the path stays in the units of exposure and outcome.
    """

    sums: Sums
    indicators: int
    mediated: bool = False
    error: float = 0.0
    shrunk: float = 1.0
    points: bool = False

    @property
    def shape(self) -> tuple:
        """Jobs of one shape are estimated together; as many covariates are left as ``_directions`` leaves."""
        first = self.first_covariate
        return self.indicators, self.mediated, round(self.error, 6), min(len(self.sums.names) - first, first)

    @property
    def first_covariate(self) -> int:
        return max(self.indicators, 1) + self.mediated + 1


@dataclass(frozen=True)
class Paths:
    """Paths of many jobs; columns are ``PATHS``, those of a mediator NaN where there is none.

    Attributes
    ----------
    estimate : ndarray (J, 3)
    cov : ndarray (J, 3, 3)
        From the model.
    clustered : ndarray (J, 3, 3)
        Clustered by class; NaN where that cannot be had.
    df : ndarray (J,)
        Of the clustered errors.
    status : ndarray (J,) of str
    """

    estimate: np.ndarray
    cov: np.ndarray
    clustered: np.ndarray
    df: np.ndarray
    status: np.ndarray

    def part(self, which: slice) -> Paths:
        """Some of the jobs."""
        return Paths(
            *(getattr(self, name)[which] for name in ("estimate", "cov", "clustered", "df", "status"))
        )


def estimate(jobs: Sequence[Job], settings: DisclosureSettings) -> Paths:
    """Estimate jobs, those of one shape together.

    Covariates are turned into as many as matter: directions in which no other variable moves with them have paths of
    zero, and their estimates go with no other, so that leaving them out changes neither estimates nor errors.

    Parameters
    ----------
    jobs : sequence of Job
    settings : DisclosureSettings
        A latent model needs ``latent_min_n`` students and ``latent_n_per_parameter`` for each parameter (D7).
    """
    count = len(jobs)
    found = Paths(
        np.full((count, 3), np.nan), np.full((count, 3, 3), np.nan), np.full((count, 3, 3), np.nan),
        np.full(count, np.inf), np.full(count, "too_few", object),
    )  # fmt: skip
    by_shape: dict[tuple, list[int]] = {}
    for place, job in enumerate(jobs):
        by_shape.setdefault(job.shape, []).append(place)
    for places in by_shape.values():
        _estimate_shape([jobs[place] for place in places], np.array(places), found, settings)
    return found


def model_text(indicators: int, mediated: bool, error: float, covariates: int) -> str:
    """The model of one shape in lavaan's syntax; every structural parameter is named."""
    held = "".join(f" + {{0}}{k}*c{k}" for k in range(covariates))
    lines = [f"x =~ {' + '.join(f'x{k}' for k in range(indicators))}"] if indicators else []
    if covariates:
        lines.append("x ~ " + held.format("gx")[3:])
    if indicators or covariates:
        lines.append("x ~~ vx*x")
    if mediated:
        through = "m" if not error else "t"
        lines += [] if not error else ["t =~ 1*m", f"m ~~ {error:.6f}*m"]
        lines += [f"{through} ~ a*x" + held.format("gm"), f"{through} ~~ vm*{through}"]
        lines += [f"y ~ direct*x + b*{through}" + held.format("gy"), "y ~~ vy*y"]
    else:
        lines += ["y ~ direct*x" + held.format("gy"), "y ~~ vy*y"]
    return "\n".join(lines)


def _estimate_shape(jobs: list[Job], places: np.ndarray, found: Paths, limits: DisclosureSettings) -> None:
    indicators, mediated, error, covariates = jobs[0].shape
    text = model_text(*jobs[0].shape)
    first = jobs[0].first_covariate
    given = ([f"x{k}" for k in range(indicators)] or ["x"]) + ["m"] * mediated + ["y"]
    given += [f"c{k}" for k in range(covariates)]
    turns, corr = _turned(jobs, first, covariates)
    n = np.array([job.sums.n for job in jobs], float)
    order = _order(text, tuple(given))
    shape = len(jobs), 1, corr.shape[1]
    moments = Moments(
        n[:, None], np.zeros(shape), corr[:, None][..., order[:, None], order], np.ones(shape, bool)
    )
    try:
        fits = fit_many(text, moments)
    except ModelError:  # none of them holds enough students
        return
    left = np.array([len(job.sums.names) - first - covariates for job in jobs])
    free = fits.spec.n_free + left * (2 + mediated)  # with the paths of covariates that were left out
    enough = (n >= limits.k) if not indicators else (
        n >= np.maximum(limits.latent_min_n, limits.latent_n_per_parameter * free))  # fmt: skip
    status = np.where(enough, fits.status, "too_few")
    names = list(fits.spec.named)
    at = np.array([fits.spec.free[fits.spec.named[name]] for name in names])
    values, cov = fits.tau[:, at], fits.vcov[:, at[:, None], at]
    inner = corr[:, first:, first:]
    exposure = None if indicators or covariates else np.ones(len(jobs))
    function = _standardized(names, inner, exposure)
    with np.errstate(invalid="ignore"):  # a fit that failed has no numbers
        estimate_, slope = function(values), np.zeros((len(jobs), 3, len(names)))
        for k in range(len(names)):
            slope[:, :, k] = function(values + 1j * STEP * (np.arange(len(names)) == k)).imag / STEP
    clustered, df = _clustered(fits, jobs, [turn[:, order] for turn in turns], status)
    units = _units(jobs, first)
    turn = slope * units[:, :, None]
    found.estimate[places] = estimate_.real * units
    found.cov[places] = turn @ cov @ turn.swapaxes(1, 2)
    found.clustered[places] = turn @ clustered[:, at[:, None], at] @ turn.swapaxes(1, 2)
    found.df[places], found.status[places] = df, status
    wrong = places[status != "ok"]
    found.estimate[wrong], found.cov[wrong], found.clustered[wrong] = np.nan, np.nan, np.nan


def _turned(jobs: list[Job], first: int, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """What standardizes each job's columns and turns its covariates, and the moments (J, p, p) after that."""
    turns: list[np.ndarray] = [np.empty(0)] * len(jobs)
    moments = np.empty((len(jobs), first + count, first + count))
    sizes = np.array([len(job.sums.names) for job in jobs])
    for p in np.unique(sizes):
        places = np.flatnonzero(sizes == p)
        cov = np.array([jobs[place].sums.cov for place in places])
        turn = directions(cov, first, count)
        moments[places] = turn.swapaxes(1, 2) @ cov @ turn
        for place, one in zip(places, turn, strict=True):
            turns[place] = one
    return turns, moments


@cache
def _order(text: str, given: tuple[str, ...]) -> np.ndarray:
    """Places of the model's observed variables among the columns given."""
    from lib.sem.specify import build_spec
    from lib.sem.syntax import parse_model

    return np.array(
        [given.index(name) for name in build_spec(parse_model(text), meanstructure=False).observed]
    )


def _units(jobs: list[Job], first: int) -> np.ndarray:
    """Factors (J, 3) that give a score corrected for its reliability, or the units of the data."""
    units = np.ones((len(jobs), 3))
    for place, job in enumerate(jobs):
        units[place, [0, 2]] /= job.shrunk
        if job.points:
            variance = np.diag(job.sums.cov)
            units[place, 0] *= np.sqrt(variance[first - 1] / variance[0])
    return units


def _standardized(names: list[str], inner: np.ndarray, exposure: np.ndarray | None):
    """Standardized paths (J, 3) as a function of the named parameters (J, k).

    ``inner`` (J, q, q) is the covariance of the covariates, ``exposure`` the variance of one that nothing explains.
    """
    place = {name: k for k, name in enumerate(names)}
    q = inner.shape[1]

    def vector(values: np.ndarray, name: str) -> np.ndarray:
        return values[:, [place[f"{name}{k}"] for k in range(q)]] if q else np.zeros((len(values), 0))

    def paths(values: np.ndarray) -> np.ndarray:
        def one(name: str) -> np.ndarray:
            return values[:, place[name]] if name in place else np.zeros(len(values))

        gx, gm, gy = (vector(values, name) if f"{name}0" in place else np.zeros((len(values), q))
                      for name in ("gx", "gm", "gy"))  # fmt: skip
        mixed = [np.einsum("jq,jqr->jr", g, inner) for g in (gx, gm, gy)]

        def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
            return (left * right).sum(1)

        vx = product(mixed[0], gx) + (one("vx") if exposure is None else exposure)
        a, b, direct = one("a"), one("b"), one("direct")
        vm = a * a * vx + 2 * a * product(mixed[0], gm) + product(mixed[1], gm) + one("vm")
        xm = a * vx + product(mixed[0], gm)
        cm = a[:, None] * mixed[0] + mixed[1]
        vy = b * b * vm + direct * direct * vx + product(mixed[2], gy) + one("vy")
        vy = vy + 2 * (b * direct * xm + b * product(cm, gy) + direct * product(mixed[0], gy))
        sx, sm, sy = np.sqrt(vx), np.sqrt(vm), np.sqrt(vy)
        none = np.full(len(values), np.nan, values.dtype)
        mediated = "a" in place
        return np.stack(
            [direct * sx / sy, a * sx / sm if mediated else none, b * sm / sy if mediated else none], 1
        )

    return paths


def _clustered(
    fits: ManyFits, jobs: list[Job], turns: list[np.ndarray], status: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (J, r, r) of the parameters from scores summed over classes, and degrees of freedom."""
    layout, found = lay_out(fits.spec), np.full(fits.vcov.shape, np.nan)
    implied = imply(fits.spec, fits.tau, fits.value)
    df = np.full(len(jobs), np.inf)
    for place, job in enumerate(jobs):
        rows, classes = job.sums.rows, job.sums.cluster
        if rows is None or classes is None or status[place] != "ok":
            continue
        size = np.bincount(classes)
        groups = int((size > 0).sum())
        if groups < MIN_CLUSTERS:
            continue
        ranked = np.argsort(classes, kind="stable")
        values = (rows[ranked] - job.sums.mean) @ turns[place]
        spread, full = implied.spread[place, 0], implied.full[place, 0]
        slope = _class_slopes(layout, spread, full, values, size[size > 0])
        found[place] = fits.vcov[place] @ (slope.T @ slope) @ fits.vcov[place] * groups / (groups - 1)
        df[place] = groups - 1 if groups < FEW_CLUSTERS else np.inf
    return found, df


def _class_slopes(
    layout: Layout, spread: np.ndarray, full: np.ndarray, values: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Sums (G, r) of the objective's slopes over the students of each class; ``values`` (n, p) stand class by class.

    With W the values times the inverse of the implied covariance matrix C, a student adds (C^-1 - w w') / 2 to the slope
    with respect to C; u and v of ``lib.sem.implied`` are columns of ``spread`` E and of E or ``full`` V.
    """
    p, m = values.shape[1], len(spread)
    inverse = np.linalg.inv(full[:p, :p])
    both = np.hstack([spread[:p], full[:p]])
    right = layout.j + m * (layout.kind == PATH)
    moved = (values @ inverse) @ both
    seen = np.add.reduceat(moved[:, layout.i] * moved[:, right], np.append(0, np.cumsum(size)[:-1]))
    expected = (spread[:p].T @ inverse @ both)[layout.i, right]
    return layout.to_tau(layout.half * (size[:, None] * expected - seen), 0)
