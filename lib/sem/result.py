"""What a fit holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lib.errors import ModelError
from lib.sem.measures import measure_fit
from lib.sem.problem import Problem
from lib.sem.tables import tabulate


@dataclass(frozen=True)
class SemFit:
    """A fitted model.

    Attributes
    ----------
    estimates : DataFrame
        lavaan's columns ``lhs op rhs group label est se z pvalue ci_lower ci_upper std_all`` and, for the
        standardized solution (SD per SD), ``std_se std_ci_lower std_ci_upper``; computed when first asked for.
        ``group`` holds the group's label.
    vcov : ndarray (r, r)
        Covariance matrix of the free parameters ``tau`` (r,).
    converged : bool
    n_obs, n_clusters, excluded : int
        Cases used, clusters among them (0 without), and rows left out.
    status : str
        ``ok``, ``not_converged`` or ``inadmissible``; ``status_reason`` says why. Numbers of a fit whose status
        is not ``ok`` are no result.
    df : float
        Degrees of freedom of t behind p-values and intervals; infinite for normal ones.
    objective : float
        Minus the log likelihood per case, without its constant.
    inverse : ndarray (r, r)
        Inverse information of one case, before any robust correction.
    resampled : DataFrame or None
        The table of estimates with bootstrap intervals, where it was asked for.
    """

    vcov: np.ndarray = field(repr=False)
    tau: np.ndarray = field(repr=False)
    converged: bool
    status: str
    status_reason: str
    df: float
    objective: float
    inverse: np.ndarray = field(repr=False)
    information: str
    robust: bool
    correct: bool
    problem: Problem = field(repr=False)
    resampled: pd.DataFrame | None = field(repr=False, default=None)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        if self.resampled is not None:
            return self.resampled
        return tabulate(self.problem.spec, self.tau, self.problem.value, self.vcov, df=self.df)

    @cached_property
    def fit_measures(self) -> dict[str, float]:
        """Fit measures by lavaan's names (see `lib.sem.measures`), computed when first asked for.

        Empty for a fit without numbers.
        """
        if np.isnan(self.vcov).any():
            return {}
        return measure_fit(self.problem, self.tau, self.objective, self.inverse, robust=self.robust)

    @property
    def n_obs(self) -> int:
        return self.problem.n

    @property
    def n_clusters(self) -> int:
        return self.problem.sample.n_clusters

    @property
    def n_parameters(self) -> int:
        """Free parameters of the model itself, without the moments of its covariates."""
        spec = self.problem.spec
        covariates = {"", *spec.variables.covariates}
        own = [e for e, row in enumerate(spec.rows) if not {row.key[0], row.key[2]} <= covariates]
        places = np.unique(spec.free[:, own])
        return int(np.linalg.matrix_rank(spec.basis[places[places >= 0]]))

    @property
    def excluded(self) -> int:
        return self.problem.sample.excluded

    @property
    def groups(self) -> tuple[str, ...]:
        return self.problem.spec.groups

    @property
    def dropped(self) -> dict[str, tuple[str, ...]]:
        """Covariates left out because they were constant or collinear, by group."""
        return self.problem.sample.dropped

    def row(self, lhs: str, op: str, rhs: str = "", *, group: str | None = None) -> pd.Series:
        """One row of ``estimates``; a definition is found by its name and ``":="``.

        Raises
        ------
        ModelError
            If there is not exactly one such row.
        """
        table = self.estimates
        hit = (table.lhs == lhs) & (table.op == op)
        if op != ":=":
            hit &= table.rhs == rhs
        if group is not None:
            hit &= table.group == group
        if hit.sum() != 1:
            raise ModelError(
                f"{hit.sum()} rows match '{lhs} {op} {rhs}' in group {group!r}; exactly one is needed"
            )
        return table[hit].iloc[0]
