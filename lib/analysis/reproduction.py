"""Printed values beside what the data give.

``reproduced.yml`` of the study folder says for each value of ``published.csv`` how it is computed, in the language of
``rules.yml``, or why no data can give it. A value is the same where it equals the printed one after rounding
as printed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from lib.analysis.findings import select
from lib.analysis.rule_language import number_of
from lib.analysis.rule_vectors import CannotTell, Scope
from lib.errors import StudyError
from lib.study.codebook import nearest
from lib.study.load import Study
from lib.study.rules import expression, resolved, selections

FILE = "reproduced.yml"


@dataclass(frozen=True)
class Reproduced:
    """One printed value and what became of it.

    Attributes
    ----------
    key : str
        Its id in ``published.csv``.
    printed : str
        As printed.
    value : float or None
        What the data give; None where they cannot.
    text : str
        The value rounded as printed, or the words for it.
    verdict : {"same", "differs", "not given"}
    reason : str
        Why it cannot be given, or the inconsistency of the report that explains a difference.
    rows : tuple of str
        Rows behind the value.
    """

    key: str
    printed: str
    value: float | None
    text: str
    verdict: str
    reason: str = ""
    rows: tuple[str, ...] = ()


def reproduce(study: Study, rows: pd.DataFrame, *, ledger: dict) -> list[Reproduced]:
    """Every value of ``published.csv`` in its order, with what the data give for it.

    Parameters
    ----------
    study : Study
        With ``published.csv``.
    rows : DataFrame
        Results of all chapters, in the shared shape.
    ledger : dict
        ``study.ledger("reproduced")``.

    Raises
    ------
    StudyError
        If a printed value is not accounted for, or an entry names what does not exist.
    """
    entries = {key: entry for entry in ledger["values"] for key in entry["ids"]}
    printed = dict(zip(study.published["id"], study.published["value"], strict=True))
    unknown = [key for key in entries if key not in printed]
    if unknown:
        raise StudyError(
            f"{FILE} names {unknown[0]!r}, which published.csv does not hold{nearest(unknown[0], printed)}"
        )
    left = [key for key in printed if key not in entries]
    if left:
        raise StudyError(
            f"{FILE} does not account for {len(left)} printed values, such as {left[0]}; say how or why not"
        )
    return [_one(key, value, entries[key], study, rows) for key, value in printed.items()]


def _one(key: str, printed: str, entry: dict, study: Study, rows: pd.DataFrame) -> Reproduced:
    if "reason" in entry:
        return Reproduced(key, printed, None, "", "not given", entry["reason"])
    where = f"{FILE}, {key}"
    if "keys" in entry:
        value, used = len(resolved(entry["keys"], study.codebook, where)), ()
    else:
        columns = selections(entry["select"], study.codebook, where)
        tree = expression(str(entry["value"]), columns, study.codebook, where)
        chosen = {name: select(rows, wanted) for name, wanted in columns.items()}
        try:
            value = number_of(tree, Scope(chosen, study.codebook.thresholds, study.codebook))
        except CannotTell as missing:
            problem = f"no result for {missing}" if str(missing) else "not shown"
            return Reproduced(key, printed, None, "", "not given", problem)
        used = tuple(row for table in chosen.values() for row in table["row_id"])
    if "says" in entry:
        text = entry["says"] if value else f"not {entry['says']}"
        return Reproduced(
            key, printed, float(value), text, "same" if text == printed else "differs", rows=used
        )
    if math.isnan(value):
        return Reproduced(key, printed, None, "", "not given", "not shown, or not expressed as a share", used)
    text = rounded_as(value, printed)
    tolerance = study.codebook.thresholds[entry["within"]] if "within" in entry else 0.0
    same = abs(value - float(printed)) <= tolerance if tolerance else float(text) == float(printed)
    reason = "printed as approximate" if tolerance else entry.get("note", "")
    return Reproduced(key, printed, float(value), text, "same" if same else "differs", reason, used)


def rounded_as(value: float, printed: str) -> str:
    """A number with as many decimals as a printed one, halves away from zero as on paper."""
    places = Decimal(1).scaleb(-len(printed.partition(".")[2]))
    nine = Decimal(repr(round(float(value), 9)))  # so that 0.285 stored as 0.28499999 rounds as 0.285
    return str(nine.quantize(places, rounding=ROUND_HALF_UP))
