"""The gate: the only way from a result to something that may be shown.

``release`` applies the rules of DISCLOSURE.md to rows of the shared shape and returns
``Released``, the one type that figures, tables, sentences and downloads accept. What was released
lies in a register of this module and not in the objects handed out, so that no copy, subclass or
altered object can carry other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import NoReturn
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS, estimates
from lib.disclosure.merging import small_groups_together
from lib.disclosure.notes import HIDDEN, table_notes
from lib.disclosure.prior import PUBLISHED, printed_rows
from lib.disclosure.refusal import refused, with_one_more
from lib.disclosure.rules import (
    CAUTION,
    COUNTED_UNITS,
    NUMBERS,
    PERSONS,
    PROTECTS,
    SYNTHETIC_ONLY,
    caution_words,
    is_free_count,
    is_person_count,
    rounded,
    too_few_words,
    units_behind,
)
from lib.errors import DisclosureError, ShowError
from lib.study.codebook import Codebook
from lib.study.load import Study

__all__ = [
    "COUNTED_UNITS",
    "HIDDEN",
    "NUMBER_COLUMNS",
    "PERSONS",
    "Quoted",
    "Released",
    "ReleasedRow",
    "release",
]

NUMBER_COLUMNS = NUMBERS
NOT_ESTIMATED = "not estimated: too few students"
_register: WeakKeyDictionary = WeakKeyDictionary()


class _Sealed:
    """An object whose content is held by the gate; it cannot be made, altered, copied or stored elsewhere."""

    __slots__ = ("__weakref__",)

    def __init__(self, *_, **__):
        raise DisclosureError("released rows come from lib.disclosure.gate.release(table, study) alone")

    def __init_subclass__(cls, **_):
        if cls.__module__ != __name__:
            raise DisclosureError(
                "released rows have no subclass; pass results through lib.disclosure.gate.release"
            )

    @classmethod
    def _of(cls, *held):
        sealed = object.__new__(cls)
        _register[sealed] = held
        return sealed

    def _held(self):
        if self not in _register:
            raise DisclosureError("these rows did not pass lib.disclosure.gate.release(table, study)")
        return _register[self]

    def __copy__(self):
        return self

    def __deepcopy__(self, _):
        return self

    def __reduce_ex__(self, _) -> NoReturn:
        raise DisclosureError("released rows cannot be stored; store the results and release them again")


class ReleasedRow(_Sealed):
    """One released result; every column of the row shape is an attribute.

    Made by ``Released.row`` and by iteration alone.
    """

    __slots__ = ()

    @property
    def values(self) -> dict:
        """The row's columns and what they hold (a copy)."""
        return dict(self._held()[0])

    @property
    def codebook(self) -> Codebook:
        """Labels of everything the row names."""
        return self._held()[1]

    def __getattr__(self, name: str):
        held = self._held()[0] if not name.startswith("_") else {}
        if name not in held:
            raise AttributeError(name)
        return held[name]

    @property
    def label(self) -> str:
        """Reader's label of the row's term, from the codebook."""
        return self.codebook.label(self.term)

    @property
    def shown(self) -> bool:
        """Whether the row has an estimate to show."""
        return self.status == "ok"

    @property
    def caution(self) -> bool:
        """Whether the row is shown with the mark "interpret with caution" (D13)."""
        return self.shown and CAUTION in self.status_reason

    def __repr__(self) -> str:
        return f"ReleasedRow({self.row_id!r}, {self.status})"


class Released(_Sealed):
    """Result rows that passed the gate; made by ``release`` alone."""

    __slots__ = ()

    @property
    def rows(self) -> pd.DataFrame:
        """The shared row shape (a copy); a hidden row keeps its names and has no number."""
        return self._held()[0].copy()

    @property
    def codebook(self) -> Codebook:
        """Labels of everything the rows name."""
        return self._held()[1]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences a reader is owed: what was hidden and for whom, and what needs caution."""
        return self._held()[2]()

    def __iter__(self) -> Iterator[ReleasedRow]:
        rows, codebook, _ = self._held()
        for record in rows.to_dict("records"):
            yield ReleasedRow._of(record, codebook)

    def __len__(self) -> int:
        return len(self._held()[0])

    def __repr__(self) -> str:
        return f"Released({len(self)} rows)"

    def where(self, **equal) -> Released:
        """Rows whose columns equal the given values (a value, or a list of values)."""
        rows, codebook, notes = self._held()
        keep = pd.Series(True, index=rows.index)
        for column, value in equal.items():
            if column not in rows:
                raise ShowError(f"released rows have no column {column!r}; they have {', '.join(rows)}")
            wanted = value if isinstance(value, (list, tuple, set)) else [value]
            keep &= rows[column].isin(list(wanted))
        return Released._of(rows[keep].reset_index(drop=True), codebook, notes)

    def row(self, **equal) -> ReleasedRow:
        """The one row that matches, as ``where``."""
        found = list(self.where(**equal))
        if len(found) != 1:
            asked = ", ".join(f"{column}={value!r}" for column, value in equal.items())
            raise ShowError(f"{len(found)} released rows match {asked or 'no condition'}; name exactly one")
        return found[0]


class Quoted(_Sealed):
    """Words of a study's folder that no result stands behind; made by ``lib.disclosure.summaries`` alone."""

    __slots__ = ()

    def __iter__(self) -> Iterator[dict[str, str]]:
        return (dict(entry) for entry in self._held()[0])

    def __len__(self) -> int:
        return len(self._held()[0])

    def where(self, **equal: str) -> Quoted:
        """Entries whose keys have the given values."""
        wanted = {key: str(value) for key, value in equal.items()}
        return Quoted._of(tuple(entry for entry in self if wanted.items() <= entry.items()))


def release(table: pd.DataFrame, study: Study) -> Released:
    """Apply the disclosure rules to result rows.

    Parameters
    ----------
    table : DataFrame
        Rows of the shared shape (``lib.analysis.estimates``), recomputed or released before.
    study : Study
        Whose codebook holds the settings; its students tell whom a hidden row concerns, and its
        ``published`` figures are shown as printed where the study is synthetic (D16).

    Returns
    -------
    Released
        The same rows in the same order; those that may not be shown have no number, a status and a
        reason in words (D12). After levels that are too small a row may stand that counts them together
        (D4). Releasing the rows again changes nothing.
    """
    given = estimates(table)
    rows = given.sort_values("row_id", kind="stable").reset_index(drop=True)
    settings = study.codebook.disclosure
    printed = printed_rows(rows, study) & (rows["status"] == "ok")
    found = refused(rows, printed, study)
    order = given["row_id"].tolist()
    for row, small in small_groups_together(rows, (rows["status"] == "ok") & ~printed, study.codebook):
        rows, printed, found = with_one_more(row, rows, printed, found, study)
        if row["row_id"] in set(rows["row_id"]) - set(order):
            order.insert(max(map(order.index, small)) + 1, row["row_id"])
    lost = pd.Series(False, index=rows.index)
    if study.codebook.synthetic and (printed & (rows["estimator"] != PUBLISHED)).any():
        quoted = printed & (rows["estimator"] == PUBLISHED)
        lost = refused(rows, quoted, study)["any"] & ~found["any"]
    units = units_behind(rows)
    _hide(rows, found["few"], "too_few", units.map(lambda unit: too_few_words(settings, unit)))
    _hide(rows, found["alike"], "hidden", PROTECTS)
    _hide(rows, found["thin"], "too_few", NOT_ESTIMATED)
    _hide(rows, found["coded"] != "", "hidden", found["coded"])
    _hide(rows, found["beside"], "hidden", PROTECTS)
    rows.loc[rows["status"] != "ok", list(NUMBER_COLUMNS)] = float("nan")
    rows = _add_reason(rounded(rows, settings), lost & printed, f"published: {SYNTHETIC_ONLY}")
    rows = _add_reason(rows, lost & ~printed, f"synthetic: {SYNTHETIC_ONLY}")
    unsure = (rows["n_obs"] < settings.caution_n) & ~is_free_count(rows) & ~is_person_count(rows)
    rows = _add_reason(rows, unsure, units.map(lambda unit: caution_words(settings, unit)))
    ordered = rows.set_index("row_id").loc[order].reset_index()
    notes = cache(partial(table_notes, rows, study))  # few of those who release a table print its notes
    return Released._of(ordered[list(ESTIMATE_COLUMNS)], study.codebook, notes)


def _hide(rows: pd.DataFrame, which: pd.Series, status: str, reason: str | pd.Series) -> None:
    rows.loc[which, "status"] = status
    rows.loc[which, "status_reason"] = reason if isinstance(reason, str) else reason[which]


def _add_reason(rows: pd.DataFrame, which: pd.Series, words: str | pd.Series) -> pd.DataFrame:
    """Say something of shown rows beside what is said of them already."""
    words = words if isinstance(words, pd.Series) else pd.Series(words, index=rows.index)
    before = rows["status_reason"]
    told = [new in old for new, old in zip(words, before, strict=True)]
    which = which & (rows["status"] == "ok") & ~np.array(told, dtype=bool)
    rows.loc[which, "status_reason"] = before.where(before == "", before + "; ")[which] + words[which]
    return rows
