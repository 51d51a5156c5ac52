"""Words that follow the data: choices of wording, lists of terms, ranks and counts of rows.

Direction and clearness come from a row's interval: an estimate is called positive or negative only
where its interval excludes zero, and unclear everywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.marks import require_released, row_anchor
from lib.show.prose import Phrase, Words, phrase
from lib.show.words import has_interval, is_shown, number, reason, small_number

CONDITIONS = {"positive": ("positive",), "negative": ("negative",), "unclear": ("unclear",),
              "clear": ("positive", "negative")}  # fmt: skip
COUNT_FIELDS = {"": "k", "k": "k", "n": "n", "rest": "rest"}

__all__ = ["RowCount", "choose", "choose_count", "count_rows", "direction", "listing", "ranked"]


@dataclass(frozen=True)
class RowCount(Words):
    """How many of some released rows meet a condition; hidden rows are counted apart, never as misses.

    A template may say ``{it}`` or ``{it.k}``, ``{it.n}``, ``{it.rest}`` (shown rows that do not meet it),
    ``{it.k_of_n}`` and ``{it.hidden}``, each as figures or, with the format ``:words``, as "six of seven".
    """

    met: tuple[ReleasedRow, ...]
    shown: tuple[ReleasedRow, ...]
    hidden: int

    @property
    def rows(self) -> tuple[ReleasedRow, ...]:
        """Rows that were counted."""
        return self.shown

    @property
    def k(self) -> int:
        """Rows that meet the condition."""
        return len(self.met)

    @property
    def n(self) -> int:
        """Rows with an estimate."""
        return len(self.shown)

    @property
    def rest(self) -> int:
        """Rows with an estimate that do not meet the condition."""
        return self.n - self.k

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of the count as a field of a template."""
        if spec not in ("", "words"):
            raise ShowError(f"a count is written in figures or with ':words', not {spec!r}")
        if attribute == "k_of_n" and not self.n and self.hidden:
            return f"none of {self._bound(self.hidden, spec)} (not shown)"
        if attribute == "k_of_n" and spec == "words" and self.k == 0 and not self.hidden:
            return f"none of {self._bound(self.n, spec)}"
        if attribute == "k_of_n":
            text = f"{self._bound(self.k, spec)} of {self._bound(self.n, spec)}"
            return text + (f" ({self._bound(self.hidden, spec)} not shown)" if self.hidden else "")
        if attribute == "hidden":
            return self._bound(self.hidden, spec)
        if attribute not in COUNT_FIELDS:
            raise ShowError(f"a count has k, n, rest, k_of_n and hidden, not {attribute!r}")
        return self._bound(getattr(self, COUNT_FIELDS[attribute]), spec)

    def _bound(self, value: int, spec: str) -> str:
        text = small_number(value) if spec == "words" else number(value, ".0f")
        anchors = [row_anchor(row.row_id) for row in self.shown]
        inner = f'<a href="#{anchors[0]}">{text}</a>' if anchors else text
        return f'<data class="num" value="{value}" data-rows="{" ".join(anchors)}">{inner}</data>'


def direction(row: ReleasedRow) -> str:
    """``positive`` or ``negative`` where the row's interval excludes zero, else ``unclear``.

    Raises
    ------
    ShowError
        If the row is hidden: nothing may be said of its direction.
    """
    _require_row(row, "direction")
    if not is_shown(row):
        raise ShowError(f"a hidden row has no direction ({reason(row)})")
    if has_interval(row) and _side(row, row.conf_low) > 0:
        return "positive"
    return "negative" if has_interval(row) and _side(row, row.conf_high) < 0 else "unclear"


def _side(row: ReleasedRow, end: float) -> float:
    """On which side of zero an end lies; one rounded to zero keeps its side as its sign, where it may be negative."""
    return end or (0.0 if row.unit == "percent" else math.copysign(1.0, end))


def choose(row: ReleasedRow, *, positive: str, negative: str, unclear: str, **rows: object) -> Phrase:
    """The wording that fits a row's interval.

    Parameters
    ----------
    row : ReleasedRow
        The row that decides; templates may quote it as ``{row}``.
    positive, negative, unclear : str
        Templates for an interval above zero, below zero, and around it or absent.
    **rows
        Further rows that the templates quote.

    Returns
    -------
    Phrase
        The chosen words; for a hidden row its reason (rule D12).
    """
    _require_row(row, "choose")
    if not is_shown(row):
        return Phrase(f'<span class="withheld">{reason(row)}</span>', (row,))
    template = {"positive": positive, "negative": negative, "unclear": unclear}[direction(row)]
    chosen = phrase(template, row=row, **rows)
    return Phrase(chosen.markdown, tuple({one.row_id: one for one in (row, *chosen.rows)}.values()))


def choose_count(count: RowCount, *, every: str, some: str, none: str, **rows: object) -> Phrase:
    """The wording that fits a count: all shown rows meet its condition, some do, or none does.

    Templates may quote the count as ``{count}``. No row at all reads as ``none``.
    """
    if not isinstance(count, RowCount):
        raise ShowError(f"choose_count takes a count made by count_rows, not {type(count).__name__}")
    template = none if count.k == 0 else every if count.k == count.n and not count.hidden else some
    chosen = phrase(template, count=count, **rows)
    return Phrase(chosen.markdown, tuple({one.row_id: one for one in (*count.rows, *chosen.rows)}.values()))


def count_rows(released: Released, *, where: str | Callable[[ReleasedRow], bool]) -> RowCount:
    """Count the released rows that meet a condition.

    Parameters
    ----------
    released : Released
        The rows; those without an estimate are counted as hidden.
    where : str or function
        ``positive``, ``negative``, ``unclear`` or ``clear`` of zero (of the interval), or a test of one row.
    """
    rows = list(require_released(released, "count_rows"))
    if isinstance(where, str):
        if where not in CONDITIONS:
            raise ShowError(f"unknown condition {where!r}; use {', '.join(CONDITIONS)} or a test of one row")
        wanted = CONDITIONS[where]
        where = lambda row: direction(row) in wanted  # noqa: E731
    shown = tuple(row for row in rows if is_shown(row))
    return RowCount(tuple(row for row in shown if where(row)), shown, len(rows) - len(shown))


def p_below(level: float, column: str = "p_value") -> Callable[[ReleasedRow], bool]:
    """A test for ``count_rows``: the row's p-value (or its ``p_holm``, ``p_bh``) is below a level; none is not."""
    return lambda row: row.values[column] < level


def ranked(
    released: Released, *, by: str = "estimate", largest_first: bool = True
) -> tuple[ReleasedRow, ...]:
    """Shown rows in the order of a numeric column, or of ``size``, the estimate without its sign."""
    shown = [row for row in require_released(released, "ranked") if is_shown(row)]
    return tuple(
        sorted(
            shown,
            key=lambda row: abs(row.estimate) if by == "size" else row.values[by],
            reverse=largest_first,
        )
    )


def listing(rows: Released | Iterable[ReleasedRow], *, each: str = "{row.term}", last: str = "and") -> Phrase:
    """Rows in a sentence: "peer support, needs met and teacher support".

    Parameters
    ----------
    rows : Released or iterable of ReleasedRow
        In the order they are named; none gives "none".
    each : str
        Template for one row, quoted as ``{row}``.
    last : str
        The word before the last.
    """
    if isinstance(rows, Iterable):
        rows = tuple(_require_row(row, "listing") for row in rows)
    else:
        raise ShowError(f"listing names released rows, not {type(rows).__name__}")
    named = [phrase(each, row=row).markdown for row in rows]
    if not named:
        return Phrase("none")
    text = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} {last} {named[-1]}"
    return Phrase(text, rows)


def _require_row(given: object, function: str) -> ReleasedRow:
    if not isinstance(given, ReleasedRow):
        raise ShowError(f"{function} takes released rows (release(...).row(...)), not {type(given).__name__}")
    return given
