"""Filter states and populations that a site publishes, and the small groups that follow from their sums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pandas as pd

from lib.disclosure.derive import is_whole
from lib.disclosure.grids import columns_of
from lib.disclosure.leaks import Leak
from lib.disclosure.members import rule_of
from lib.disclosure.smallcells import COUNT_NAME, numbers
from lib.study.codebook import Codebook, DisclosureSettings

SIZE_NAME = re.compile(r"(?i)^(?:n|n_obs|n_students|students|count)$")
CELL_LIMIT = 4_000
LEVEL_LIMIT = 12
State = frozenset


def filter_states(table: pd.DataFrame) -> tuple[dict[State, float], dict[str, list[str]]] | None:
    """A table of filter states: students of each state and levels of each column; None for other tables."""
    names = [str(name) for name in table]
    sizes = next((name for name in names if SIZE_NAME.match(name)), None)
    if sizes is None or len(table) < 3 or "row_id" in names:
        return None
    given = columns_of(table)
    columns = [name for name in names if not COUNT_NAME.match(name) and _is_dimension(given[name])]
    states: dict[State, float] = {}
    for *levels, size in zip(*(given[name] for name in columns), numbers(given[sizes]), strict=True):
        state = frozenset((c, str(v)) for c, v in zip(columns, levels, strict=True) if not is_whole(v))
        if np.isfinite(size):
            states[state] = max(size, states.get(state, 0.0))
    levels_of = {
        name: sorted({str(value) for value in given[name] if not is_whole(value)}) for name in columns
    }
    return (states, levels_of) if columns and len(states) > 2 else None


def decoded_cubes(data: object, path: str = "") -> Iterator[tuple[str, pd.DataFrame]]:
    """Cubes whose dimensions are codes into lists of levels (``dims`` beside ``cube``)."""
    if isinstance(data, dict):
        dims, cube = data.get("dims"), data.get("cube")
        if isinstance(dims, list) and isinstance(cube, dict) and all(isinstance(one, dict) for one in dims):
            lists = {key: value for key, value in cube.items() if isinstance(value, list)}
            for dim in dims:
                codes, values = lists.get(str(dim.get("name"))), dim.get("values")
                if isinstance(codes, list) and isinstance(values, list):
                    known = all(isinstance(code, int) and 0 <= code < len(values) for code in codes)
                    lists[dim["name"]] = [values[code] for code in codes] if known else codes
            if lists and len({len(value) for value in lists.values()}) == 1:
                yield f"{path}.cube", pd.DataFrame(lists)
        for key, value in data.items():
            yield from decoded_cubes(value, f"{path}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            if isinstance(value, (dict, list)):
                yield from decoded_cubes(value, f"{path}[{number}]")


def _is_dimension(told: list) -> bool:
    """A column of few levels that is left blank, or called all, where it does not filter."""
    if any(isinstance(value, (list, dict)) for value in told):
        return False
    texts = {"" if is_whole(value) else str(value) for value in told}
    figures = numbers(told)
    return "" in texts and 1 < len(texts) <= LEVEL_LIMIT + 1 and not np.any(figures[np.isfinite(figures)] % 1)


def differencing_leaks(
    file: str,
    place: str,
    states: dict[State, float],
    levels: dict[str, list[str]],
    settings: DisclosureSettings,
) -> Iterator[Leak]:
    """Small groups whose size follows from sums of published states, by rank over the crossed levels.

    Only arithmetic on what is printed: a group is named by its levels, its size comes out as a linear
    combination of printed sizes. A column gets a level for the rest unless the printed sizes show that its
    levels leave nobody out.
    """
    if all(size % settings.round_n == 0 for size in states.values()):
        return
    levels = {
        column: named if _cover_everybody(states, column, named) else [*named, ""]
        for column, named in levels.items()
    }
    cells = (
        list(product(*levels.values()))
        if np.prod([len(named) for named in levels.values()]) <= CELL_LIMIT
        else []
    )
    if not cells:
        return
    holds = {
        (column, level): np.array([cell[place] == level for cell in cells])
        for place, (column, named) in enumerate(levels.items())
        for level in named
    }
    published = np.array([_indicator(state, holds, len(cells)) for state in states], dtype=float)
    sizes = np.array(list(states.values()))
    _, scale, right = np.linalg.svd(published, full_matrices=False)
    right = right[scale > 1e-9 * scale[0]]
    point, *_ = np.linalg.lstsq(published, sizes, rcond=None)
    if np.abs(published @ point - sizes).max() > 0.01:
        return
    groups = _groups(levels, holds, len(cells))
    inside = np.abs(groups - groups @ right.T @ right).max(axis=1) < 1e-7
    found = groups[inside] @ point
    small = int(
        (
            (np.abs(found - np.round(found)) < 0.01) & (np.round(found) >= 1) & (np.round(found) < settings.k)
        ).sum()
    )
    if small:
        yield Leak(
            "differencing", file, place, f"{small} groups under {settings.k} follow from sums and differences of published "
            "states; offer only states that choose_lattice keeps",
        )  # fmt: skip


def _cover_everybody(states: dict[State, float], column: str, levels: list[str]) -> bool:
    """Whether the printed sizes show that a column's levels leave nobody out."""
    for state, size in states.items():
        parts = [states.get(state | {(column, level)}) for level in levels]
        if column not in {name for name, _ in state} and None not in parts and sum(parts) == size:
            return True
    return False


def _indicator(state: State, holds: dict, cells: int) -> np.ndarray:
    inside = np.ones(cells, dtype=bool)
    for pair in state:
        inside = inside & holds[pair]
    return inside


def _groups(levels: dict[str, list[str]], holds: dict, cells: int) -> np.ndarray:
    """Conjunctions of up to three columns, and those with one of their levels turned into all others."""
    found = {}
    for depth in (1, 2, 3):
        for columns in combinations(levels, depth):
            for chosen in product(*(levels[column] for column in columns)):
                inside = _indicator(frozenset(zip(columns, chosen, strict=True)), holds, cells)
                found[inside.tobytes()] = inside
                for turned in range(depth):
                    others = [holds[pair] for pair in zip(columns, chosen, strict=True)]
                    others[turned] = ~others[turned]
                    inside = np.logical_and.reduce(others)
                    found[inside.tobytes()] = inside
    return np.array(list(found.values()), dtype=float)


def populations_of(table: pd.DataFrame, states, codebook: Codebook) -> Iterator[dict[str, tuple[str, ...]]]:
    """Populations named by a table's shown result rows or filter states, as rules of the codebook."""
    if {"population", "group", "status"} <= {str(name) for name in table}:
        shown = table[table["status"] == "ok"]
        for population, group in dict.fromkeys(zip(shown["population"], shown["group"], strict=True)):
            rules = [
                rule_of("" if name is None or name != name else str(name), codebook)
                for name in (population, group)
            ]
            if None not in rules:
                yield rules[0] | rules[1]
    for state in states[0] if states else ():
        rule = {column: tuple(level.split("+")) for column, level in state}
        if all(
            c in codebook.columns and set(levels) <= set(codebook.columns[c].levels)
            for c, levels in rule.items()
        ):
            yield rule
