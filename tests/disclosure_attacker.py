"""An attacker of its own for the tests: reads what a table prints, solves for what it hides.

Shares no code with lib.disclosure: bounds come from scipy's linprog over the printed table, spans from
elimination with fractions and from singular values.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import linprog

FEWER = "fewer than"


def printed_table(students: pd.DataFrame, columns: tuple[str, ...], hidden: dict) -> dict[frozenset, object]:
    """A count table with all its margins as a reader sees it: numbers, and words where hidden."""
    seen = {}
    for size in range(len(columns) + 1):
        for chosen in combinations(columns, size):
            grid = [[]]
            for column in chosen:
                grid = [[*one, (column, level)] for one in grid for level in sorted(set(students[column]))]
            for one in grid:
                key = frozenset(one)
                inside = (
                    np.logical_and.reduce([students[c] == v for c, v in key])
                    if key
                    else np.ones(len(students))
                )
                seen[key] = hidden.get(key, int(np.sum(inside)))
    return seen


def relations(
    seen: dict[frozenset, object], students: pd.DataFrame
) -> list[tuple[frozenset, list[frozenset]]]:
    """Which printed entries add up to which."""
    found = []
    for key in seen:
        for column in students.columns.difference([c for c, _ in key]):
            parts = [key | {(column, level)} for level in sorted(set(students[column]))]
            if all(part in seen for part in parts):
                found.append((key, parts))
    return found


def bounds(seen: dict, adding_up: list, *, use_words: bool, k: int = 10) -> dict[frozenset, tuple[int, int]]:
    """Smallest and largest value of each hidden entry; where some read "fewer than k", the others hold k or more."""
    unknown = [key for key, value in seen.items() if isinstance(value, str)]
    place = {key: position for position, key in enumerate(unknown)}
    lines, values = [], []
    for total, parts in adding_up:
        line, value = np.zeros(len(unknown)), 0
        for key, sign in [(total, -1), *((part, 1) for part in parts)]:
            if key in place:
                line[place[key]] += sign
            else:
                value -= sign * seen[key]
        if line.any():
            lines.append(line)
            values.append(value)
    most = max((value for value in seen.values() if not isinstance(value, str)), default=None)
    told = use_words and any(FEWER in seen[key] for key in unknown)
    limits = []
    for key in unknown:
        if told:
            limits.append((0, k - 1) if FEWER in seen[key] else (k, most))
        else:
            limits.append((0, most))
    found = {}
    for key in unknown:
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(unknown))
            cost[place[key]] = sign
            answer = linprog(
                cost, A_eq=np.array(lines) if lines else None, b_eq=values or None, bounds=limits
            )
            assert answer.status == 0, answer.message
            ends.append(sign * answer.fun)
        found[key] = (int(np.ceil(ends[0] - 1e-6)), int(np.floor(ends[1] + 1e-6)))
    return found


def in_span(target: list[int], rows: list[list[int]]) -> bool:
    """Whether a 0/1 vector is a rational combination of others, by Gauss with fractions."""
    basis: list[tuple[int, list[Fraction]]] = []

    def reduced(vector):
        vector = [Fraction(value) for value in vector]
        for pivot, base in basis:
            if vector[pivot]:
                factor = vector[pivot]
                vector = [value - factor * other for value, other in zip(vector, base, strict=True)]
        return vector

    for row in rows:
        left = reduced(row)
        pivot = next((place for place, value in enumerate(left) if value), None)
        if pivot is not None:
            basis.append((pivot, [value / left[pivot] for value in left]))
    return not any(reduced(target))


def in_real_span(targets: np.ndarray, published: np.ndarray) -> np.ndarray:
    """The same for many sets at once, in floating point: shape (targets, cells) against (states, cells)."""
    _, values, right = np.linalg.svd(published.astype(float), full_matrices=False)
    right = right[values > 1e-9 * values[0]]
    left = targets - targets @ right.T @ right
    return np.abs(left).max(axis=1) < 1e-7
