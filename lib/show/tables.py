"""Tables of released rows, and tables of the codebook's definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.absent import absent
from lib.show.frame import caption_of, given_caption, interval_name, jupyter_html, n_name, name_of, scroll
from lib.show.groups import group_key
from lib.show.marks import Mark, emit, plain, records, require_released, row_anchor
from lib.show.markup import Cell, Line, by_section, estimate_cell, html_table, text_cell, value_cell
from lib.show.prose import Phrase, words_of
from lib.show.published import printed_text, printed_values
from lib.show.words import STATISTICS, domain_label, label_of

HEADINGS = {
    "estimate": "Estimate", "interval": "Interval", "t": "t (df)", "p": "p", "p_holm": "p (Holm)",
    "p_bh": "p (BH)",
}  # fmt: skip
ROW_HEADINGS = {"term": "Measure", "population": "Students", "group": "Group", "contrast": "Contrast"}

KEYED = ("term", "population", "group")  # columns that hold keys of the codebook

__all__ = ["definitions", "table"]


def table(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    rows: str = "term",
    columns: str = "",
    show: Sequence[str] = ("estimate", "interval", "p", "n"),
    labels: Mapping[str, str] | None = None,
    heading: str = "",
    empty: str = "not computed",
    by_domain: bool = True,
    conf_level: float | None = None,
    published: Mapping | pd.DataFrame | None = None,
) -> None:
    """Display released rows as a table.

    Parameters
    ----------
    released : Released
        Rows in the order they are to be printed; none leaves a remark in the table's place.
    title, caption : Phrase or str
        The finding in words; what is tabled. Population, n and unit are added from the rows.
    label, exhibit : str, int
        Anchor ``tbl-...`` and the study's exhibit number; one of the two.
    rows : str
        Column of the row shape that names a line.
    columns : str
        Column of the row shape whose values become table columns; none gives a line for every row
        and a column for everything in ``show``.
    show : sequence of str
        ``estimate``, ``interval``, ``t``, ``p``, ``p_holm``, ``p_bh``, ``n``; with ``columns``, the estimate and maybe
        its interval,
        or ``of`` for counts that are read "three of eight".
    labels : mapping, optional
        Words for keys that the codebook does not know, such as a statistic's name.
    heading : str
        Heading of the lines; from ``rows`` where it is not given.
    empty : str
        What a cell without a row says, with ``columns``.
    by_domain : bool
        Put lines under their scale's domain where ``rows`` is ``term``.
    conf_level : float, optional
        Coverage of the intervals, for the headings.
    published : mapping or DataFrame, optional
        Values printed in 2018, as of ``dot_interval``: a column of their own, or, with ``columns``, a
        line in their cell.

    Raises
    ------
    ShowError
        If ``released`` did not pass the gate, or two rows claim one cell.
    """
    require_released(released, "table")
    chosen = tuple(released)
    if not chosen:
        absent("no result of this kind", {name_of("tbl", label, exhibit): exhibit})
        return
    printed = printed_values(published, chosen, exhibit=exhibit)
    filling = _Filling(chosen, printed, labels or {}, show, released.codebook, empty)
    heading = heading or ROW_HEADINGS.get(rows, rows.capitalize())
    head, lines = filling.wide(rows, columns) if columns else filling.long(rows, conf_level)
    if rows == "term" and by_domain:
        lines = by_section([_in_domain(line, key, released.codebook) for line, key in lines])
    else:
        lines = [line for line, _ in lines]
    _emit_table(
        html_table([(heading, False), *head], lines),
        title=words_of(title),
        caption=caption_of(given_caption(caption), chosen, conf_level=conf_level),
        label=name_of("tbl", label, exhibit),
        exhibit=exhibit,
        rows=records(chosen),
        notes=released.notes,
    )


def definitions(
    codebook: object,
    scales: str | Sequence[object],
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
) -> None:
    """Display what each scale asks, by domain, from the codebook; no data stands behind it.

    Parameters
    ----------
    codebook : Codebook
        The study's.
    scales : str or sequence of Scale
        A role (``exposure``, ``environment``, ``mindset``) or the scales themselves.
    title, caption, label, exhibit
        As of ``table``.
    """
    if not hasattr(codebook, "scales_with"):
        raise ShowError(f"definitions reads a codebook, not {type(codebook).__name__}; give study.codebook")
    chosen = codebook.scales_with(scales) if isinstance(scales, str) else tuple(scales)
    if not chosen:
        raise ShowError(f"the codebook has no scale with role {scales!r}")
    lines = [
        Line(
            scale.label,
            (text_cell(scale.definition), text_cell(str(len(scale.items)))),
            section=codebook.label(scale.domain) if scale.domain else "",
        )
        for scale in sorted(chosen, key=lambda scale: _first(chosen, scale.domain))
    ]
    _emit_table(
        html_table([("Measure", False), ("What it asks", False), ("Items", True)], lines),
        title=words_of(title),
        caption=given_caption(caption).markdown,
        label=name_of("tbl", label, exhibit),
        exhibit=exhibit,
    )


@dataclass(frozen=True)
class _Filling:
    """What the cells of a table say: rows and their printed values, words for keys, what is shown."""

    rows: tuple[ReleasedRow, ...]
    printed: Mapping[str, float]
    labels: Mapping[str, str]
    show: Sequence[str]
    codebook: object
    empty: str

    def label(self, key: str, column: str) -> str:
        """The caller's word for a key, else the codebook's."""
        return self.labels.get(key) or (
            label_of(key, self.codebook) if column in KEYED else STATISTICS.get(key, key)
        )

    def long(self, rows: str, conf_level: float | None) -> tuple[list, list]:
        """Column headings, and a line with its key for every row."""
        names = HEADINGS | {"interval": interval_name(conf_level), "n": n_name(self.rows)}
        head = [(names.get(what, what), True) for what in self.show]
        head += [("Printed 2018", True)] if self.printed else []
        several = len({group_key(row) for row in self.rows}) > 1 and rows == "term"
        lines = []
        for row in self.rows:
            cells = [text_cell(self.label(group_key(row), "group"))] if several else []
            cells += [value_cell(row, what) for what in self.show]
            if self.printed:
                cells.append(Cell(printed_text(row, self.printed) or "not printed", numeric=True))
            key = row.values[rows]
            lines.append((Line(self.label(key, rows), tuple(cells), anchor=row_anchor(row.row_id)), key))
        return ([("Group", False), *head] if several else head), lines

    def wide(self, rows: str, columns: str) -> tuple[list, list]:
        """Column headings from a column of the rows, and a line for each key."""
        keys = list(dict.fromkeys(row.values[columns] for row in self.rows))
        by_line: dict[str, dict[str, ReleasedRow]] = {}
        for row in self.rows:
            line = by_line.setdefault(row.values[rows], {})
            if row.values[columns] in line:
                raise ShowError(
                    f"two rows claim one cell of the table (by {rows} and {columns}); name what differs"
                )
            line[row.values[columns]] = row
        lines = [
            (Line(self.label(key, rows), tuple(self._cell(line.get(column)) for column in keys)), key)
            for key, line in by_line.items()
        ]
        return [(self.label(key, columns), True) for key in keys], lines

    def _cell(self, row: ReleasedRow | None) -> Cell:
        if row is None:
            return text_cell(self.empty)
        was = printed_text(row, self.printed)
        return estimate_cell(
            row, interval="interval" in self.show, anchor=True, printed=was, of="of" in self.show
        )


def _in_domain(line: Line, key: str, codebook: object) -> Line:
    return Line(line.heading, line.cells, line.anchor, domain_label(key, codebook))


def _first(scales: Sequence[object], domain: str) -> int:
    return next(place for place, scale in enumerate(scales) if scale.domain == domain)


def _emit_table(
    body: str, *, title: Phrase, caption: str, label: str, exhibit: int | None, rows=(), notes=()
) -> None:
    shown = scroll(body, plain(title.markdown))
    mark = Mark(
        kind="table", label=label, exhibit=exhibit, title=title.markdown, caption=caption, table=shown,
        rows=rows, notes=tuple(notes), alt="",
    )  # fmt: skip
    emit(mark, jupyter_html(title=title.markdown, caption=caption, body=body, notes=notes))
