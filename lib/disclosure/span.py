"""The linear span of published populations, by exact arithmetic.

A population is its indicator over cells: students who agree on every column that defines any
population. Whoever knows a sum (a count, a mean times n, a cross-product) for each published
population knows it for every set whose indicator lies in their span. Membership is decided by rank
over the integers modulo the prime 2^31 - 1, with random vectors orthogonal to the span (Freivalds
1977): no rounding error, and a set outside the span is taken for one inside with probability under 1e-27.
"""

from __future__ import annotations

import numpy as np

PRIME = 2**31 - 1
PROBES = 3


class Span:
    """Span of indicators over ``cells`` cells; ``add`` widens it.

    Attributes
    ----------
    rank : int
        Dimension of the span.
    probes : ndarray of int64, shape (cells, PROBES)
        Random vectors modulo ``PRIME`` that are orthogonal to every indicator in the span.
    """

    def __init__(self, cells: int, *, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.probes = rng.integers(1, PRIME, size=(cells, PROBES), dtype=np.int64)
        self._basis = np.zeros((0, cells), dtype=np.int64)
        self._pivots: list[int] = []

    @property
    def rank(self) -> int:
        """Dimension of the span."""
        return len(self._pivots)

    def shadow(self, indicator: np.ndarray) -> np.ndarray:
        """Products of an indicator with the probes, shape (PROBES,): all zero exactly inside the span."""
        return self.probes[np.asarray(indicator, dtype=bool)].sum(axis=0) % PRIME

    def holds(self, indicator: np.ndarray) -> bool:
        """Whether the indicator lies in the span."""
        return not self.shadow(indicator).any()

    def add(self, indicator: np.ndarray) -> bool:
        """Widen the span by an indicator; False where it lay inside already."""
        if self.holds(indicator):
            return False
        line = np.asarray(indicator, dtype=np.int64).copy()
        line = (line - self._basis[line[self._pivots] == 1].sum(axis=0)) % PRIME
        pivot = int(np.flatnonzero(line)[0])
        line = line * pow(int(line[pivot]), -1, PRIME) % PRIME
        factors = self._basis[:, pivot].copy()
        touched = np.flatnonzero(factors)
        self._basis[touched] = (self._basis[touched] - factors[touched, None] * line) % PRIME
        self._turn_probes(line, pivot, factors)
        self._basis = np.vstack([self._basis, line])
        self._pivots.append(pivot)
        return True

    def _turn_probes(self, line: np.ndarray, pivot: int, factors: np.ndarray) -> None:
        """Make the probes orthogonal to a new reduced line, and keep them so to the lines before it."""
        products = (line[:, None] * self.probes % PRIME).sum(axis=0) % PRIME
        self.probes[pivot] = (self.probes[pivot] - products) % PRIME
        before = np.array(self._pivots, dtype=int)
        if len(before):
            self.probes[before] = (self.probes[before] + factors[:, None] * products) % PRIME


def parallel(shadows: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """Which sets come into the span once a set with this shadow does, shape (sets,).

    Outside the span a set comes in exactly when its shadow is a multiple of the new one's.
    """
    place = int(np.flatnonzero(shadow)[0])
    factor = pow(int(shadow[place]), -1, PRIME)
    scaled = shadows[:, place] * factor % PRIME
    return np.all((scaled[:, None] * shadow - shadows) % PRIME == 0, axis=1)
