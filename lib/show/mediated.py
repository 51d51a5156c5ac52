"""The parts of a before-and-after figure: which rows make a line, how it is drawn, said and tabled.

c is the path before the mediator, c′ the direct path after it, a and b the paths into and out of the
mediator (Hayes, 2022, ch. 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.analysis.estimates import mediator_of
from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.drawing import NAMES, begin, finish, forms
from lib.show.groups import EDGE, group_key
from lib.show.layout import Axis, Form, Line, lines_of, place
from lib.show.marks import plain
from lib.show.markup import Cell, estimate_cell, html_table, text_cell, value_cell
from lib.show.markup import Line as TableLine
from lib.show.plate import Series, shown_text
from lib.show.prose import Phrase
from lib.show.published import printed_text
from lib.show.words import estimate_text, is_shown, reason

HEADS = {
    "before": "Before, c", "a": "a", "b": "b", "direct": "After, c′", "indirect": "Indirect, ab", "total": "Total",
    "share_explained": "Share of the total",
}  # fmt: skip
SAID = {
    "before": "before", "a": "a", "b": "b", "direct": "after", "indirect": "indirect", "total": "total",
    "share_explained": "share of the total",
}  # fmt: skip
COMPARED = ("before", "direct", "indirect", "share_explained")

__all__ = ["Mediated", "mediated_alt", "mediated_lines", "mediated_specs", "mediated_table", "quantities"]


@dataclass(frozen=True)
class Mediated:
    """Lines of a before-and-after figure; ``rows`` holds every quantity by (key of the line, group)."""

    heading: str
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    rows: dict[tuple[str, str], dict[str, ReleasedRow]]

    @property
    def drawn(self) -> list[ReleasedRow]:
        """Rows that have a mark in the figure."""
        return [row for line in (*self.before, *self.after) for row in line.rows if row is not None]

    def printed(self, printed: Mapping[str, float]) -> dict[str, float]:
        """Printed values of the paths before."""
        ids = {row.row_id for line in self.before for row in line.rows if row is not None}
        return {row_id: value for row_id, value in printed.items() if row_id in ids}


def mediated_lines(series: Series) -> Mediated:
    """Sort mediation rows into lines: by outcome, or by mediator where there is one outcome and several of these.

    Raises
    ------
    ShowError
        If a path before or after is missing, or the rows hold several mediators of several outcomes.
    """
    outcomes = {row.term for row in series.rows}
    mediators = {mediator_of(row.model) for row in series.rows}
    if len(outcomes) > 1 and len(mediators) > 1:
        raise ShowError(
            f"before_after was given {len(mediators)} mediators of {len(outcomes)} outcomes; "
            "choose one mediator with .where(model=...), or one outcome with .where(term=...)"
        )
    by_mediator = len(mediators) > 1

    def key(row: ReleasedRow) -> str:
        return mediator_of(row.model) if by_mediator else row.term

    rows: dict[tuple[str, str], dict[str, ReleasedRow]] = {}
    for row in series.rows:
        rows.setdefault((key(row), group_key(row)), {})[row.contrast] = row
    for quantity in ("before", "direct"):
        missing = sum(quantity not in found for found in rows.values())
        if missing:
            raise ShowError(
                f"{missing} of {len(rows)} lines have no row with contrast {quantity!r}; give all contrasts"
            )
    drawn = {
        quantity: tuple(lines_of([found[quantity] for found in rows.values()], series.keys, key=key))
        for quantity in ("before", "direct")
    }
    return Mediated("Mediator" if by_mediator else "Outcome", drawn["before"], drawn["direct"], rows)


def mediated_specs(found: Mediated, series: Series, axis: Axis, printed: dict, alt: str) -> dict:
    """Both drawings: the hollow mark before, the filled one after, a thin line from one to the other."""
    return {
        form.name: _spec(form, found, series, axis, printed, alt)
        for form in forms(len(series.keys), long_values=True)
    }


def _spec(form: Form, found: Mediated, series: Series, axis: Axis, printed: dict, alt: str) -> dict:
    drawn = found.printed(printed)
    placed = place(found.before, form, printed=bool(drawn))
    scene = begin(form, axis, placed)
    after = {rows["before"].row_id: rows["direct"] for rows in found.rows.values()}
    for group, style in enumerate(series.styles):
        name = NAMES[group]
        pairs = [  # the reason of a hidden value takes the place of both marks, which it would cover
            {"y": heights[group], "before": row.estimate, "after": then.estimate}
            for line, heights in placed.rows
            if (row := line.rows[group]) is not None and is_shown(row) and is_shown(then := after[row.row_id])
        ]
        scene.data[name] = pairs
        scene.lines(f"span_{name}", "span", name, "before", "after", colour=EDGE, width=2)
        scene.hollow(f"before_{name}", name, style, field="before")
        scene.filled(f"after_{name}", name, style, field="after")

    def both(row: ReleasedRow) -> str:
        return f"{estimate_text(row)} to {estimate_text(after[row.row_id])}"

    def why(row: ReleasedRow) -> str:
        return next((reason(one) for one in (row, after[row.row_id]) if not is_shown(one)), "")

    finish(scene, placed, series.styles, drawn, texts=(both, both), why=why)
    return scene.spec(alt)


def quantities(found: Mediated) -> list[str]:
    """Contrasts that the rows hold, in the order of the table."""
    return [name for name in HEADS if any(name in rows for rows in found.rows.values())]


def mediated_table(found: Mediated, series: Series, printed: dict) -> str:
    """Every quantity with its interval and, where there is one, the printed value."""
    several = len(series.keys) > 1
    names = quantities(found)
    head = [(found.heading, False)] + ([("Group", False)] if several else [])
    head += [(HEADS[name], True) for name in names] + [("n", True)]
    body = []
    for line in found.before:
        for key, group in zip(series.keys, series.labels, strict=True):
            rows = found.rows.get((line.term, key))
            if rows is None:
                continue
            cells = [text_cell(group)] if several else []
            cells += [_cell(rows.get(name), printed) for name in names]
            body.append(
                TableLine(line.label, (*cells, value_cell(rows["direct"], "n")), section=line.section)
            )
    return html_table(head, body, caption="The figure's data")


def mediated_alt(
    title: Phrase, series: Series, found: Mediated, printed: dict, *, names: Sequence[str] = COMPARED
) -> str:
    """The figure in words: for every line the values named, by default before, after, indirect path and share."""
    parts = [plain(title.markdown).rstrip(".") + "."]
    for key, group in zip(series.keys, series.labels, strict=True):
        said = []
        for line in found.before:
            rows = found.rows.get((line.term, key), {})
            values = [shown_text(rows[name], printed, SAID[name]) for name in names if name in rows]
            said.append(f"{line.label}: {', '.join(values)}")
        parts.append(f"{group}: {'; '.join(said)}.")
    return " ".join(parts)


def _cell(row: ReleasedRow | None, printed: dict) -> Cell:
    if row is None:
        return text_cell("not computed")
    return estimate_cell(row, interval=True, anchor=True, printed=printed_text(row, printed))
