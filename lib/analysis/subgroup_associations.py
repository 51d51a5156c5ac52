"""How views of the classroom go with outcomes in many overlapping subgroups: a function for the filters' cube.

Models and rows are those of `lib.analysis.associations`. All variables are jointly normal there, so that a regression's
maximum likelihood with missing answers follows from that of the covariance matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from lib.analysis.associations import METHOD, MODEL
from lib.analysis.estimates import estimates
from lib.analysis.subgroup_relations import large_groups
from lib.analysis.subgroups import Subgroups, path_rows, subgroups
from lib.sem.incomplete import SaturatedFits, saturate_incomplete
from lib.sem.one_latent import Given
from lib.study.load import Population, Study

__all__ = ["association_relations", "standardized_slope"]


def association_relations(
    study: Study,
    groups: Sequence[Population],
    pairs: Sequence[tuple[int, int]],
    *,
    features: Sequence[str],
    outcomes: Sequence[str],
    covariates: Mapping[str, str],
    conf_level: float,
) -> pd.DataFrame:
    """Rows of ``lib.analysis.associations.associations`` for every large group.

    Parameters
    ----------
    study, groups, pairs, outcomes, covariates, conf_level
        As of ``lib.analysis.subgroup_relations.relations``; groups are as large there as a latent model asks (D7).
    features : sequence of str
        Keys of scales or domains.
    """
    large, _ = large_groups(study, groups, pairs)
    parts = subgroups(study, large, covariates=sorted({covariates[outcome] for outcome in outcomes}))
    tables = []
    for feature, outcome in product(features, outcomes):
        fits = _fitted(parts, feature, outcome, covariates=covariates[outcome])
        estimate, error = standardized_slope(fits.cov, fits.n_whole)
        rows = path_rows(parts, fits, fits.status == "too_few", estimate, error, conf_level=conf_level)
        about = {"model": MODEL, "contrast": feature, "term": outcome, "estimator": METHOD["fiml"]}
        tables.append(rows.assign(**about))
    return estimates(pd.concat(tables, ignore_index=True))


def _fitted(parts: Subgroups, feature: str, outcome: str, *, covariates: str) -> SaturatedFits:
    held = parts.held[covariates]
    names = sorted(set().union(*held))
    kept = np.array([[True, True, *(name in group for name in names)] for group in held])
    table = parts.students[[feature, outcome, *names]].to_numpy(dtype=float)
    return saturate_incomplete(table, parts.inside, kept=kept)


def standardized_slope(cov: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardized slope of the second variable on the first, given the others, and its standard error.

    With beta = b sd(x) / sd(y), r the correlation of x and y, s the residual variance and t the variance of x given the
    others, the delta method under joint normality gives

        n var(beta) = s var(x) / (t var(y)) + beta^2 (1 - r^2 - 2 s / var(y)).

    Parameters
    ----------
    cov : ndarray (B, p, p)
    n : ndarray (B,)
        Students behind each matrix.
    """
    left = Given.of(cov, 2).left
    slope = left[:, 0, 1] / left[:, 0, 0]
    rest = left[:, 1, 1] - slope * left[:, 0, 1]
    x, y = cov[:, 0, 0], cov[:, 1, 1]
    beta = slope * np.sqrt(x / y)
    alike = cov[:, 0, 1] ** 2 / (x * y)
    variance = rest * x / (left[:, 0, 0] * y) + beta**2 * (1 - alike - 2 * rest / y)
    return beta, np.sqrt(variance / n)
