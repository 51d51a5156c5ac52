"""Vectors of result rows, as rules compute with them.

A selection is a vector of estimates, one element for each row. An element is *unknown* where its row is hidden or
was not estimated, and *undefined* (NaN) where the quantity does not exist, as a share of a total that may be zero.
Two vectors are paired by whatever distinguishes their elements within each, the term, say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.errors import StudyError
from lib.study.codebook import Codebook

KEYS = ("population", "group", "contrast", "model", "term")
Key = tuple[str, ...]
UNDEFINED = "inadmissible"


class CannotTell(Exception):
    """A condition has no value: no rows were found, or those that decide are hidden. Never leaves this room."""


@dataclass(frozen=True)
class Vector:
    """Numbers or truth values, one for each selected row.

    Attributes
    ----------
    values : array, n
        NaN where unknown or undefined; truth values as booleans.
    unknown : array of bool, n
    keys : tuple of tuple of str
        What distinguishes the elements, each in the order of ``KEYS``.
    ids : tuple of tuple of str
        Rows behind each element.
    rows : mapping of str to ndarray (n,), or None
        Columns of the rows themselves, for a selection that nothing was done to.
    """

    values: np.ndarray
    unknown: np.ndarray
    keys: tuple[Key, ...]
    ids: tuple[tuple[str, ...], ...]
    rows: Mapping[str, np.ndarray] | None = None

    def varying(self) -> list[str]:
        """The columns of ``KEYS`` in which the elements differ."""
        return [
            name
            for name, values in zip(KEYS, zip(*self.keys, strict=True), strict=False)
            if len(set(values)) > 1
        ]

    def column(self, name: str) -> list[str]:
        """What each element has in one of ``KEYS``."""
        place = KEYS.index(name)
        return [key[place] for key in self.keys]

    def with_values(self, values: np.ndarray) -> Vector:
        """The same elements with other values."""
        return replace(self, values=np.asarray(values), rows=None)


@dataclass
class Reduced:
    """What an evaluation saw: rows that met their conditions, rows that did not, and whether an unknown one was filled."""

    function: str = ""
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    k: int = 0
    n: int = 0
    filled: bool = False


@dataclass(frozen=True)
class Scope:
    """What the names of an expression mean.

    ``p_column`` is ``p_value``, or the corrected one; ``fill`` is what a comparison with an unknown element gives.
    """

    selections: Mapping[str, pd.DataFrame]
    thresholds: Mapping[str, float]
    codebook: Codebook
    p_column: str = "p_value"
    fill: bool = False
    reduced: Reduced = field(default_factory=Reduced)


def selection(rows: pd.DataFrame) -> Vector:
    """Rows as a vector of their estimates."""
    columns = {name: rows[name].to_numpy() for name in rows}
    shown = columns["status"] == "ok"
    return Vector(
        values=np.where(shown, columns["estimate"].astype(float), np.nan),
        unknown=~shown & (columns["status"] != UNDEFINED),
        keys=tuple(zip(*(columns[name] for name in KEYS), strict=True)),
        ids=tuple((row_id,) for row_id in columns["row_id"]),
        rows=columns,
    )


def mapped(function: Callable, value):
    if not isinstance(value, Vector):
        return function(value)
    return value.with_values(np.array([function(one) for one in value.values]))


def pairwise(function: Callable, left, right):
    """A function of two values, vectors paired by what distinguishes their elements."""
    if not isinstance(left, Vector) and not isinstance(right, Vector):
        return function(left, right)
    if not isinstance(left, Vector):
        return right.with_values(function(left, right.values))
    if not isinstance(right, Vector):
        return left.with_values(function(left.values, right))
    places = _places(left, right)
    return Vector(
        values=function(left.values[places[0]], right.values[places[1]]),
        unknown=left.unknown[places[0]] | right.unknown[places[1]],
        keys=tuple(
            left.keys[one] if len(left.ids) >= len(right.ids) else right.keys[two]
            for one, two in zip(*places, strict=True)
        ),
        ids=tuple(
            tuple(dict.fromkeys((*left.ids[one], *right.ids[two]))) for one, two in zip(*places, strict=True)
        ),
    )


def _places(left: Vector, right: Vector) -> tuple[list[int], list[int]]:
    if len(left.ids) == 1:
        return [0] * len(right.ids), list(range(len(right.ids)))
    if len(right.ids) == 1:
        return list(range(len(left.ids))), [0] * len(left.ids)
    if left.ids == right.ids:
        return list(range(len(left.ids))), list(range(len(left.ids)))
    either = {*left.varying(), *right.varying()}
    varying = [name for name in KEYS if name in either]
    mine, others = (
        list(zip(*(side.column(name) for name in varying), strict=True)) for side in (left, right)
    )
    if len(set(others)) < len(others) or len(set(mine)) < len(mine) or not set(mine) & set(others):
        raise StudyError(
            f"two selections of {len(mine)} and {len(others)} rows cannot be paired by {', '.join(varying)}"
        )
    if set(mine) != set(others):
        raise CannotTell("")
    return list(range(len(mine))), [others.index(key) for key in mine]
