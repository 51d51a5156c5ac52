"""What a table's hidden counts can be, given everything it shows: integer programmes over its relations (D3)."""

from __future__ import annotations

import numpy as np

from lib.disclosure.counts import LinkedCounts
from lib.errors import DisclosureError


class TableProgramme:
    """Integer tables that agree with every shown count."""

    def __init__(self, linked: LinkedCounts, hidden: np.ndarray, low=None, high=None):
        from scipy.optimize import Bounds, LinearConstraint
        from scipy.sparse import csr_matrix

        self.counts, self.places = linked.counts, np.flatnonzero(hidden)
        start = np.zeros(len(hidden)) if low is None else np.asarray(low, dtype=float)
        stop = (
            np.full(len(hidden), linked.counts.max(initial=0))
            if high is None
            else np.asarray(high, dtype=float)
        )
        self.bounds = Bounds(start[self.places], stop[self.places])
        inner = linked.relations[:, self.places]
        held = np.any(inner, axis=1)
        known = -(linked.relations[:, ~hidden] @ linked.counts[~hidden])[held]
        self.constraints = LinearConstraint(csr_matrix(inner[held]), known, known) if held.any() else ()

    def solve(self, cost: np.ndarray) -> np.ndarray:
        """The table with the least ``cost @ counts``, shape (n,)."""
        from scipy.optimize import milp

        for whole in (0, 1):
            kinds = np.full(len(self.places), whole)
            found = milp(
                cost[self.places], integrality=kinds, bounds=self.bounds, constraints=self.constraints
            )
            if found.x is None:
                raise DisclosureError(
                    "no table fits the published counts and the bounds; check the relations"
                )
            if np.allclose(found.x, np.rint(found.x), atol=1e-7):
                break
        table = self.counts.copy()
        table[self.places] = np.rint(found.x).astype(int)
        return table


def feasible_intervals(
    linked: LinkedCounts, hidden: np.ndarray, *, low: np.ndarray | None = None, high: np.ndarray | None = None
) -> np.ndarray:
    """Smallest and largest integer each hidden count can be, given every other count; shape (hidden, 2).

    ``low`` and ``high`` are bounds known beforehand, one per count (0 and the largest count without them).
    """
    programme = TableProgramme(linked, hidden, low, high)
    intervals = np.empty((len(programme.places), 2), dtype=int)
    for position, place in enumerate(programme.places):
        aim = np.zeros(len(hidden))
        aim[place] = 1.0
        intervals[position] = programme.solve(aim)[place], programme.solve(-aim)[place]
    return intervals
