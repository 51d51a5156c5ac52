"""Counts that hang together: tables, their margins and the relations between them (DISCLOSURE.md, D3 and D4)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from lib.errors import DisclosureError


@dataclass(frozen=True)
class LinkedCounts:
    """Counts and the relations between them.

    Attributes
    ----------
    keys : tuple
        Name of each of the n counts.
    counts : ndarray of int, shape (n,)
    relations : ndarray, shape (r, n)
        ``relations @ counts == 0``.
    depth : ndarray of int, shape (n,)
        0 for an innermost cell, 1 for a margin of cells, and so on; deeper counts are hidden last.
    focal, reference : ndarray, shape (n,)
        Students of the focal and of the reference group in each count.
    """

    keys: tuple[Hashable, ...]
    counts: np.ndarray
    relations: np.ndarray
    depth: np.ndarray
    focal: np.ndarray
    reference: np.ndarray

    def __post_init__(self):
        broken = int(np.any(self.relations @ self.counts != 0)) if len(self.relations) else 0
        if broken:
            raise DisclosureError(
                "the relations between counts do not hold for the counts; give margins of the same data"
            )


def linked_counts(
    frame: pd.DataFrame,
    tables: list[tuple[str, ...]],
    *,
    focal: np.ndarray | None = None,
    reference: np.ndarray | None = None,
) -> LinkedCounts:
    """Counts of several tables with all their margins; equal cells of different tables are one count.

    Parameters
    ----------
    frame : DataFrame
        One row per student.
    tables : list of tuple of str
        Columns crossed in each table, such as ``[("race", "school"), ("race", "grade_level")]``.
    focal, reference : ndarray of bool, optional
        Who belongs to the focal and to the reference group, one entry per row of ``frame``.

    Returns
    -------
    LinkedCounts
        Keys are frozensets of (column, level); the empty one is the total.
    """
    margins = {
        frozenset(part) for table in tables for r in range(len(table) + 1) for part in combinations(table, r)
    }
    cells: dict[frozenset, np.ndarray] = {}
    for columns in margins:
        names = sorted(columns)
        if not names:
            cells[frozenset()] = np.arange(len(frame))
            continue
        levels = [pd.unique(frame[name].astype(object)) for name in names]
        found = {_tuple(level): rows for level, rows in frame.groupby(names, observed=True).indices.items()}
        for level in pd.MultiIndex.from_product(levels):
            cells[frozenset(zip(names, level, strict=True))] = found.get(
                tuple(level), np.array([], dtype=int)
            )
    keys = tuple(cells)
    place = {key: position for position, key in enumerate(keys)}
    relations = []
    for columns in margins:
        for added in {
            name
            for other in margins
            if columns < other and len(other) == len(columns) + 1
            for name in other - columns
        }:
            for key in (key for key in keys if {name for name, _ in key} == columns):
                line = np.zeros(len(keys))
                line[place[key]] = -1
                for level in pd.unique(frame[added].astype(object)):
                    line[place[key | {(added, level)}]] = 1
                relations.append(line)
    deepest = max(len(columns) for columns in margins)
    return LinkedCounts(
        keys=keys,
        counts=np.array([len(rows) for rows in cells.values()]),
        relations=np.array(relations).reshape(-1, len(keys)),
        depth=np.array([deepest - len(key) for key in keys]),
        focal=_sizes(cells, focal),
        reference=_sizes(cells, reference),
    )


def _tuple(level) -> tuple:
    return level if isinstance(level, tuple) else (level,)


def _sizes(cells: dict, mask: np.ndarray | None) -> np.ndarray:
    inside = np.zeros(0) if mask is None else np.asarray(mask, dtype=float)
    return np.array([inside[rows].sum() if mask is not None else 0.0 for rows in cells.values()])


def merge_levels(counts: dict[str, int], *, k: int, keep: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Merge small levels (D4) until each merged level holds at least k: new level -> old levels.

    Levels under k are put together; where they are still under k, the smallest level that need not
    be kept joins them. The merged level's name joins the old names with ``+``. What cannot reach k
    is left out.
    """
    small = sorted((level for level, n in counts.items() if n < k), key=lambda level: (counts[level], level))
    rest = [level for level in counts if level not in small]
    if small and sum(counts[level] for level in small) < k:
        joining = [level for level in rest if level not in keep]
        if not joining:
            return {level: (level,) for level in rest}
        partner = min(joining, key=lambda level: (counts[level], level))
        rest.remove(partner)
        small.append(partner)
    merged = {level: (level,) for level in rest}
    if small:
        merged["+".join(sorted(small))] = tuple(sorted(small))
    return merged
