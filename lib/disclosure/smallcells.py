"""Small numbers of persons that a page says outright: in rows, in tables, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from lib.disclosure.grids import columns_of
from lib.disclosure.leaks import Leak
from lib.disclosure.readers import Fragment
from lib.disclosure.rules import CAUTION, NUMBERS, SYNTHETIC_ONLY, few, lopsided
from lib.study.codebook import DisclosureSettings

RESULT = frozenset({"estimate", "n_obs", "status"})
WORDS_READ = ("model", "estimator", "group", "contrast", "term", "unit", "status", "status_reason")
NUMBERS_READ = ("estimate", "n_obs")
COUNT_NAME = re.compile(
    r"(?i)^(?:n|n_obs|n_students|count|number|freq|frequency"
    r"|(?:number of |n )?(?:students|pupils|teachers|respondents)(?: \(n\))?"
    r"|n \((?:students|pupils|teachers|respondents)\))$"
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
CONVERSATIONS = r"(?:pairs of )?(?:focus groups|interviews|remarks|visits|observations|classrooms)"
SENTENCES = (
    re.compile(rf"([1-9])(?<![\w.,–−/-].)(?<!Grade .)(?<!grade .) {GROUP}{PERSONS}\b"),
    re.compile(rf"[nN](?<!\w.)\s?=\s?([1-9])(?![\d.,])(?!(?: to \d+)? {CONVERSATIONS})"),
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
    if fragment.kind == "table" and not holds_results(fragment.content):
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
    for match in (match for pattern in SENTENCES for match in pattern.finditer(text)):
        value = float(match[1])
        if value >= settings.k or value in (printed or ()) or SPOKEN.search(text[: match.start()][-24:]):
            continue
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
    columns = columns_of(table)
    names = list(columns)
    counted = [name for name in names if COUNT_NAME.match(name)]
    if COUNT_CAPTION.search(caption) and not FREE.search(caption):
        counted = [name for name in names[1:] if name in counted or _whole(columns[name])]
    for name in counted:
        values = numbers(map(_before_remark, columns[name]))
        known = (
            [SYNTHETIC_ONLY in str(cell) for cell in columns[name]]
            if printed is None
            else _in(values, printed)
        )
        small = (
            (values > 0) & (values < settings.k) & (values == np.round(values)) & ~np.array(known, dtype=bool)
        )
        if small.any() and not (len(counted) == 1 and FREE.search(" ".join(map(str, columns[names[0]])))):
            yield f"{int(small.sum())} counts under {settings.k} in column {name!r}; release the table through the gate"
    for share in (name for name in names if SHARE_NAME.match(name)):
        for name in (name for name in counted if name != share):
            n, counts = numbers(columns[name]), numbers(columns[share]) / 100
            behind = np.round(n * counts)
            small = (behind < settings.m) | (n - behind < settings.m)
            if (small & np.isfinite(behind) & (n >= settings.k)).any():
                yield f"{int(small.sum())} shares stand on fewer than {settings.m} persons; code them at the ends"


def holds_results(table: pd.DataFrame) -> bool:
    """Whether a table holds rows of the shared shape."""
    return {str(name) for name in table} >= RESULT


def small_results(
    tables: Sequence[Fragment], settings: DisclosureSettings, *, printed: frozenset[float] | None
) -> Iterator[Leak]:
    """Small counts, lopsided shares and hidden numbers in tables of result rows, all tables at once."""
    rows = _together([table.content for table in tables])
    told = rows["status_reason"].str.contains(SYNTHETIC_ONLY, regex=False).to_numpy(bool)
    known = told if printed is None else _in(rows["estimate"], printed)
    shown = (rows["status"] == "ok").to_numpy() & ~known
    small = shown & few(rows, settings).to_numpy()
    ends = shown & ~small & lopsided(rows, settings).to_numpy()
    hidden = rows["status"].isin(("hidden", "too_few")).to_numpy() & rows["numbered"].to_numpy(bool)
    for place, table in enumerate(tables):
        inside = rows["table"].to_numpy() == place
        for found, words in (
            (small, f"results stand on fewer than {settings.k} persons; release them through the gate"),
            (ends, f"shares stand on fewer than {settings.m} persons; release them through the gate"),
            (hidden, "rows are called hidden and carry numbers; clear them"),
        ):
            if found[inside].any():
                yield Leak("small count", table.file, table.place, f"{int(found[inside].sum())} {words}")


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What the rules read of result rows, with the place of each row's table and whether it holds a number."""
    columns: dict[str, list] = {name: [] for name in (*WORDS_READ, *NUMBERS_READ, "table", "numbered")}
    for place, table in enumerate(tables):
        given = columns_of(table)
        blank = [""] * len(table)
        for name in WORDS_READ:
            columns[name] += ["" if one is None or one != one else str(one) for one in given.get(name, blank)]
        for name in NUMBERS_READ:
            columns[name] += numbers(given.get(name, blank)).tolist()
        figures = [numbers(given[name]) for name in NUMBERS if name in given]
        columns["numbered"] += np.isfinite(figures).any(axis=0).tolist()
        columns["table"] += [place] * len(table)
    words = {name: pd.Series(columns.pop(name), dtype=object) for name in WORDS_READ}
    return pd.DataFrame(words | columns)


def numbers(values: Iterable[object]) -> np.ndarray:
    """Numbers of a column, NaN where it holds words; thousands commas and percent signs are read."""
    return np.array(
        [_number_said(value) if type(value) is str else _number(value) for value in values], dtype=float
    )


def _whole(cells: Iterable[object]) -> bool:
    """Whether every number of a column is whole: one with a fraction holds means or shares, not counts."""
    values = numbers(map(_before_remark, cells))
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def _in(values: Iterable[float], printed: frozenset[float]) -> np.ndarray:
    return np.isin(np.asarray(values, dtype=float), list(printed))


def _before_remark(cell: object) -> object:
    """A cell without what the gate says beside its number."""
    return REMARK.split(cell)[0] if isinstance(cell, str) else cell


def _number(value: object) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


@lru_cache(maxsize=1 << 17)
def _number_said(text: str) -> float:
    try:
        return float(text.strip().translate(MARKS))
    except ValueError:
        return np.nan
