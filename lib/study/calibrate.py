"""Move a simulated study to given values by exchanging answers between like students.

An exchange gives two students of one cell (same school, grade level and group) each other's answers to a
block of columns, so every margin and count within a cell stays. Exchanges are chosen for their gain in the sum
of block score times a direction; how far that moves the quantity in question is found by measuring it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

FIRST = 0.02  # of the block's spread: the step that first shows how far an exchange moves the value
WIDEST = 0.15
WIDE = 0.006  # a smaller step says too little about the slope to change it


@dataclass(frozen=True)
class Move:
    """How a quantity may be moved.

    ``block`` are the columns exchanged, ``score`` their score by row (NaN where missing), ``along`` the
    direction in which an exchange counts and ``keep`` a direction that it should leave alone (or None);
    ``rows`` says which students take part.
    """

    block: tuple[str, ...]
    score: np.ndarray
    along: np.ndarray
    rows: np.ndarray
    keep: np.ndarray | None = None


@dataclass(frozen=True)
class Moved:
    """A table after its exchanges, the value reached and how many pairs exchanged a block."""

    table: pd.DataFrame
    value: float
    n_pairs: int


def move_to(
    table: pd.DataFrame,
    *,
    cells: list[str],
    measure: Callable[[pd.DataFrame], float],
    prepare: Callable[[pd.DataFrame], Move],
    target: float,
    tolerance: float,
    seed: int,
    max_rounds: int = 12,
) -> Moved:
    """Exchange answers until a measured value is within ``tolerance`` of its target.

    Parameters
    ----------
    table : DataFrame
        The students' table, as it is written.
    cells : list of str
        Columns that two students must share to exchange answers.
    measure : callable
        The value of a table.
    prepare : callable
        The Move of a table.
    target, tolerance : float
        Where the value should be, and how near.
    seed : int
        Of the choice of pairs.
    max_rounds : int
        Stop after this many rounds; the value reached is returned in any case.

    Returns
    -------
    Moved
    """
    rng = np.random.default_rng(seed)
    value, n_pairs, slope = measure(table), 0, None
    for _ in range(max_rounds):
        if abs(target - value) <= tolerance:
            break
        move = prepare(table)
        spread = np.nanstd(move.score[move.rows]) * np.nanstd(move.along[move.rows]) * move.rows.sum()
        gain = (target - value) / slope if slope else np.sign(target - value) * FIRST * spread
        gain = float(np.clip(gain, -WIDEST * spread, WIDEST * spread))
        pairs, reached = choose_pairs(table, move, cells=cells, gain=gain, rng=rng)
        if not pairs:
            break
        table = exchange(table, pairs, move.block)
        before, value = value, measure(table)
        if slope is None or abs(reached) > WIDE * spread:
            slope = (value - before) / reached if value != before else slope
        n_pairs += len(pairs)
    return Moved(table, value, n_pairs)


def choose_pairs(
    table: pd.DataFrame, move: Move, *, cells: list[str], gain: float, rng: np.random.Generator
) -> tuple[list[tuple[int, int]], float]:
    """Pairs of rows whose exchange changes the sum of score times direction by about ``gain``; each row once."""
    code = table.groupby(cells, sort=False, observed=True).ngroup().to_numpy()
    usable = np.flatnonzero(move.rows & np.isfinite(move.score) & np.isfinite(move.along))
    one = rng.choice(usable, size=60 * len(usable))
    two = rng.choice(usable, size=60 * len(usable))
    each = (move.score[one] - move.score[two]) * (move.along[two] - move.along[one])
    fits = (code[one] == code[two]) & (np.sign(each) == np.sign(gain)) & (np.abs(each) > 1e-9)
    if move.keep is not None:
        fits &= np.abs(move.keep[one] - move.keep[two]) < 0.15 * np.nanstd(move.keep[usable])
    used, pairs, reached = set(), [], 0.0
    for place in np.flatnonzero(fits):
        a, b, step = int(one[place]), int(two[place]), float(each[place])
        if a in used or b in used or abs(reached + step) > abs(gain) + 1e-9:
            continue
        used |= {a, b}
        pairs.append((a, b))
        reached += step
    return pairs, reached


def exchange(table: pd.DataFrame, pairs: list[tuple[int, int]], block: tuple[str, ...]) -> pd.DataFrame:
    """The table with the block's cells of each pair of rows exchanged."""
    order = np.arange(len(table))
    for a, b in pairs:
        order[a], order[b] = order[b], order[a]
    changed = table.copy()
    for column in block:
        changed[column] = table[column].array.take(order)
    return changed
