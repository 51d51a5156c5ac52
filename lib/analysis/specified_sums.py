"""What is known of some columns in some students: their moments, and the answers where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Sums", "Table"]


@dataclass(frozen=True)
class Sums:
    """What is known of some columns in some students.

    Attributes
    ----------
    names : tuple of str (p,)
    n : int
        Students with complete answers.
    mean, cov : ndarray (p,), (p, p)
        The latter with divisor n.
    rows : ndarray (n, p) or None
        The complete answers; None for two-stage moments.
    cluster : ndarray (n,) or None
        Number of each row's class.
    """

    names: tuple[str, ...]
    n: int
    mean: np.ndarray
    cov: np.ndarray
    rows: np.ndarray | None
    cluster: np.ndarray | None

    def averaged(self, count: int) -> Sums:
        """The same with the mean of the first columns in their place."""
        p = len(self.names)
        turn = np.zeros((p - count + 1, p))
        turn[0, :count], turn[1:, count:] = 1 / count, np.eye(p - count)
        rows = None if self.rows is None else self.rows @ turn.T
        names = ("mean", *self.names[count:])
        return Sums(names, self.n, turn @ self.mean, turn @ self.cov @ turn.T, rows, self.cluster)


@dataclass(frozen=True)
class Table:
    """Columns ``values`` (n, p), where they are ``missing`` (n, p), and the place of each by name."""

    place: dict[str, int]
    values: np.ndarray
    missing: np.ndarray

    def places(self, names: Sequence[str]) -> list[int]:
        """Where some columns stand."""
        return [self.place[name] for name in names]
