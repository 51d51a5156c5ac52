"""Linear relations among result rows, found by their names and checked by their numbers.

A table that shows a total and all but one of its parts shows the last part too. That holds for the
counts of a table, for the number of students behind any other result (so that a hidden group's mean
cannot be taken from the total's), and for the numerators of shares.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.disclosure.complementary import protect
from lib.disclosure.counts import LinkedCounts
from lib.disclosure.members import WHOLE, members, rule_of
from lib.disclosure.rules import is_free_count, is_person_count, numerators
from lib.errors import DisclosureError
from lib.study.codebook import Codebook
from lib.study.load import Study

DIMENSIONS = ("population", "group", "contrast", "term")
BLOCK = ("model", "estimator", "unit")


def hidden_beside(rows: pd.DataFrame, primary: pd.Series, study: Study) -> tuple[pd.Series, pd.Series]:
    """Rows to hide so that no primary row can be worked out (D3).

    Parameters
    ----------
    rows : DataFrame
        The shared row shape, before anything is taken out.
    primary : Series of bool
        Rows hidden for their own sake.
    study : Study

    Returns
    -------
    tuple of Series of bool
        Rows hidden for another's sake; rows whose wording must not tell the two apart.
    """
    beside = pd.Series(False, index=rows.index)
    alike = pd.Series(False, index=rows.index)
    sizes = rows["estimate"].where(is_person_count(rows), rows["n_obs"]).mask(is_free_count(rows))
    for layer, whole in ((sizes, None), (numerators(rows), rows["n_obs"])):
        for counts, places in _components(rows, layer, whole, study):
            wanted = np.array([place >= 0 and bool(primary[place] | beside[place]) for place in places])
            if not wanted.any():
                continue
            fixed = np.array([place < 0 for place in places])
            try:
                found = protect(counts, primary=wanted, k=study.codebook.disclosure.k, always_shown=fixed)
                hidden, apart = found.hidden, found.worded_apart
            except DisclosureError:
                hidden, apart = ~fixed, False
            at = rows.index[
                [place for place, gone in zip(places, hidden, strict=True) if gone and place >= 0]
            ]
            beside[at] |= ~primary[at]
            alike[at] |= not apart
    return beside, alike


def _components(rows: pd.DataFrame, layer: pd.Series, whole: pd.Series | None, study: Study):
    """Counts that hang together, each with the places of its rows (-1 for a total that no row holds)."""
    relations = _relations(rows, layer, whole, study.codebook)
    linked = _Forest()
    for total, parts in relations:
        for part in parts:
            linked.join(total, part)
    for names in linked.groups():
        inside = [(total, parts) for total, parts in relations if total in names]
        yield (
            _counts(rows, layer, whole, names, inside, study),
            [name if isinstance(name, int) else -1 for name in names],
        )


def _counts(rows, layer, whole, names: list, relations: list, study: Study) -> LinkedCounts:
    lines = np.zeros((len(relations), len(names)))
    depth = np.zeros(len(names), dtype=int)
    at = {name: position for position, name in enumerate(names)}
    for _ in relations:
        for total, parts in relations:
            depth[at[total]] = max(depth[at[total]], 1 + max(depth[at[part]] for part in parts))
    for line, (total, parts) in zip(lines, relations, strict=True):
        line[at[total]] = -1
        line[[at[part] for part in parts]] = 1
    values = [layer[name] if isinstance(name, int) else whole[name[1]] for name in names]
    groups = {}
    for key in ("focal", "reference"):
        inside = members(study, key)
        behind = [
            members(study, rows["population"][name], rows["group"][name]) if isinstance(name, int) else None
            for name in names
        ]
        groups[key] = np.array(
            [0.0 if inside is None or mask is None else float((inside & mask).sum()) for mask in behind]
        )
    return LinkedCounts(
        keys=tuple(names), counts=np.array(values).round().astype(int), relations=lines, depth=depth, **groups
    )


def _relations(rows: pd.DataFrame, layer: pd.Series, whole: pd.Series | None, codebook: Codebook) -> list:
    found = {}
    known = rows.index[layer.notna()]
    count = layer.to_dict()
    base = {} if whole is None else whole.to_dict()
    names = {dimension: rows[dimension].to_dict() for dimension in DIMENSIONS}
    kinds = {value: _kind(value, codebook) for of in names.values() for value in of.values()}
    for dimension in DIMENSIONS:
        others = [*BLOCK, *(name for name in DIMENSIONS if name != dimension)]
        together: dict[tuple, list[int]] = {}
        for place, key in zip(known, rows.loc[known, others].itertuples(index=False, name=None), strict=True):
            together.setdefault(key, []).append(place)
        for places in (together[key] for key in sorted(together) if len(together[key]) > 1):
            joined = _joined(places, names[dimension])
            found |= {
                (total, parts): (total, parts)
                for total, parts in joined.items()
                if parts and count[total] == sum(count[place] for place in parts)
            }
            places = [place for place in places if place not in joined]
            for parts in _parts(places, count, names[dimension], kinds):
                behind = sum(count[place] for place in parts)
                for total in places:
                    if total not in parts and count[total] == behind:
                        found[total, parts] = (total, parts)
                if whole is not None and all(base[place] == behind for place in parts):
                    found["whole", parts] = (("whole", parts[0], dimension), parts)
    return list(found.values())


def _joined(places: list[int], names: dict) -> dict[int, tuple[int, ...]]:
    """Rows that name several levels of a column, ``column=a|b``, with the places of the levels' own rows."""
    several = [place for place in places if "|" in names[place]]
    at = {names[place]: place for place in places} if several else {}
    found = {}
    for total in several:
        column, _, levels = names[total].partition("=")
        parts = tuple(at.get(f"{column}={level}") for level in levels.split("|"))
        found[total] = () if None in parts else parts
    return found


def _kind(value: str, codebook: Codebook) -> tuple[str, ...] | None:
    """The columns whose levels a name gives; None for a name of everyone."""
    return None if value in WHOLE else tuple(sorted(rule_of(value, codebook) or ()))


def _parts(places: list[int], count: dict, names: dict, kinds: dict) -> list[tuple[int, ...]]:
    """Sets of rows that may be the parts of a whole: the levels of one column, all rows, all but the largest."""
    levels: dict[tuple, list[int]] = {}
    for place in places:
        if (kind := kinds[names[place]]) is not None:
            levels.setdefault(kind, []).append(place)
    every = [place for place in places if kinds[names[place]] is not None]
    largest = max(places, key=count.__getitem__, default=None)
    sets = [*levels.values(), every, [place for place in places if place != largest]]
    return [parts for parts in dict.fromkeys(map(tuple, sets)) if len(parts) > 1]


class _Forest:
    """Sets of names that were joined."""

    def __init__(self):
        self.parent: dict = {}

    def _root(self, name):
        while self.parent.setdefault(name, name) != name:
            name = self.parent[name]
        return name

    def join(self, one, other) -> None:
        self.parent[self._root(one)] = self._root(other)

    def groups(self) -> list[list]:
        found: dict = {}
        for name in self.parent:
            found.setdefault(self._root(name), []).append(name)
        return [sorted(names, key=str) for names in found.values()]
