"""The gate: the only way from a result to something that may be shown.

``release`` applies the rules of DISCLOSURE.md to rows of the shared shape and returns
``Released``, the one type that figures, tables, sentences and downloads accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS, TEXT_COLUMNS, estimates
from lib.errors import DisclosureError, ShowError
from lib.study.codebook import Codebook
from lib.study.load import Study

COUNTED_UNITS = ("students", "teachers", "classrooms", "visits", "remarks", "focus groups", "interviews")
PERSONS = ("students", "teachers")
NUMBER_COLUMNS = tuple(column for column in ESTIMATE_COLUMNS if column not in TEXT_COLUMNS)
_KEY = object()


@dataclass(frozen=True)
class ReleasedRow:
    """One released result; every column of the row shape is an attribute."""

    values: dict
    codebook: Codebook

    def __getattr__(self, name: str):
        if name.startswith("__") or name not in self.__dict__.get("values", {}):
            raise AttributeError(name)
        return self.values[name]

    @property
    def label(self) -> str:
        """Reader's label of the row's term, from the codebook."""
        return self.codebook.label(self.values["term"])

    @property
    def shown(self) -> bool:
        """Whether the row has an estimate to show."""
        return self.values["status"] == "ok"


@dataclass(frozen=True)
class Released:
    """Result rows that passed the gate; made by ``release`` alone.

    Attributes
    ----------
    rows : DataFrame
        The shared row shape. A hidden row keeps its names and has no number.
    codebook : Codebook
        Labels of everything the rows name.
    notes : tuple of str
        Sentences a reader is owed: what was merged or hidden, and for whom.
    """

    rows: pd.DataFrame
    codebook: Codebook
    notes: tuple[str, ...] = ()
    key: object = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        if self.key is not _KEY:
            raise DisclosureError("Released rows come from lib.disclosure.gate.release(table, study) alone")

    def __iter__(self) -> Iterator[ReleasedRow]:
        for record in self.rows.to_dict("records"):
            yield ReleasedRow(values=record, codebook=self.codebook)

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, **equal) -> Released:
        """Rows whose columns equal the given values (a value, or a list of values)."""
        keep = pd.Series(True, index=self.rows.index)
        for column, value in equal.items():
            if column not in self.rows:
                raise ShowError(f"released rows have no column {column!r}; they have {', '.join(self.rows)}")
            wanted = value if isinstance(value, (list, tuple, set)) else [value]
            keep &= self.rows[column].isin(list(wanted))
        return Released(self.rows[keep].reset_index(drop=True), self.codebook, self.notes, _KEY)

    def row(self, **equal) -> ReleasedRow:
        """The one row that matches, as ``where``."""
        found = list(self.where(**equal))
        if len(found) != 1:
            asked = ", ".join(f"{column}={value!r}" for column, value in equal.items())
            raise ShowError(f"{len(found)} released rows match {asked or 'no condition'}; name exactly one")
        return found[0]


def release(table: pd.DataFrame, study: Study) -> Released:
    """Apply the disclosure rules to result rows.

    Parameters
    ----------
    table : DataFrame
        Rows of the shared shape (``lib.analysis.estimates``).
    study : Study
        Whose codebook holds the settings: k (D1) and m (D2).

    Returns
    -------
    Released
        The same rows; those that may not be shown have no number, a status and a reason (D12).
    """
    rows = estimates(table)
    settings = study.codebook.disclosure
    persons = rows["unit"].isin(PERSONS)
    shares = rows["unit"] == "percent"
    numerator = (rows["estimate"] * rows["n_obs"] / 100).round()
    few = (rows["n_obs"] < settings.k) | (persons & rows["estimate"].between(1, settings.k - 1))
    lopsided = shares & ((numerator < settings.m) | (rows["n_obs"] - numerator < settings.m))
    shown = rows["status"] == "ok"
    _hide(rows, shown & few, "too_few", f"not shown: fewer than {settings.k} students")
    _hide(rows, shown & ~few & lopsided, "hidden", "not shown to protect another group")
    rows.loc[rows["status"] != "ok", list(NUMBER_COLUMNS)] = float("nan")
    hidden = int((shown & (few | lopsided)).sum())
    notes = (f"{hidden} of {len(rows)} values are not shown.",) if hidden else ()
    return Released(rows, study.codebook, notes, _KEY)


def _hide(rows: pd.DataFrame, which: pd.Series, status: str, reason: str) -> None:
    rows.loc[which, "status"] = status
    rows.loc[which, "status_reason"] = reason
