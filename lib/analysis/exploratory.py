"""How many factors lie behind the exposure's parts: parallel analysis and loadings on one factor.

Parallel analysis (Horn, 1965) compares eigenvalues with the 95th percentile of those of permuted answers (Buja &
Eyuboglu, 1992), from correlations of the same kind. No correlation is given out one by one: a full matrix would be a
sample moment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates
from lib.analysis.factors import failed, ordered, too_few_variables, unfit
from lib.analysis.measurement import indicator_answers
from lib.errors import ModelError
from lib.sem.distributions import quantile
from lib.sem.ordinal import polychoric_correlations
from lib.sem.reliability import minres
from lib.study.load import Population, Study

SHOWN_EIGENVALUES = 10
PERCENTILE = 95


def exploratory(
    study: Study, population: Population, *, n_draws: int, seed: int, items_too: bool = True
) -> pd.DataFrame:
    """Eigenvalues of the exposure's subscales and items against chance, and loadings on one factor.

    Parameters
    ----------
    study : Study
    population : Population
    n_draws, seed : int
        Permutations behind the 95th percentiles.
    items_too : bool
        Whether items are examined beside the subscales.

    Returns
    -------
    DataFrame
        Model ``EFA``, ``term`` the exposure, ``estimator`` ``subscales, Pearson``, ``items, Pearson`` or
        ``items, polychoric``: contrasts ``eigenvalue 1`` and so on, ``random 1`` and so on, ``factors`` (how many come
        before the first that chance reaches), ``first over second``. For subscales also ``lowest correlation``,
        ``highest correlation``, ``share of correlations above zero``, and contrast ``loading`` (``term`` the subscale;
        minimum residuals).
    """
    exposure, _ = study.codebook.exposure
    subscales = [scale.key for scale in study.codebook.scales_with("exposure")]
    items = {key: study.codebook.scales[key].items for key in subscales}
    parts = {"subscales, Pearson": population.frame[list(subscales)].astype(float)}
    answers = indicator_answers(study, items, population.frame)
    if items_too and answers.shape[1] > len(subscales):
        parts["items, Pearson"] = answers
        if ordered(answers):
            parts["items, polychoric"] = answers
    rows = []
    for estimator, table in parts.items():
        base = {
            "population": population.key,
            "model": "EFA",
            "estimator": f"minres, {estimator}",
            "term": exposure,
        }
        reason = unfit(study, table) or too_few_variables(table)
        if reason:
            rows.append(base | {"contrast": "factors", "unit": "factors"} | reason)
            continue
        complete, kind = table.dropna(), estimator.split(", ")[1]
        try:
            found = _parallel(complete, kind=kind, n_draws=n_draws, seed=seed)
            found += _one_factor(complete) if estimator.startswith("subscales") else []
            rows += [base | row for row in found]
        except ModelError as error:
            rows.append(base | {"contrast": "factors", "unit": "factors"} | failed(error))
    return estimates(rows)


def random_eigenvalues(complete: pd.DataFrame, *, kind: str, n_draws: int, seed: int) -> np.ndarray:
    """Eigenvalues (n_draws, k), largest first, of answers whose columns are permuted one by one.

    Polychoric correlations of independent answers lie so near zero that one scoring step from zero finds them: the
    covariance of normal scores over both their variances.
    """
    rng = np.random.default_rng(seed)
    columns = complete.to_numpy(float)
    if kind == "polychoric":
        columns = np.column_stack([_normal_scores(column) for column in columns.T])
    columns = columns - columns.mean(axis=0)
    spread = (columns**2).mean(axis=0)
    divisor = np.outer(spread, spread) if kind == "polychoric" else np.sqrt(np.outer(spread, spread))
    out = np.empty((n_draws, columns.shape[1]))
    for draw in range(n_draws):
        mixed = rng.permuted(columns, axis=0)
        correlations = mixed.T @ mixed / len(mixed) / divisor
        np.fill_diagonal(correlations, 1.0)
        out[draw] = np.linalg.eigvalsh(correlations)[::-1]
    return out


def _normal_scores(codes: np.ndarray) -> np.ndarray:
    """Mean of a standard normal variable between the thresholds of each code."""
    _, place = np.unique(codes, return_inverse=True)
    share = np.bincount(place) / len(place)
    cuts = np.asarray(quantile(np.cumsum(share)[:-1]))
    height = np.concatenate([[0.0], np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    return ((height[:-1] - height[1:]) / share)[place]


def _parallel(complete: pd.DataFrame, *, kind: str, n_draws: int, seed: int) -> list[dict]:
    if kind == "polychoric":
        correlations = polychoric_correlations(complete, list(complete)).correlations
    else:
        correlations = complete.corr()
    found = np.linalg.eigvalsh(correlations.to_numpy())[::-1]
    chance = np.percentile(
        random_eigenvalues(complete, kind=kind, n_draws=n_draws, seed=seed), PERCENTILE, axis=0
    )
    above = found > chance
    count = len(found) if above.all() else int(np.argmin(above))
    n = {"n_obs": len(complete)}
    rows = [
        n | {"contrast": f"{name} {place}", "estimate": value, "unit": "eigenvalue"}
        for name, values in (("eigenvalue", found), ("random", chance))
        for place, value in enumerate(values[:SHOWN_EIGENVALUES], start=1)
    ]
    rows.append(n | {"contrast": "factors", "estimate": count, "unit": "factors"})
    rows.append(n | {"contrast": "first over second", "estimate": found[0] / found[1], "unit": "ratio"})
    return rows


def _one_factor(complete: pd.DataFrame) -> list[dict]:
    correlations = complete.corr()
    pairs = correlations.to_numpy()[np.tril_indices(len(correlations), -1)]
    n = {"n_obs": len(complete)}
    summary = {
        "lowest correlation": pairs.min(),
        "highest correlation": pairs.max(),
        "share of correlations above zero": (pairs > 0).mean(),
    }
    loadings = minres(correlations, n_factors=1).loadings["factor_1"]
    return [
        n | {"contrast": name, "estimate": value, "unit": "correlation"} for name, value in summary.items()
    ] + [
        n | {"contrast": "loading", "term": key, "estimate": value, "unit": "SD per SD"}
        for key, value in loadings.items()
    ]
