"""Where the rows of a figure stand, in pixels, and how its axis is divided.

Every chart is laid out twice: wide, with labels beside the plot, and narrow, with labels above the
rows, because text that shrinks with its drawing cannot be read on a phone.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.groups import group_key
from lib.show.words import domain_label, is_shown, label_of

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500)
LINE = 17  # from one line of a wrapped label to the next

__all__ = ["Axis", "Form", "Line", "NARROW", "PAIRED", "Placed", "WIDE", "axis_for", "lines_of", "place"]


@dataclass(frozen=True)
class Form:
    """One of the two drawings: its width, where its plot begins and ends, letters in a label's line."""

    name: str
    width: int
    left: int
    right: int
    letters: int

    @property
    def narrow(self) -> bool:
        """Whether labels stand above the rows."""
        return self.name == "narrow"


WIDE = Form("wide", 700, 252, 548, 34)
NARROW = Form("narrow", 340, 8, 332, 37)
PAIRED = Form("narrow", 340, 8, 270, 42)


@dataclass(frozen=True)
class Axis:
    """A horizontal axis that holds still: its ends and the distance of its grid lines."""

    low: float
    high: float
    step: float

    def ticks(self) -> list[float]:
        """Grid lines inside the axis."""
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        return [round(place * self.step, 10) for place in range(first, last + 1)]


@dataclass(frozen=True)
class Line:
    """One line of a figure: a term, its label and section, and its row in each series (or None)."""

    term: str
    label: str
    section: str
    rows: tuple[ReleasedRow | None, ...]


@dataclass(frozen=True)
class Placed:
    """Heights of everything: sections and labels as (y, text), rows as (line, y of each series)."""

    sections: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]
    rows: tuple[tuple[Line, tuple[float, ...]], ...]
    bottom: float

    @property
    def height(self) -> float:
        """Height of the drawing, with the axis below the rows."""
        return self.bottom + 26


def lines_of(
    rows: Iterable[ReleasedRow],
    series: Sequence[str],
    *,
    key: Callable[[ReleasedRow], str] = lambda row: row.term,
) -> list[Line]:
    """Rows by term (or another key of the codebook), keys of one domain together, in their first order.

    Raises
    ------
    ShowError
        If two rows claim the same term of the same series.
    """
    found: dict[str, dict[str, ReleasedRow]] = {}
    for row in rows:
        line = found.setdefault(key(row), {})
        if group_key(row) in line:
            raise ShowError(
                "two rows stand for one mark of the figure (same term, same group); "
                "choose rows with .where(...) so that each term has one row for each group"
            )
        line[group_key(row)] = row
    lines = []
    for term, line in found.items():
        codebook = next(iter(line.values())).codebook
        ordered = tuple(line.get(key) for key in series)
        lines.append(Line(term, label_of(term, codebook), domain_label(term, codebook), ordered))
    order = list(dict.fromkeys(line.section for line in lines))
    return sorted(lines, key=lambda line: order.index(line.section))


def place(lines: Sequence[Line], form: Form, *, printed: bool, pitch: int = 22) -> Placed:
    """Give each line its height; a series without a row on a line takes no place there.

    Parameters
    ----------
    lines : sequence of Line
    form : Form
    printed : bool
        Whether diamonds of printed values stand under the marks.
    pitch : int
        Distance of two series within a line.
    """
    sections, labels, rows = [], [], []
    top, section = 4.0, None
    several = len({line.section for line in lines}) > 1
    pitch += 5 if printed else 0
    for line in lines:
        if several and line.section != section:
            section = line.section
            sections.append((top + (23 if form.narrow else 19), section))
            top += 36 if form.narrow else 30
        texts = textwrap.wrap(line.label, form.letters) or [""]
        places = [sum(row is not None for row in line.rows[:number]) for number in range(len(line.rows))]
        series = max(sum(row is not None for row in line.rows), 1)
        if form.narrow:
            first = top + LINE * len(texts) + 18
            labels += [(top + 13 + LINE * place, text) for place, text in enumerate(texts)]
            height = LINE * len(texts) + 20 + pitch * (series - 1) + (16 if printed else 6)
        else:
            height = max(40, LINE * len(texts) + 10, pitch * series + 14)
            centre = top + height / 2
            first = centre - pitch * (series - 1) / 2
            start = centre + 5 - LINE * (len(texts) - 1) / 2
            labels += [(start + LINE * place, text) for place, text in enumerate(texts)]
        rows.append((line, tuple(first + pitch * place for place in places)))
        top += height
    return Placed(tuple(sections), tuple(labels), tuple(rows), top + 4)


def axis_for(
    lines: Iterable[Line], *, domain: tuple[float, float] | None, others: Iterable[float] = ()
) -> Axis:
    """The axis given, or one that holds zero, every interval and every printed value, ending on grid lines.

    Raises
    ------
    ShowError
        If ``domain`` is not two numbers in order.
    """
    if domain is not None:
        if len(domain) != 2 or not domain[0] < domain[1]:
            raise ShowError(f"domain={domain!r} is no axis; give (low, high), low first")
        low, high = float(domain[0]), float(domain[1])
        return Axis(low, high, _step(high - low))
    values = [0.0, *others]
    for line in lines:
        for row in line.rows:
            if row is not None and is_shown(row):
                ends = (row.estimate, row.conf_low, row.conf_high)
                values += [value for value in ends if not math.isnan(value)]
    low, high = min(values), max(values)
    step = _step(max(high - low, 0.1))
    low = 0.0 if low == 0 else math.floor(low / step - 1e-9) * step
    high = 0.0 if high == 0 else math.ceil(high / step + 1e-9) * step
    return Axis(low, max(high, low + step), step)


def _step(length: float) -> float:
    return next((step for step in STEPS if length / step <= 8), length / 8)
