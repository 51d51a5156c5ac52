"""Differencing (DISCLOSURE.md, D6): no small set of students follows from sums over published populations.

Students who agree on every column that defines a population form a cell; populations and the small
sets to protect are unions of cells, so everything is decided on the distinct cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from lib.disclosure.span import PRIME, PROBES, Span, parallel
from lib.errors import DisclosureError

Rule = Mapping[str, Sequence[str]]
LEVEL_LIMIT = 10
CHUNK = 4_000


@dataclass(frozen=True)
class Cells:
    """Distinct combinations of levels and the students in each.

    Attributes
    ----------
    levels : DataFrame, one row per cell
        Level of each column; a missing answer is a level of its own, ``""``.
    sizes : ndarray of int, shape (cells,)
    of_student : ndarray of int, shape (students,)
        Cell of each student.
    """

    levels: pd.DataFrame
    sizes: np.ndarray
    of_student: np.ndarray = field(repr=False)

    def indicator(self, rule: Rule) -> np.ndarray:
        """Cells that a rule selects, shape (cells,), bool.

        Raises
        ------
        DisclosureError
            If the rule names a column that defines no cell.
        """
        inside = np.ones(len(self.sizes), dtype=bool)
        for column, levels in rule.items():
            if column not in self.levels:
                raise DisclosureError(
                    f"a population is defined by {column!r}, which the cells do not tell apart"
                )
            wanted = [levels] if isinstance(levels, str) else list(levels)
            inside &= self.levels[column].isin(wanted).to_numpy()
        return inside

    def size(self, indicator: np.ndarray) -> int:
        """Students in a set of cells."""
        return int(self.sizes[indicator].sum())

    def weights(self, mask: np.ndarray) -> np.ndarray:
        """Students of a mask over the students in each cell, shape (cells,)."""
        return np.bincount(self.of_student[np.asarray(mask, dtype=bool)], minlength=len(self.sizes))


def cells_of(students: pd.DataFrame, columns: Iterable[str]) -> Cells:
    """Cells of a table of students by the columns given."""
    names = list(dict.fromkeys(columns))
    keyed = students[names].astype(object).where(students[names].notna(), "").astype(str)
    grouped = keyed.groupby(names, sort=True)
    levels = grouped.size().rename("n").reset_index()
    return Cells(levels[names], levels["n"].to_numpy(), grouped.ngroup().to_numpy())


def small_sets(cells: Cells, *, k: int, columns: int = 3) -> np.ndarray:
    """The sets of 1 to k - 1 students that are to be protected; each set once, shape (sets, k - 1).

    Every product of subsets of levels of up to ``columns`` columns, and every conjunction of single
    levels at any depth. An entry is a cell of the set; the number of cells fills the rest.
    """
    found: dict[bytes, np.ndarray] = {}
    names = list(cells.levels)
    for depth in range(1, len(names) + 1):
        for chosen in combinations(names, depth):
            single = depth > columns
            for sets in _products(cells, list(chosen), k=k, single=single):
                for cells_in in sets:
                    found.setdefault(cells_in.tobytes(), cells_in)
    return np.array(list(found.values()), dtype=np.int64).reshape(-1, k - 1)


def _products(cells: Cells, columns: list[str], *, k: int, single: bool) -> Iterable[np.ndarray]:
    """Small sets among the products of level subsets (or of single levels) of the columns."""
    if single:
        groups = cells.levels.groupby(columns, sort=False).indices.values()
        yield from (_padded([rows], len(cells.sizes), k) for rows in groups if cells.sizes[rows].sum() < k)
        return
    selectors = [_subsets(cells.levels[column], column) for column in columns]
    head, tail = selectors[0], selectors[1:]
    crossed = head
    for other in tail:
        crossed = (crossed[:, None, :] & other[None, :, :]).reshape(-1, len(cells.sizes))
        sizes = crossed @ cells.sizes
        keep = sizes > 0 if other is not tail[-1] else (sizes > 0) & (sizes < k)
        crossed = np.unique(np.packbits(crossed[keep], axis=1), axis=0)
        crossed = np.unpackbits(crossed, axis=1, count=len(cells.sizes)).astype(bool)
    if not tail:
        sizes = crossed @ cells.sizes
        crossed = crossed[(sizes > 0) & (sizes < k)]
    yield _padded([np.flatnonzero(row) for row in crossed], len(cells.sizes), k)


def _subsets(levels: pd.Series, column: str) -> np.ndarray:
    """Indicators of every subset of a column's levels, shape (subsets, cells); at most 10 levels are crossed."""
    codes, known = pd.factorize(levels)
    if len(known) > LEVEL_LIMIT:
        raise DisclosureError(
            f"column {column!r} has {len(known)} levels; merge them to at most {LEVEL_LIMIT} before they define populations"
        )
    bits = np.arange(1, 2 ** len(known))[:, None] >> np.arange(len(known)) & 1
    return bits.astype(bool)[:, codes]


def _padded(sets: list[np.ndarray], filler: int, k: int) -> np.ndarray:
    table = np.full((len(sets), k - 1), filler, dtype=np.int64)
    for line, cells_in in zip(table, sets, strict=True):
        line[: len(cells_in)] = np.sort(cells_in)
    return table


@dataclass
class Release:
    """Populations published so far, and the small sets that must stay out of their span.

    Attributes
    ----------
    cells : Cells
    sets : ndarray, shape (sets, k - 1)
        As made by ``small_sets``; those that a prior release gave away are taken out by ``concede``.
    """

    cells: Cells
    sets: np.ndarray
    span: Span = field(init=False)
    shadows: np.ndarray = field(init=False)

    def __post_init__(self):
        self.span = Span(len(self.cells.sizes))
        self._look()

    def _look(self) -> None:
        probes = np.vstack([self.span.probes, np.zeros((1, PROBES), dtype=np.int64)])
        self.shadows = np.zeros((len(self.sets), PROBES), dtype=np.int64)
        for place in self.sets.T:
            self.shadows += probes[place]
        self.shadows %= PRIME

    def reveals(self, indicator: np.ndarray) -> np.ndarray:
        """Small sets that would follow if this population were published too, as places in ``sets``."""
        shadow = self.span.shadow(indicator)
        if not shadow.any():
            return np.array([], dtype=int)
        return np.flatnonzero(parallel(self.shadows, shadow))

    def publish(self, indicator: np.ndarray) -> None:
        """Count a population as published."""
        if self.span.add(indicator):
            self._look()

    def revealed(self) -> np.ndarray:
        """Small sets that follow from what is published, as places in ``sets``."""
        return np.flatnonzero(~self.shadows.any(axis=1))

    def concede(self) -> int:
        """Stop protecting what follows already (from a prior release); how many sets that were."""
        known = self.revealed()
        self.sets = np.delete(self.sets, known, axis=0)
        self.shadows = np.delete(self.shadows, known, axis=0)
        return len(known)


def derivable_sets(cells: Cells, populations: Iterable[Rule], *, k: int, columns: int = 3) -> list[str]:
    """Small sets that follow from published populations, in words that give no count (empty when safe).

    Parameters
    ----------
    cells : Cells
    populations : iterable of rule
        Each maps columns to levels; an empty rule is everybody.
    k, columns : int
        Of rule D6.
    """
    release = Release(cells, small_sets(cells, k=k, columns=columns))
    for rule in populations:
        release.publish(cells.indicator(rule))
    return [describe(cells, release.sets[place]) for place in release.revealed()]


def describe(cells: Cells, cells_in: np.ndarray) -> str:
    """The levels that a set of cells has in common."""
    inside = cells.levels.iloc[cells_in[cells_in < len(cells.sizes)]]
    shared = {name: sorted(set(inside[name])) for name in inside}
    told = [
        f"{name} in {', '.join(levels)}"
        for name, levels in shared.items()
        if len(levels) < cells.levels[name].nunique()
    ]
    return "; ".join(told) or "everybody"
