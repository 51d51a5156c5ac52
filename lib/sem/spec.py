"""Specification: a model's parameters numbered for estimation, with groups and equality constraints.

Notation is the reticular action model (McArdle & McDonald, 1984): v = A v + a + z with cov(z) = P over observed
variables and latents, so that the implied moments are those of the first rows of (I - A)^-1. Free parameters
are theta = shift + basis @ tau; tau are the coordinates in which linear constraints hold by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lib.errors import ModelError
from lib.sem.expressions import Expression
from lib.sem.partable import Row, Variables

PATH, COVARIANCE, MEAN = 0, 1, 2


@dataclass(frozen=True)
class Spec:
    """A model ready to be estimated.

    Attributes
    ----------
    variables : Variables
        Names; the first p of the m variables are observed, the others latent.
    rows : tuple of Row
        The e parameters, the same in each group.
    groups : tuple of str
        Labels of the G groups; ``("",)`` for a single group.
    kind, i, j : ndarray (e,)
        Where a parameter sits: PATH A[i, j], COVARIANCE P[i, j], MEAN a[i].
    free : ndarray (G, e)
        Position in theta, or -1 where fixed.
    value : ndarray (G, e)
        Fixed values; NaN where free, and for covariates' moments until the data give them.
    label : tuple of tuple of str (G, e)
    start : ndarray (G, e)
        Starting values from the text, else NaN.
    basis, shift : ndarray (q, r), (q,)
        theta = shift + basis @ tau.
    """

    variables: Variables
    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    meanstructure: bool
    fixed_x: bool
    kind: np.ndarray
    i: np.ndarray
    j: np.ndarray
    free: np.ndarray
    value: np.ndarray
    label: tuple[tuple[str, ...], ...]
    start: np.ndarray
    basis: np.ndarray
    shift: np.ndarray
    definitions: tuple[tuple[str, Expression], ...] = ()

    @property
    def observed(self) -> tuple[str, ...]:
        return self.variables.observed

    @property
    def names(self) -> tuple[str, ...]:
        return self.variables.observed + self.variables.latents

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows that are paths, covariances and means."""
        return tuple(np.flatnonzero(self.kind == kind) for kind in (PATH, COVARIANCE, MEAN))

    @cached_property
    def moved(self) -> tuple[np.ndarray, np.ndarray]:
        """Variables (positions among the m) that some path leads to, and the others."""
        moved = np.unique(self.i[self.kind == PATH])
        return moved, np.delete(np.arange(len(self.names)), moved)

    @cached_property
    def plain(self) -> bool:
        """Whether tau is theta: nothing constrains the parameters but equal labels."""
        return np.array_equal(self.basis, np.eye(len(self.shift))) and not self.shift.any()

    @cached_property
    def named(self) -> dict[str, tuple[int, int]]:
        """Group and row where each label first stands."""
        found: dict[str, tuple[int, int]] = {}
        for g, labels in enumerate(self.label):
            for e, label in enumerate(labels):
                if label:
                    found.setdefault(label, (g, e))
        return found

    @property
    def n_theta(self) -> int:
        return self.basis.shape[0]

    @property
    def n_free(self) -> int:
        """Number of parameters estimated, after constraints."""
        return self.basis.shape[1]

    def labels(self) -> dict[str, tuple[int, float]]:
        """Each label's position in theta (-1 where fixed) and its fixed value."""
        return {
            self.label[g][e]: (int(self.free[g, e]), float(self.value[g, e]))
            for g in range(len(self.groups))
            for e in range(len(self.rows))
            if self.label[g][e]
        }

    def find(self, lhs: str, op: str, rhs: str = "") -> int:
        """The row of a parameter; covariances in either order.

        Raises
        ------
        ModelError
            If the model has no such parameter.
        """
        for e, row in enumerate(self.rows):
            if row.key == (lhs, op, rhs) or (op == "~~" and row.key == (rhs, op, lhs)):
                return e
        raise ModelError(f"the model has no parameter '{lhs} {op} {rhs}'")


def renumber(spec: Spec, free: np.ndarray, value: np.ndarray) -> Spec:
    """The spec with other fixed parameters: ``free`` may lack positions, which are closed up.

    Constraints are restricted to the parameters that remain.
    """
    kept = np.unique(free[free >= 0])
    position = np.full(spec.n_theta + 1, -1)
    position[kept] = np.arange(len(kept))
    basis = spec.basis[kept]
    if basis.shape[0] != basis.shape[1]:
        left, size, _ = np.linalg.svd(basis, full_matrices=False)
        basis = left[:, size > 1e-10]
    if basis.shape[0] == basis.shape[1]:
        basis = np.eye(len(kept))
    return replace(spec, free=position[free], value=value, basis=basis, shift=spec.shift[kept])
