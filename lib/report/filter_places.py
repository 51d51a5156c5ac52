"""What of a page a filter moves: for each place where a row stands, the result of a view that takes its place.

A place is named by the row's anchor, or by the table and the anchor where a table sets several ways to estimate one
result side by side. What stands for it is

``"="``
    for rows that are about others than the students of the page: they stay;
``"key"``, ``"b:key"``, ``"gap:key"``
    a result of the students chosen, of those beside them, or their difference;
``{"key", "of"}``, ``{"key", "of", "less"}``
    a result of those of the students chosen who are at a level of another column, or the difference of two levels.

A row of the page's own students for which the cube holds nothing has no entry: it is not computed for others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lib.analysis.estimates import HEDGES
from lib.analysis.group_differences import DIFFERENCE, MEAN
from lib.analysis.two_one_sided import EQUIVALENCE
from lib.report.marks import published_rows
from lib.show.marks import row_anchor

SAME = "="
GIVEN = ", given "  # in the estimator of a difference with covariates held constant
NAMED = ("model", "population", "group", "contrast", "term")

__all__ = ["places"]


def places(given: dict, marks: list[dict]) -> dict[str, str | dict]:
    """What takes the place of each row of a page.

    Parameters
    ----------
    given : dict
        The filter's mark: ``cube`` and ``home``, the view that the page's own figures are.
    marks : list of dict
        All marks of the page.
    """
    page = _Page.of(given)
    found = {row_anchor(row_id): page.place(row) for row_id, row in published_rows(marks).items()}
    for mark in marks:
        named = Counter(tuple(row[name] for name in NAMED) for row in mark["rows"])
        for row in mark["rows"] if mark["kind"] == "table" else ():
            if named[tuple(row[name] for name in NAMED)] > 1:
                anchor = row_anchor(row["row_id"])
                exact = page.place(row, exact=True)
                found |= {f"{mark['label']} {anchor}": exact or ""} if exact != found[anchor] else {}
    return {anchor: place for anchor, place in found.items() if place is not None}


@dataclass(frozen=True)
class _Page:
    """Whom a page is about, and what its cube holds.

    Attributes
    ----------
    own, beside : frozenset of str
        Names of the population of the page's figures, and of that next to it.
    keys : dict
        What is known of each result, by its key.
    levels : dict
        The value of each level of each column: several levels can be one value.
    """

    own: frozenset[str]
    beside: frozenset[str]
    keys: dict[str, dict]
    levels: dict[str, dict[str, str]]

    @classmethod
    def of(cls, given: dict) -> _Page:
        content, home = given["cube"], dict(given["home"])
        level = home.pop("vs", None)
        values = {dim["name"]: dim["values"] for dim in content["dims"]}
        other = {name: level if level in values[name] else value for name, value in home.items()}
        named = content["populations"].items()
        levels = {
            name: {level: value for value in known for level in value.split("+")}
            for name, known in values.items()
        }
        return cls(
            frozenset(name for name, where in named if where == home),
            frozenset(name for name, where in named if level and where == other),
            {entry["key"]: entry for entry in content["keys"]},
            levels,
        )

    def place(self, row: dict, *, exact: bool = False) -> str | dict | None:
        """What takes a row's place; with ``exact`` only what is estimated in the same way."""
        if row["population"] not in self.own | self.beside:
            return SAME
        if not row["group"]:
            key = self._key(row, "estimator", exact)
            return key and ("" if row["population"] in self.own else "b:") + key
        if row["group"] in self.beside and row["population"] in self.own:
            key = self._key(row, "gap", exact)
            return key and f"gap:{key}"
        levels = [self._level(part) for part in row["group"].split(" & ")]
        key = self._key(row, "gap" if len(levels) > 1 else "estimator", exact)
        if key is None or None in levels or len(levels) > 2:
            return None
        return {"key": key} | dict(zip(("of", "less"), levels, strict=False))

    def _level(self, group: str) -> dict[str, str] | None:
        column, _, level = group.partition("=")
        value = self.levels.get(column, {}).get(level)
        return {column: value} if value else None

    def _key(self, row: dict, way: str, exact: bool) -> str | None:
        """The key of a row's result; ``way`` is the entry that holds the estimator of such results."""
        own = (row["model"], row["contrast"].removeprefix("difference").strip())
        for model, contrast in (own, *([] if exact else self._instead(row, own))):
            name = f"{model}|{contrast}|{row['term']}"
            known = self.keys.get(name, {})
            if f"{name}|{row['estimator']}" in self.keys:
                return f"{name}|{row['estimator']}"
            alike = known.get(way) == row["estimator"] or model != row["model"]
            if way in known and (alike or (self.beside and not exact)):
                return name
        return None

    def _instead(self, row: dict, own: tuple[str, str]) -> list[tuple[str, str]]:
        """Of which model and contrast the cube holds what a row says: adjusted means are told by level or by group,
        and are tested for equivalence in SD."""
        model, contrast = own
        base = model.removesuffix(EQUIVALENCE)
        if base != DIFFERENCE and GIVEN not in row["estimator"]:
            return []
        return [(MEAN, contrast)] if base == model else [(MEAN + EQUIVALENCE, HEDGES)]
