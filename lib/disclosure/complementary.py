"""Complementary suppression (DISCLOSURE.md, D3): hide enough that no hidden count can be worked out.

Counts obey linear relations (a margin is the sum of its cells; tables that share a margin are
linked). What an attacker knows of a hidden count is its feasible interval: the smallest and largest
integer that any table consistent with the published numbers allows. A small count is protected when
its interval spans at least k integers. The cells hidden beside it solve a mixed integer programme
(Fischetti and Salazar 2001) that hides the fewest students, ties going to the smaller gap between the
hidden shares of the focal and the reference group.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from lib.disclosure.counts import LinkedCounts
from lib.disclosure.feasible import TableProgramme
from lib.errors import DisclosureError

JOINT_LIMIT = 120
WITNESSES = 3
TIE_COST = 0.5
SECONDS = 1.0


@dataclass(frozen=True)
class Protection:
    """Which counts are hidden: ``primary`` for themselves, the rest of ``hidden`` for another's sake.

    ``worded_apart`` tells whether the two may be told apart by their wording; where the words
    "fewer than k" would let a count be worked out, every hidden count reads "to protect another group".
    """

    hidden: np.ndarray
    primary: np.ndarray
    worded_apart: bool = True


def protect(
    linked: LinkedCounts, *, primary: np.ndarray, k: int, always_shown: np.ndarray | None = None
) -> Protection:
    """Hide the fewest students so that every primary count's feasible interval spans at least k integers.

    Parameters
    ----------
    linked : LinkedCounts
    primary : ndarray of bool, shape (n,)
        Counts that may not be shown for their own sake.
    k : int
        Least number of integers a primary count's interval spans (D3).
    always_shown : ndarray of bool, optional
        Counts known from elsewhere, which hiding would not help.

    Raises
    ------
    DisclosureError
        If nothing that may be hidden protects a primary count.
    """
    fixed = np.zeros(len(primary), dtype=bool) if always_shown is None else always_shown & ~primary
    hidden, pool = primary.copy(), linked.counts[None, :]
    if not primary.any():
        return Protection(hidden, primary)
    exposed, pool = _exposed(linked, hidden, primary, k, pool)
    while len(exposed):
        group = list(exposed) if len(exposed) * len(primary) <= JOINT_LIMIT else [exposed[0]]
        more = _hide_beside(linked, hidden, group, k, fixed, whole=False)
        if not np.any(more & ~hidden):
            more = _hide_beside(linked, hidden, group, k, fixed, whole=True)
        if not np.any(more & ~hidden):
            raise DisclosureError(
                f"{len(exposed)} small counts cannot be protected within these tables; merge levels"
            )
        hidden = hidden | more
        exposed, pool = _exposed(linked, hidden, primary, k, pool)
    for place in sorted(np.flatnonzero(hidden & ~primary), key=lambda place: -_costs(linked)[place]):
        trial = hidden.copy()
        trial[place] = False
        left, witnesses = _exposed(
            linked, trial, primary, k, pool[pool[:, place] == linked.counts[place]], first=True
        )
        if not len(left):
            hidden, pool = trial, witnesses
    return Protection(hidden, primary, _wording_is_safe(linked, hidden, primary, k))


def _exposed(
    linked: LinkedCounts,
    hidden: np.ndarray,
    primary: np.ndarray,
    k: int,
    pool: np.ndarray,
    *,
    first: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Primary counts whose interval is too short, and the tables that witness the others' intervals.

    ``pool`` holds tables consistent with what is shown; two that lie k - 1 apart in a count prove it
    safe, so that most counts need no programme of their own. ``first`` stops at the first exposed count.
    """
    programme = TableProgramme(linked, hidden)
    rng = np.random.default_rng(0)
    short = primary & (np.ptp(pool, axis=0) < k - 1)
    for _ in range(WITNESSES if short.sum() > 2 else 0):
        signs = np.where(short, rng.choice([-1.0, 1.0], len(short)), 0.0)
        pool = np.vstack([pool, programme.solve(signs), programme.solve(-signs)])
        short = primary & (np.ptp(pool, axis=0) < k - 1)
    exposed = []
    for place in np.flatnonzero(short):
        if np.ptp(pool[:, place]) >= k - 1:
            continue
        aim = np.zeros(len(hidden))
        aim[place] = 1.0
        pool = np.vstack([pool, programme.solve(aim), programme.solve(-aim)])
        if np.ptp(pool[:, place]) < k - 1:
            exposed.append(place)
            if first:
                break
    return np.array(exposed, dtype=int), pool


def _hide_beside(
    linked: LinkedCounts, hidden: np.ndarray, exposed: list[int], k: int, fixed: np.ndarray, *, whole: bool
) -> np.ndarray:
    """One programme: two tables per exposed count, k - 1 apart in it, that differ from the truth in hidden cells only."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, truth = len(hidden), linked.counts.astype(float)
    top = truth.max()
    copies = 2 * len(exposed)
    eye = sparse.identity(copies * n, format="csr")
    stacked = sparse.vstack([sparse.identity(n, format="csr")] * copies, format="csr")
    every = np.tile(truth, copies)
    blank = sparse.csr_matrix((copies * n, 1))
    constraints = [
        LinearConstraint(sparse.hstack([stacked.multiply(-top), eye, blank]), -np.inf, every),
        LinearConstraint(sparse.hstack([sparse.diags(every) @ stacked, eye, blank]), every, np.inf),
    ]
    if len(linked.relations):
        relations = sparse.block_diag([sparse.csr_matrix(linked.relations)] * copies)
        padded = sparse.hstack(
            [
                sparse.csr_matrix((relations.shape[0], n)),
                relations,
                sparse.csr_matrix((relations.shape[0], 1)),
            ]
        )
        constraints.append(LinearConstraint(padded, 0, 0))
    apart = np.zeros((len(exposed), n + copies * n + 1))
    for pair, place in enumerate(exposed):
        apart[pair, n + 2 * pair * n + place] = 1
        apart[pair, n + (2 * pair + 1) * n + place] = -1
    constraints.append(LinearConstraint(apart, k - 1, np.inf))
    constraints.append(LinearConstraint(_gap_lines(linked, copies), -np.inf, 0))
    cost = np.concatenate([_costs(linked), np.zeros(copies * n), [TIE_COST / max(linked.counts.max(), 1.0)]])
    low = np.concatenate([hidden.astype(float), np.zeros(copies * n), [0]])
    high = np.concatenate([(~fixed | hidden).astype(float), np.full(copies * n, top), [np.inf]])
    integrality = np.concatenate([np.ones(n), np.full(copies * n, float(whole)), [0]])
    with _quiet():
        found = milp(
            cost,
            integrality=integrality,
            bounds=Bounds(low, high),
            constraints=constraints,
            options={"time_limit": SECONDS},
        )
    if found.x is None:
        return ~fixed
    return found.x[:n] > 0.5


@contextmanager
def _quiet():
    """Discard what HiGHS prints past Python: a chapter may show nothing that is not marked."""
    library = ctypes.CDLL(None)
    library.fflush(None)
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        library.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _costs(linked: LinkedCounts) -> np.ndarray:
    """Cost of hiding a count: its share of the students; a margin costs more than all that lies deeper."""
    shares = np.maximum(linked.counts, 1.0) / max(linked.counts.max(), 1.0)
    costs, deeper = np.zeros(len(shares)), 0.0
    for depth in sorted(set(linked.depth)):
        level = linked.depth == depth
        costs[level] = shares[level] + deeper
        deeper += costs[level].sum()
    return costs


def _gap_lines(linked: LinkedCounts, copies: int) -> np.ndarray:
    """|hidden share of focal - hidden share of reference| <= the last variable, over innermost cells."""
    inner = linked.depth == 0
    shares = [
        np.where(inner, group / max(group[inner].sum(), 1.0), 0.0)
        for group in (linked.focal, linked.reference)
    ]
    gap = shares[0] - shares[1]
    pad = np.zeros(copies * len(gap))
    return np.array([np.concatenate([gap, pad, [-1]]), np.concatenate([-gap, pad, [-1]])])


def _wording_is_safe(linked: LinkedCounts, hidden: np.ndarray, primary: np.ndarray, k: int) -> bool:
    """Whether every hidden count keeps two values or more when its wording tells small from large."""
    low = np.where(primary, 0, np.minimum(k, linked.counts))
    high = np.where(primary, np.maximum(k - 1, linked.counts), linked.counts.max(initial=0))
    programme = TableProgramme(linked, hidden, low, high)
    pool = linked.counts[None, :]
    for place in np.flatnonzero(hidden):
        if np.ptp(pool[:, place]) == 0:
            aim = np.zeros(len(hidden))
            aim[place] = 1.0
            pool = np.vstack([pool, programme.solve(aim), programme.solve(-aim)])
            if np.ptp(pool[:, place]) == 0:
                return False
    return True
