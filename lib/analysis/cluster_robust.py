"""Least squares with CR2 standard errors and Satterthwaite degrees of freedom.

The variance is Bell and McCaffrey's (2002) bias-reduced linearization under an identity working model; a
residual block I - H that is singular takes its generalized inverse root, and degrees of freedom belong to
one contrast at a time (Pustejovsky and Tipton, 2018, sections 2 and 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.errors import ModelError

MIN_CLUSTERS = 20
SINGULAR = 1e-10  # eigenvalues of I - H below this are zero: the cluster's own column fits its rows


@dataclass(frozen=True)
class ClusteredFit:
    """A regression whose errors may be correlated within clusters.

    Attributes
    ----------
    coefficients : Series of k
        In units of the outcome per unit of each column.
    covariance : DataFrame, k by k
        CR2 covariance of the coefficients.
    n_obs, n_clusters : int
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    n_obs: int
    n_clusters: int
    _inverse: np.ndarray = field(repr=False)  # k by k, of X'X
    _own: np.ndarray = field(repr=False)  # clusters by k by k, U'U with U = A X (X'X)^-1
    _with: np.ndarray = field(repr=False)  # clusters by k by k, X'U

    def contrast(self, weights: Mapping[str, float], *, conf_level: float) -> dict:
        """Row columns of a weighted sum of coefficients; the null hypothesis is that it is zero.

        Parameters
        ----------
        weights : mapping
            Weight of each coefficient that takes part.
        conf_level : float
            Coverage of the interval, in (0, 1).

        Raises
        ------
        ModelError
            If a weight names no coefficient.
        """
        from scipy import stats

        unknown = sorted(set(weights) - set(self.coefficients.index))
        if unknown:
            raise ModelError(f"the regression has no coefficient {unknown[0]!r}; it has {self._names()}")
        along = pd.Series(weights, dtype=float).reindex(self.coefficients.index, fill_value=0.0).to_numpy()
        estimate = float(along @ self.coefficients)
        std_error = float(np.sqrt(along @ self.covariance.to_numpy() @ along))
        df = self._satterthwaite(along)
        statistic = estimate / std_error if std_error > 0 else np.nan
        reach = stats.t.ppf(0.5 + conf_level / 2, df) * std_error
        return {
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "df": df,
            "p_value": 2 * stats.t.sf(abs(statistic), df),
            "conf_low": estimate - reach,
            "conf_high": estimate + reach,
            "interval_method": "t, CR2, Satterthwaite",
            "n_obs": self.n_obs,
            "n_clusters": self.n_clusters,
        }

    def _satterthwaite(self, along: np.ndarray) -> float:
        """Degrees of freedom: trace(P) squared over trace(P P), P = s_g' s_h of all pairs of clusters."""
        shared = self._with @ along
        products = -shared @ self._inverse @ shared.T
        products[np.diag_indices(len(products))] += np.einsum("i,gij,j->g", along, self._own, along)
        return float(np.trace(products) ** 2 / (products**2).sum())

    def _names(self) -> str:
        return ", ".join(map(str, self.coefficients.index))


def least_squares_cr2(
    outcome: pd.Series, columns: pd.DataFrame, clusters: pd.Series, *, min_clusters: int = MIN_CLUSTERS
) -> ClusteredFit:
    """Regress an outcome on columns, counting clusters rather than rows.

    Parameters
    ----------
    outcome : Series, n rows
    columns : DataFrame, n by k
        Of full rank, the constant among them; rows with a missing value are left out.
    clusters : Series, n rows
        What rows belong to, such as a class or a visit.
    min_clusters : int
        Fewer clusters than this are refused.

    Raises
    ------
    ModelError
        If there are too few clusters, or the columns are linearly dependent.
    """
    complete = outcome.notna() & columns.notna().all(axis=1) & clusters.notna()
    y, x = outcome[complete].to_numpy(float), columns[complete].to_numpy(float)
    place, found = pd.factorize(clusters[complete])
    if len(found) < min_clusters:
        raise ModelError(
            f"standard errors by cluster need {min_clusters} clusters and there are {len(found)}; "
            "use a larger population, or rows that are not clustered"
        )
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ModelError(
            f"{x.shape[1]} columns of the regression are linearly dependent in {len(x)} rows; "
            "leave out those that follow from the others"
        )
    inverse = np.linalg.inv(x.T @ x)
    slopes = inverse @ (x.T @ y)
    residuals = y - x @ slopes
    size, k = len(found), x.shape[1]
    own, shared, scores = np.empty((size, k, k)), np.empty((size, k, k)), np.empty((size, k))
    for one in range(size):
        inside = place == one
        weighted = _inverse_root(x[inside] @ inverse @ x[inside].T)
        spread = weighted @ x[inside] @ inverse
        own[one], shared[one] = spread.T @ spread, x[inside].T @ spread
        scores[one] = spread.T @ residuals[inside]
    names = columns.columns
    return ClusteredFit(
        coefficients=pd.Series(slopes, index=names),
        covariance=pd.DataFrame(scores.T @ scores, index=names, columns=names),
        n_obs=len(y),
        n_clusters=size,
        _inverse=inverse,
        _own=own,
        _with=shared,
    )


def _inverse_root(hat: np.ndarray) -> np.ndarray:
    """Symmetric (generalized) inverse square root of I - H for one cluster."""
    values, vectors = np.linalg.eigh(np.eye(len(hat)) - hat)
    kept = values > SINGULAR
    return (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T
