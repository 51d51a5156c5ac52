"""Thousands of fits of one model from moments: subgroups, resamples, specifications.

Problems start at the estimates of the largest one, or at values of their own, and run side by side in numpy;
covariates that a subgroup cannot estimate are neutralised, which leaves the other estimates what they are
without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.distributions import quantile, two_sided_p
from lib.sem.implied import imply, lay_out, row_values
from lib.sem.likelihood import Moments, evaluate
from lib.sem.quantities import label_values
from lib.sem.scoring import descend, maximise
from lib.sem.spec import COVARIANCE, Spec
from lib.sem.specify import build_spec
from lib.sem.standard import STEP
from lib.sem.start import fill_covariates, start_values
from lib.sem.syntax import parse_model, read_expression
from lib.sem.tables import NO_INFORMATION

CHUNK = 64
"""Problems per batch: small enough for the processor's cache."""

WARM_TOLERANCE = 1e-9
"""Squared distance from the optimum in standard errors: 3e-5 of one."""


@dataclass(frozen=True)
class ManyFits:
    """Fits of one model to B sets of moments.

    Attributes
    ----------
    tau : ndarray (B, r)
        Free parameters; NaN where ``status`` is not ``ok``.
    vcov : ndarray (B, r, r)
    n_obs : ndarray (B,)
    status : ndarray (B,) of str
        ``ok``, ``not_converged``, ``inadmissible`` or ``too_few``.
    kept : ndarray (B, p)
        False for covariates dropped.
    """

    spec: Spec = field(repr=False)
    tau: np.ndarray
    value: np.ndarray
    vcov: np.ndarray
    n_obs: np.ndarray
    status: np.ndarray
    kept: np.ndarray

    def effects(
        self, expressions: Sequence[str], *, conf_level: float, standardized: bool = False
    ) -> pd.DataFrame:
        """Quantities of every fit with delta-method intervals.

        Parameters
        ----------
        expressions : sequence of str
            In labels and definitions of the model, such as ``"a*b"``.

        Returns
        -------
        DataFrame
            ``problem expression estimate std_error statistic p_value conf_low conf_high n_obs status``, B rows for
            each expression; numbers are NaN where ``status`` is not ``ok``.
        """
        width = quantile(0.5 + conf_level / 2)
        tables = []
        for text in expressions:
            tree = read_expression(text)

            def function(tau: np.ndarray, value: np.ndarray, tree=tree) -> np.ndarray:
                at = label_values(
                    self.spec, row_values(self.spec, tau, value), tree, standardized=standardized
                )
                return np.broadcast_to(tree.evaluate(at), len(tau))

            estimate = function(self.tau, self.value)
            slope = np.zeros(self.tau.shape)
            for k in range(slope.shape[1]):
                slope[:, k] = (
                    function(self.tau + 1j * STEP * (np.arange(slope.shape[1]) == k), self.value).imag / STEP
                )
            error = np.sqrt(
                np.maximum(np.einsum("br,brs,bs->b", slope, self.vcov, slope, optimize=True), 0.0)
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                statistic = estimate / error
            tables.append(
                pd.DataFrame(
                    {
                        "problem": np.arange(len(estimate)),
                        "expression": text,
                        "estimate": estimate,
                        "std_error": error,
                        "statistic": statistic,
                        "p_value": two_sided_p(statistic),
                        "conf_low": estimate - width * error,
                        "conf_high": estimate + width * error,
                        "n_obs": self.n_obs,
                        "status": self.status,
                    }
                )
            )
        return pd.concat(tables, ignore_index=True)


def fit_many(
    model: str,
    moments: Moments,
    *,
    meanstructure: bool = False,
    fixed_x: bool = True,
    start: str | np.ndarray = "largest",
    jobs: int = 1,
) -> ManyFits:
    """Fit one model to many sets of moments.

    Parameters
    ----------
    model : str
        lavaan syntax, one group.
    moments : Moments
        Of B problems, columns in the order of the model's observed variables (see `lib.sem.subsets.subset_moments`).
    start : {"largest", "own"} or ndarray (B, r)
        Where to begin: at the estimates of the largest problem, which suits resamples; at values of each problem's
        own, which suits subgroups that differ or hold different covariates; or at estimates from moments much alike.
    jobs : int
        Worker processes (joblib); results do not depend on it.

    Returns
    -------
    ManyFits
        A problem that cannot be estimated has a status, never numbers.

    Raises
    ------
    ModelError
        If the model cannot be read or the moments are of other variables.
    """
    spec = build_spec(parse_model(model), meanstructure=meanstructure, fixed_x=fixed_x)
    if moments.mean.shape[1:] != (1, len(spec.observed)):
        raise ModelError(
            f"the moments are of {moments.mean.shape[-1]} variables in {moments.mean.shape[1]} group(s); "
            f"the model has {len(spec.observed)} in one"
        )
    n = moments.n[:, 0]
    enough = n > moments.kept[:, 0].sum(1)
    sized = np.linalg.eigvalsh(moments.cov[:, 0])[:, 0] > 1e-12
    usable = np.flatnonzero(enough & sized)
    if not len(usable):
        raise ModelError(
            f"none of {len(n)} problems has a positive definite covariance matrix and more students than its "
            f"{len(spec.observed)} variables; take larger subgroups or a smaller model"
        )
    warm = None
    if isinstance(start, str) and start == "largest":
        largest = usable[[int(np.argmax(n[usable]))]]
        first = _fit_chunk(spec, moments.take(largest), None)
        warm = (first[0][0], first[2][0] * n[largest[0]]) if first[3][0] == "ok" else None
    given = None if isinstance(start, str) else np.asarray(start)
    chunks = [usable[at : at + CHUNK] for at in range(0, len(usable), CHUNK)]
    done = _run(spec, moments, chunks, warm, given, jobs)
    size, rows = spec.n_free, spec.value.shape
    tau, vcov = np.full((len(n), size), np.nan), np.full((len(n), size, size), np.nan)
    value = np.full((len(n), *rows), np.nan)
    status = np.where(enough, "inadmissible", "too_few").astype(object)
    for chunk, (found, fixed, cov, state) in zip(chunks, done, strict=True):
        tau[chunk], value[chunk], vcov[chunk], status[chunk] = found, fixed, cov, state
    return ManyFits(spec, tau, value, vcov, n, status, moments.kept[:, 0])


def _run(
    spec: Spec,
    moments: Moments,
    chunks: list[np.ndarray],
    warm: tuple | None,
    given: np.ndarray | None,
    jobs: int,
) -> list[tuple]:
    from joblib import Parallel, delayed, parallel_config
    from threadpoolctl import threadpool_limits

    if jobs == 1:
        with threadpool_limits(1):
            return [_fit_chunk(spec, moments.take(chunk), warm, _rows(given, chunk)) for chunk in chunks]
    with parallel_config("loky", inner_max_num_threads=1):
        return Parallel(n_jobs=jobs)(
            delayed(_fit_chunk)(spec, moments.take(chunk), warm, _rows(given, chunk)) for chunk in chunks
        )


def _rows(given: np.ndarray | None, chunk: np.ndarray) -> np.ndarray | None:
    return None if given is None else given[chunk]


def _fit_chunk(
    spec: Spec,
    moments: Moments,
    warm: tuple[np.ndarray, np.ndarray] | None,
    given: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    """Estimates (b, r), fixed values, covariance matrices and status of one chunk.

    ``warm`` holds estimates (r,) to start from and the inverse information of one case there; ``given`` (b, r) holds
    a start for each problem, which is passed over where it is NaN.
    """
    layout = lay_out(spec)
    value, n = fill_covariates(spec, moments.mean, moments.cov), moments.n.sum(1)
    tau, late = np.empty((len(n), spec.n_free)), np.arange(len(n))
    converged = np.zeros(len(n), bool)
    if warm is not None:
        tau, converged = descend(
            lambda at, which: evaluate(
                spec, layout, at, value[which], moments.take(which), information=False
            )[:2],
            np.tile(warm[0], (len(n), 1)), warm[1], n, tolerance=WARM_TOLERANCE,
        )  # fmt: skip
        late = np.flatnonzero(~converged)
    if len(late):
        starts = np.array(
            [
                start_values(spec, moments.mean[b], moments.cov[b])
                if given is None or np.isnan(given[b]).any()
                else given[b]
                for b in late
            ]
        )
        optimum = maximise(
            lambda at, which, full: evaluate(
                spec, layout, at, value[late[which]], moments.take(late[which]), information=full
            ),
            starts,
            n[late],
        )
        tau[late], converged[late] = optimum.tau, optimum.converged
    information = evaluate(spec, layout, tau, value, moments)[2]
    vcov, identified = _invert(information)
    status = _judge(spec, tau, value, converged & identified)
    numbers = status == "ok"
    tau[~numbers], vcov[~numbers] = np.nan, np.nan
    return tau, value, vcov / n[:, None, None], status


def _invert(information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), 1e-300))
    size, direction = np.linalg.eigh(information / (scale[:, :, None] * scale[:, None, :]))
    safe = np.maximum(size, NO_INFORMATION)
    inverse = (direction / safe[:, None, :]) @ direction.swapaxes(1, 2)
    return inverse / (scale[:, :, None] * scale[:, None, :]), size[:, 0] > NO_INFORMATION


def _judge(spec: Spec, tau: np.ndarray, value: np.ndarray, converged: np.ndarray) -> np.ndarray:
    own = (spec.kind == COVARIANCE) & (spec.i == spec.j)
    proper = (row_values(spec, tau, value)[:, 0, own] >= 0).all(1)
    p = len(spec.observed)
    if len(spec.names) > p:
        latent = imply(spec, tau, value).full[:, 0, p:, p:]
        finite = np.isfinite(latent).all((1, 2))
        proper &= finite & (np.linalg.eigvalsh(np.where(finite[:, None, None], latent, 0.0))[:, 0] > -1e-8)
    return np.where(~converged, "not_converged", np.where(proper, "ok", "inadmissible")).astype(object)
