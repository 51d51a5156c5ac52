"""Adjusted means of two populations and their difference, where a scale measures alike in both.

Least squares of each scale on the population and covariates, with CR2 standard errors and Satterthwaite degrees of
freedom by class (Pustejovsky and Tipton, 2018). Adjusted means average over the covariates of both populations
together. Hedges' g divides the adjusted difference by the pooled SD within populations, with his correction for
small samples. Means need scalar invariance of the scale's own items: where some items are free the latent mean
difference decides instead, and where none is to be had, nothing is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.analysis.cluster_robust import MIN_CLUSTERS, ClusteredFit, least_squares_cr2
from lib.analysis.design import design
from lib.analysis.estimates import estimates
from lib.analysis.intervals import share_interval
from lib.analysis.measurement import comparable
from lib.analysis.pairs import GROUP, TOO_FEW, Pair, corrected_tests
from lib.analysis.two_one_sided import equivalence_tests
from lib.errors import ModelError
from lib.study.load import Study

MEAN, DIFFERENCE, SUPPORT = "adjusted mean", "group difference", "common support"
METHOD = "OLS, CR2 by class"
LATENT = "CFA, latent means, some items free"
IN_SD = "difference of latent means in SD: some items do not measure alike"
NOT_ALIKE = "not comparable: the items do not measure alike in both groups"
FIRST, CONSTANT = "first_", "constant_"


def mean_differences(
    study: Study,
    pair: Pair,
    *,
    scales: list[str],
    covariates: str,
    conf_level: float,
    ladder: pd.DataFrame | None = None,
    exhibit: str = "",
) -> pd.DataFrame:
    """Adjusted means of each scale in two populations, and how far they differ.

    Parameters
    ----------
    study : Study
    pair : Pair
    scales : list of str
        Keys of the students' scales.
    covariates : str
        A covariate set of the codebook; what follows from the populations is left out.
    conf_level : float
        Coverage of the intervals, in (0, 1).
    ladder : DataFrame, optional
        Rows of ``lib.analysis.measurement.comparability`` for these scales and populations; without them every
        scale counts as comparable.
    exhibit : str
        The study's number of the exhibit.

    Returns
    -------
    DataFrame
        For each scale an adjusted mean in either population (points of the scale), ``difference`` (first minus
        second, with Holm's and Benjamini and Hochberg's p over the scale's domain), ``hedges_g`` (SD) and an
        equivalence test of it against ``sesoi``. Scales that do not measure alike have status ``not_comparable``.
    """
    held = design(
        pair.frame, study.codebook, covariates, beside=(pair.frame[GROUP] == pair.first.key).astype(float)
    )
    rows = []
    for scale in scales:
        alike = ladder is None or comparable(ladder, scale, "scalar")
        try:
            found = _scale_rows(study, pair, scale, held.columns, conf_level=conf_level)
        except ModelError as error:
            found = _without_numbers(pair, "not_converged", f"not estimated: {error}")
        if not alike and found[0].get("status", "ok") == "ok":
            found = _without_numbers(pair, "not_comparable", NOT_ALIKE)
            found[2:] = _latent(ladder, scale, found[2:])
        rows += [{"term": scale, "exhibit": exhibit, "estimator": METHOD} | row for row in found]
    table = estimates(rows)
    thresholds = study.codebook.thresholds
    own = table[(table["contrast"] == "hedges_g") & (table["status"] == "ok")]
    tests = equivalence_tests(
        own, dict.fromkeys(own["row_id"], thresholds["sesoi"]), alpha=thresholds["alpha"]
    )
    return pd.concat([corrected_tests(table, study.codebook), tests], ignore_index=True)


def common_support(study: Study, pair: Pair, *, covariates: str, conf_level: float) -> pd.DataFrame:
    """Share of each population whose covariates, all together, occur in the other population too.

    Returns
    -------
    DataFrame
        Two rows in percent, model ``common support``.
    """
    keys = [
        key
        for key in study.codebook.covariate_sets[covariates]
        if study.codebook.columns[key].levels and pair.frame.groupby(GROUP)[key].nunique().min() > 1
    ]
    cells = pair.frame[keys].astype(object).fillna("not given").astype(str).agg("|".join, axis=1)
    rows = []
    for own, other in (pair.both, pair.both[::-1]):
        inside = cells[pair.frame[GROUP] == own.key]
        shared = int(inside.isin(cells[pair.frame[GROUP] == other.key]).sum())
        rows.append(
            {"population": own.key, "group": "", "model": SUPPORT, "estimator": "exact match of covariates"}
            | share_interval(shared, len(inside), conf_level=conf_level)
        )
    return estimates(rows)


@dataclass(frozen=True)
class _Regression:
    """A scale on the population and covariates; ``spread`` is the pooled SD within populations."""

    fitted: ClusteredFit
    counts: tuple[int, int]
    spread: float


def _regress(study: Study, pair: Pair, scale: str, covariates: pd.DataFrame) -> _Regression:
    outcome = pair.frame[scale].astype(float)
    whole = outcome.notna() & covariates.notna().all(axis=1)
    outcome, covariates, groups = outcome[whole], covariates[whole], pair.frame.loc[whole, GROUP]
    counts = tuple(int((groups == population.key).sum()) for population in pair.both)
    if min(counts) < study.codebook.disclosure.k:
        raise ModelError(TOO_FEW.removeprefix("not estimated: "))
    columns = (
        covariates - covariates.mean()
    )  # so that the constant is a mean over both populations' covariates
    columns = columns.loc[:, columns.std() > 0]
    columns.insert(0, FIRST, (groups == pair.first.key).astype(float))
    columns.insert(0, CONSTANT, 1.0)
    cluster = study.codebook.cluster
    by_class = cluster in pair.frame and pair.frame.loc[whole, cluster].nunique() >= MIN_CLUSTERS
    units = pair.frame.loc[whole, cluster] if by_class else pd.Series(np.arange(len(outcome)), outcome.index)
    variance = outcome.groupby(groups).var(ddof=1)
    weights = np.array([counts[0] - 1, counts[1] - 1])
    spread = float(np.sqrt(np.average([variance[one.key] for one in pair.both], weights=weights)))
    return _Regression(least_squares_cr2(outcome, columns, units), counts, spread)


def _scale_rows(
    study: Study, pair: Pair, scale: str, covariates: pd.DataFrame, *, conf_level: float
) -> list[dict]:
    """Row columns of two adjusted means, the difference and Hedges' g."""
    found = _regress(study, pair, scale, covariates)
    fitted = found.fitted
    means = [
        fitted.contrast({CONSTANT: 1.0, FIRST: first}, conf_level=conf_level) | {"n_obs": count}
        for first, count in zip((1.0, 0.0), found.counts, strict=True)
    ]
    empty = dict.fromkeys(("statistic", "p_value"), np.nan)  # that a mean is zero is no hypothesis
    gap = fitted.contrast({FIRST: 1.0}, conf_level=conf_level)
    scaled = (1 - 3 / (4 * (sum(found.counts) - 2) - 1)) / found.spread
    moved = {key: gap[key] * scaled for key in ("estimate", "std_error", "conf_low", "conf_high")}
    by_class = {} if fitted.n_clusters < fitted.n_obs else {"estimator": "OLS, CR2", "n_clusters": np.nan}
    return [
        *(
            {"population": one.key, "model": MEAN, "unit": "points"} | mean | empty | by_class
            for one, mean in zip(pair.both, means, strict=True)
        ),
        pair.keys | {"model": DIFFERENCE, "contrast": "difference", "unit": "points"} | gap | by_class,
        pair.keys | {"model": DIFFERENCE, "contrast": "hedges_g", "unit": "SD"} | gap | moved | by_class,
    ]


def _without_numbers(pair: Pair, status: str, reason: str) -> list[dict]:
    """The rows of ``_scale_rows`` without an estimate."""
    if reason.endswith(TOO_FEW.removeprefix("not estimated: ")):
        status = "too_few"
    about = {"status": status, "status_reason": reason}
    means = [{"population": one.key, "model": MEAN, "unit": "points"} | about for one in pair.both]
    gap = pair.keys | {"model": DIFFERENCE} | about
    return [
        *means,
        gap | {"contrast": "difference", "unit": "points"},
        gap | {"contrast": "hedges_g", "unit": "SD"},
    ]


def _latent(ladder: pd.DataFrame, scale: str, refused: list[dict]) -> list[dict]:
    """The difference of latent means in place of refused rows, where part of the items measure alike."""
    own = ladder[(ladder["model"] == "latent mean") & (ladder["term"] == scale) & (ladder["status"] == "ok")]
    if own.empty:
        return refused
    taken = (
        "estimate",
        "std_error",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
        "interval_method",
        "n_obs",
    )
    latent = own.iloc[0][list(taken)].to_dict() | {"unit": "SD", "estimator": LATENT, "status_reason": IN_SD}
    return [
        {key: row[key] for key in ("population", "group", "model", "contrast")} | latent for row in refused
    ]
