"""What computed sentences claim of the rows they quote, read from the words on the page alone.

This reader knows nothing of how the sentences were made. It takes a paragraph's Markdown and the rows of its mark, ties
each number to its row, splits the paragraph into clauses, and reads from the words whether a clause says that things go
together or differ, in which direction, or that they do not. Every claim is then held against the row.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALPHA = 0.05
NUMBER = re.compile(r"<data([^>]*)>(.*?)</data>", re.S)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
TOKEN = re.compile("\N{LEFT WHITE SQUARE BRACKET}(\\d+)\N{RIGHT WHITE SQUARE BRACKET}")
CLAUSE = re.compile(r"(?<=[.!?;])\s+")
NONE = re.compile(r"\b(none|no|not one|nor|nothing)\b", re.I)
DENIED = re.compile(
    r"\bno clear\b|\bnot (?:\w+ ){0,2}(?:clear|differ|found|shown|secure|agree)|\bdo not\b|\bdoes not\b|\bcannot be told\b"
    r"|\bis not clear\b|\balike as far\b|\bno \w+ was rated clearly\b|\bcannot be ruled out\b",
    re.I,
)
UP = re.compile(
    r"\brises?\b|\bhigher\b|\bcommoner\b|\bmore support\b|\bagree(?:d with)? (?:clearly )?more\b"
    r"|\brated (?:\w+ ){0,2}above\b|\bclearly above\b|\blies above\b",
    re.I,
)
DOWN = re.compile(r"\bfalls?\b|\blower than\b|\bclearly below\b|\blies below\b", re.I)
EITHER = re.compile(
    r"\bclear of zero\b|\bdiffers?\b|\brated differently\b|\bclear part\b|\bis clear\b|\bexcludes? zero\b"
    r"|\bgoes? (?:most closely )?with\b|\bclosest tie is\b|\bremains?\b",
    re.I,
)
CORRECTED = re.compile(r"\bcorrect(?:ion|ed)\b|\bHolm\b|\bremain\b", re.I)
TESTED_CONTRASTS = ("", "indirect", "before", "direct", "a", "b", "total", "hedges_g", "by subject")
TESTED_MODELS = ("direct", "association", "paired difference", "mediation by", "group difference")


@dataclass(frozen=True)
class Number:
    """A number of a paragraph: its value, the field of its row, and the rows it stands for."""

    value: float
    field: str
    rows: tuple[dict, ...]
    counts: bool


@dataclass(frozen=True)
class Claim:
    """What a clause says of one row, or of ``k`` of several: ``up``, ``down``, ``either`` or ``none``."""

    words: str
    says: str
    k: int
    rows: tuple[dict, ...]
    corrected: bool

    @property
    def true(self) -> bool:
        """Whether as many of the rows as it says are so."""
        wanted = "either" if self.says == "none" else self.says
        met = sum(_is(row, wanted, self.corrected) for row in self.rows)
        return met == (0 if self.says == "none" else self.k)

    @property
    def claims(self) -> bool:
        """Whether it claims an association, or a difference."""
        return self.says != "none" and self.k > 0


@dataclass(frozen=True)
class Sentence:
    """A clause with its claims and the numbers that are not those of their row."""

    words: str
    claims: tuple[Claim, ...]
    wrong_numbers: tuple[str, ...]
    tested: bool


def read(markdown: str, rows: Sequence[dict]) -> list[Sentence]:
    """Clauses of a paragraph that quote rows.

    Parameters
    ----------
    markdown : str
        With a ``<data>`` element around each number.
    rows : sequence of dict
        Of the same mark.
    """
    text, numbers = _numbers(markdown, rows)
    found = []
    for clause in CLAUSE.split(text):
        quoted = [numbers[int(place)] for place in TOKEN.findall(clause)]
        if quoted:
            tested = any(is_test(row) for number in quoted for row in number.rows)
            wrong = tuple(_plain(clause, numbers) for number in quoted if not _agrees(number))
            found.append(Sentence(_plain(clause, numbers), tuple(_claims(clause, numbers)), wrong, tested))
    return found


def is_test(row: Mapping) -> bool:
    """Whether a row estimates something that is zero where things do not go together."""
    contrast, model = str(row["contrast"]), str(row["model"])
    if row["status"] != "ok" or model.endswith("equivalence"):
        return False
    known = contrast.startswith("difference") or (
        contrast in TESTED_CONTRASTS and model.startswith(TESTED_MODELS)
    )
    below = contrast.startswith("below ") and model == "paired difference"
    return (known or below) and (row["conf_low"] is not None or row["p_value"] is not None)


def _claims(clause: str, numbers: list[Number]) -> list[Claim]:
    """Claims of a clause: one for each count with its verb, else one for each row quoted as an estimate."""
    says = next(
        (name for name, words in (("down", DOWN), ("up", UP), ("either", EITHER)) if words.search(clause)), ""
    )
    places = [int(place) for place in TOKEN.findall(clause)]
    corrected, words = bool(CORRECTED.search(clause)), _plain(clause, numbers)
    counts = [place for place in places if numbers[place].counts and any(map(is_test, numbers[place].rows))]
    if counts:
        return (
            [Claim(words, says, k, rows, corrected) for k, rows in _counted(clause, counts, numbers)]
            if says
            else []
        )
    single = [
        numbers[place].rows[0]
        for place in places
        if numbers[place].field == "estimate" and numbers[place].rows
    ]
    tested = tuple({row["row_id"]: row for row in single if is_test(row)}.values())
    if not tested or not (says or DENIED.search(clause)):
        return []
    if DENIED.search(clause) or (NONE.search(clause) and not says):
        return [Claim(words, "none", 0, tested, corrected)]
    return [Claim(words, says, 1, (row,), corrected) for row in tested]


def _counted(clause: str, counts: list[int], numbers: list[Number]) -> list[tuple[int, tuple[dict, ...]]]:
    """Pairs of how many and of which rows: "two of seven", "none of seven", "all six"."""
    found, seen = [], set()
    for place in counts:
        rows = tuple(row for row in numbers[place].rows if is_test(row))
        key = tuple(row["row_id"] for row in rows)
        if key in seen:
            continue
        seen.add(key)
        before = clause[: clause.index(f"\N{LEFT WHITE SQUARE BRACKET}{place}\N{RIGHT WHITE SQUARE BRACKET}")]
        denied = re.search(r"\b(none|no|any) of (?:the )?$", before, re.I) or DENIED.search(clause)
        found.append((0 if denied else int(numbers[place].value), rows))
    return found


def _is(row: Mapping, says: str, corrected: bool) -> bool:
    p = row["p_holm"] if corrected and row["p_holm"] is not None else row["p_value"]
    low, high = row["conf_low"], row["conf_high"]
    if corrected or not low or not high:  # no interval, or an end that was rounded to zero
        clear = p is not None and p < ALPHA
        return clear and (says == "either" or (row["estimate"] > 0) == (says == "up"))
    return {"up": low > 0, "down": high < 0, "either": low > 0 or high < 0}[says]


def _agrees(number: Number) -> bool:
    """Whether a number is its row's, as far as its digits go; counts are judged with their claim."""
    if number.counts or not number.rows:
        return True
    given = number.rows[0].get(number.field)
    if not isinstance(given, (int, float)):
        return True
    digits = len(repr(abs(number.value)).partition(".")[2]) if number.value % 1 else 0
    near = 0.5 * 10**-digits + 1e-9
    return min(abs(given - number.value), abs(abs(given) - number.value)) <= max(near, abs(given) * 0.006)


def _numbers(markdown: str, rows: Sequence[dict]) -> tuple[str, list[Number]]:
    by_id = {row["row_id"]: row for row in rows}
    by_digest = {hashlib.sha1(key.encode()).hexdigest()[:8]: row for key, row in by_id.items()}
    numbers: list[Number] = []

    def take(found: re.Match) -> str:
        given = dict(ATTRIBUTE.findall(found[1]))
        anchors = given.get("data-rows", "").split()
        if anchors:
            behind = tuple(
                by_digest[one.rpartition("-")[2]] for one in anchors if one.rpartition("-")[2] in by_digest
            )
        else:
            row = by_id.get(html.unescape(given.get("data-row", "")))
            behind = (row,) if row else ()
        numbers.append(
            Number(float(given["value"]), given.get("data-field", "estimate"), behind, bool(anchors))
        )
        return f"\N{LEFT WHITE SQUARE BRACKET}{len(numbers) - 1}\N{RIGHT WHITE SQUARE BRACKET}"

    text = re.sub(r"<[^>]+>", "", NUMBER.sub(take, markdown))
    return html.unescape(text), numbers


def _plain(clause: str, numbers: list[Number]) -> str:
    return TOKEN.sub(lambda found: f"{numbers[int(found[1])].value:g}", clause)
