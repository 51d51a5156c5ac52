"""Small numbers of persons that a page says outright: in rows, in tables, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from lib.analysis.estimates import ESTIMATE_COLUMNS, TEXT_COLUMNS
from lib.disclosure.leaks import Leak
from lib.disclosure.readers import Fragment
from lib.disclosure.rules import CAUTION, SYNTHETIC_ONLY, few, lopsided
from lib.study.codebook import DisclosureSettings

COUNT_NAME = re.compile(
    r"(?i)^(?:n|n_obs|n_students|count|number|freq|frequency"
    r"|(?:number of |n )?(?:students|pupils|teachers|respondents)(?: \(n\))?)$"
)
COUNT_CAPTION = re.compile(
    r"(?i)\b(?:number|count|counts|numbers) of (?:\w+ ){0,2}(?:students|pupils|teachers|respondents)"
    r"|\b(?:students|pupils|teachers) by \w+"
)
SHARE_NAME = re.compile(r"(?i)^(?:percent|pct|share|%|percentage)$")
FREE = re.compile(r"(?i)remark|focus group|visit|interview|classroom|item|question")
REMARK = re.compile(rf"\s*(?:{CAUTION}|published: {SYNTHETIC_ONLY}|synthetic: {SYNTHETIC_ONLY})")
MARKS = str.maketrans({",": None, "%": None, "−": "-"})
TOLD = frozenset({"words", "title", "desc", "aria-label", "alt", "content", "text"})
PERSONS = r"(?:students|pupils|teachers|respondents|(?<=\b1 )(?:student|pupil|teacher|respondent))"
GROUP = r"(?:[A-Z]?[\w-]+ ){0,2}"
CONVERSATIONS = r"(?:focus groups|interviews|remarks|visits|observations|classrooms)"
SENTENCE = re.compile(
    rf"(?<![\w.,–−/-])(?<!Grade )(?<!grade )([1-9]) {GROUP}{PERSONS}\b"
    rf"|\b[nN]\s?=\s?([1-9])(?![\d.,])(?!(?: to \d+)? {CONVERSATIONS})"
)
SPOKEN = re.compile(
    r"(?i)(?:groups? of|pairs? of|teams? of|fewer than|less than|under|at least|minimum of|more than"
    r"|up to|to|–|or|every|grades?|school|exhibit|tables?|figures?|chapters?|sections?|equations?|questions?|\d)\s*$"
)


def small_cells(
    fragment: Fragment, settings: DisclosureSettings, *, printed: frozenset[float] | None
) -> Iterator[Leak]:
    """Small counts and lopsided shares in a fragment.

    ``printed`` holds values of the study's own report; without a study (None) a value counts as printed where the
    page says so beside it (D16).
    """
    if fragment.kind in ("text", "code"):
        if is_sentence(fragment):
            yield from _sentences(fragment, settings, printed)
        return
    if fragment.kind == "table":
        for message in table_counts(fragment.content, settings, caption=fragment.caption, printed=printed):
            yield Leak("small count", fragment.file, fragment.place, message)


def is_sentence(fragment: Fragment) -> bool:
    """Words that a reader sees or hears, or that a search finds."""
    told = fragment.place.rpartition(" ")[2] in TOLD or fragment.place.endswith(("<title>", "<desc>"))
    return fragment.kind == "text" and (
        told
        or fragment.place.endswith(" strings")
        and "literal" in fragment.place
        or fragment.file.endswith((".json", ".ipynb"))
    )


def _sentences(
    fragment: Fragment, settings: DisclosureSettings, printed: frozenset[float] | None
) -> Iterator[Leak]:
    text = fragment.content
    for match in SENTENCE.finditer(text):
        value = float(match[1] or match[2])
        if (
            value < settings.k
            and value not in (printed or ())
            and not SPOKEN.search(text[: match.start()][-24:])
        ):
            yield Leak(
                "small count",
                fragment.file,
                fragment.place,
                f"a sentence counts fewer than {settings.k} persons; hide the number",
            )
            return


def table_counts(
    table: pd.DataFrame,
    settings: DisclosureSettings,
    *,
    caption: str = "",
    printed: frozenset[float] | None = frozenset(),
) -> Iterator[str]:
    """What is wrong with the counts of one table."""
    names = [str(name) for name in table]
    if {"estimate", "n_obs", "status"} <= set(names):
        yield from _estimates(table, settings, printed)
        return
    counted = [name for name in names if COUNT_NAME.match(name)]
    if COUNT_CAPTION.search(caption) and not FREE.search(caption):
        counted = names[1:]
    for name in counted:
        values = numbers([_before_remark(cell) for cell in table[name]])
        known = (
            [SYNTHETIC_ONLY in str(cell) for cell in table[name]] if printed is None else _in(values, printed)
        )
        small = (
            (values > 0) & (values < settings.k) & (values == np.round(values)) & ~np.array(known, dtype=bool)
        )
        if small.any() and not (len(counted) == 1 and FREE.search(" ".join(map(str, table.iloc[:, 0])))):
            yield f"{int(small.sum())} counts under {settings.k} in column {name!r}; release the table through the gate"
    for share in (name for name in names if SHARE_NAME.match(name)):
        for name in (name for name in counted if name != share):
            n, counts = numbers(table[name]), numbers(table[share]) / 100
            behind = np.round(n * counts)
            small = (behind < settings.m) | (n - behind < settings.m)
            if (small & np.isfinite(behind) & (n >= settings.k)).any():
                yield f"{int(small.sum())} shares stand on fewer than {settings.m} persons; code them at the ends"


def _estimates(
    table: pd.DataFrame, settings: DisclosureSettings, printed: frozenset[float] | None
) -> Iterator[str]:
    rows = pd.DataFrame(index=table.index)
    for column in ESTIMATE_COLUMNS:
        given = table[column] if column in table else pd.Series("", index=table.index)
        words = column in TEXT_COLUMNS
        rows[column] = (
            ["" if one is None or one != one else str(one) for one in given] if words else numbers(given)
        )
    shown = rows["status"] == "ok"
    told = rows["status_reason"].str.contains(SYNTHETIC_ONLY, regex=False)
    known = told if printed is None else _in(rows["estimate"], printed)
    small = shown & few(rows, settings) & ~known
    if small.any():
        yield f"{int(small.sum())} results stand on fewer than {settings.k} persons; release them through the gate"
    ends = shown & ~small & lopsided(rows, settings) & ~known
    if ends.any():
        yield f"{int(ends.sum())} shares stand on fewer than {settings.m} persons; release them through the gate"
    hidden = rows["status"].isin(("hidden", "too_few"))
    told = hidden & rows[[column for column in ESTIMATE_COLUMNS if column not in TEXT_COLUMNS]].notna().any(
        axis=1
    )
    if told.any():
        yield f"{int(told.sum())} rows are called hidden and carry numbers; clear them"


def numbers(values: Iterable[object]) -> np.ndarray:
    """Numbers of a column, NaN where it holds words; thousands commas and percent signs are read."""
    return np.array([_number(value) for value in values], dtype=float)


def _in(values: Iterable[float], printed: frozenset[float]) -> np.ndarray:
    return np.isin(np.asarray(values, dtype=float), list(printed))


def _before_remark(cell: object) -> object:
    """A cell without what the gate says beside its number."""
    return REMARK.split(cell)[0] if isinstance(cell, str) else cell


def _number(value: object) -> float:
    text = value.strip().translate(MARKS) if isinstance(value, str) else value
    try:
        return float(text)
    except (TypeError, ValueError):
        return np.nan
