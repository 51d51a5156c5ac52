"""Figures of released rows: estimates with intervals, before and after, percentages.

One mark language for all: an open diamond is a value printed in 2018, a filled mark one computed now,
a line its interval; a group is told apart by colour and shape together.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lib.disclosure.gate import Released
from lib.show.frame import interval_name
from lib.show.groups import MUTED
from lib.show.layout import NARROW, WIDE, Axis, Form, Line, Placed, axis_for, lines_of, place
from lib.show.marks import row_anchor
from lib.show.markup import Cell, html_table, text_cell, value_cell
from lib.show.markup import Line as TableLine
from lib.show.plate import Series, alt_text, emit_figure, key_item, printed_item, series_of
from lib.show.prose import Phrase, words_of
from lib.show.published import printed_values
from lib.show.scene import Scene
from lib.show.words import estimate_text, is_shown, number, reason, value_text

DIAMOND_BELOW = 12
VALUE_LETTERS = 7

__all__ = ["dot_interval"]


def dot_interval(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    published: Mapping[str, float] | pd.DataFrame | None = None,
    compare: Released | None = None,
    domain: tuple[float, float] | None = None,
    conf_level: float | None = None,
) -> None:
    """Estimates as marks with their intervals as lines, one line for each term.

    Parameters
    ----------
    released : Released
        One row for each term and group; at most two groups, with those of ``compare``.
    title, caption : Phrase or str
        The finding in words; what is plotted. Unit, population and n are added from the rows.
    label, exhibit : str, int
        Anchor ``fig-...`` and the study's exhibit number; one of the two.
    published : mapping or DataFrame, optional
        Values printed in 2018 (``study.published``, or values by term), drawn as open diamonds.
    compare : Released, optional
        Rows of a second population.
    domain : (low, high), optional
        Ends of the axis; without it the axis holds zero and every interval.
    conf_level : float, optional
        Coverage of the intervals, for the words around the figure.

    Raises
    ------
    ShowError
        If something did not pass the gate, or two rows claim one mark.
    """
    series = series_of("dot_interval", released, compare)
    printed = printed_values(published, series.rows, exhibit=exhibit)
    lines = lines_of(series.rows, series.keys)
    axis = axis_for(lines, domain=domain, others=printed.values())
    alt = alt_text(words_of(title), series, printed)
    specs = {form.name: _dots(form, axis, lines, series, printed, alt) for form in (WIDE, NARROW)}
    key = [
        key_item(style, name, interval=True) for style, name in zip(series.styles, series.labels, strict=True)
    ]
    key += [printed_item()] if printed else []
    key.append(key_item(None, f"line: {interval_name(conf_level).lower()}"))
    emit_figure(
        series, specs, title=title, caption=caption, label=label, exhibit=exhibit, alt=alt, key=key,
        table=data_table(lines, series, printed, conf_level=conf_level), conf_level=conf_level,
    )  # fmt: skip


def _dots(form: Form, axis: Axis, lines: list[Line], series: Series, printed: dict, alt: str) -> dict:
    placed = place(lines, form, printed=bool(printed), reserved=VALUE_LETTERS * len(series.keys))
    scene = begin(form, axis, placed)
    for place_in, style in enumerate(series.styles):
        name = "ab"[place_in]
        scene.data[name] = [
            {"y": heights[place_in], "x": row.estimate, "low": row.conf_low, "high": row.conf_high}
            for line, heights in placed.rows
            if (row := line.rows[place_in]) is not None and is_shown(row)
        ]
        scene.data[name] = [
            {field: value for field, value in point.items() if value == value} for point in scene.data[name]
        ]
        look = {"colour": style.colour, "width": 3}
        scene.lines(f"interval_{name}", f"interval {style.css}", name, "low", "high", **look)
        scene.filled(f"mark_{name}", name, style, field="x")
    finish(scene, placed, series, printed, [value_text, estimate_text])
    return scene.spec(alt)


def begin(form: Form, axis: Axis, placed: Placed, *, suffix: str = "") -> Scene:
    """A scene with its grid, section headings and labels."""
    scene = Scene(form, axis, placed.height)
    scene.grid(bottom=placed.bottom, suffix=suffix)
    sections = [{"y": y, "text": text} for y, text in placed.sections]
    scene.texts("domain", "domain", sections, x=0, align="left", colour=MUTED, size=13, bold=True)
    labels = [{"y": y, "text": text} for y, text in placed.labels]
    scene.texts("label", "label", labels, x=0, align="left")
    return scene


def finish(scene: Scene, placed: Placed, series: Series, printed: dict, value_of: list) -> None:
    """Printed values, the values in words at the right, and the reasons of hidden ones."""
    points = [
        {"y": y + DIAMOND_BELOW, "x": printed[row.row_id]}
        for line, heights in placed.rows
        for row, y in zip(line.rows, heights, strict=True)
        if row is not None and row.row_id in printed
    ]
    if points:
        scene.printed(points)
    narrow, width = scene.form.narrow, scene.form.width
    several = len(series.keys) > 1
    for place_in, style in enumerate(series.styles):
        values = []
        for line, heights in placed.rows:
            row = line.rows[place_in]
            if row is not None and is_shown(row):
                y = heights[0] - 18 if narrow else heights[place_in] + 5
                values.append({"y": y, "text": value_of[narrow](row)})
        right = width - (len(series.keys) - 1 - place_in) * 52 if narrow else width
        css = f"value {style.css}" if several else "value"
        look = {"colour": style.colour} if several else {}
        scene.texts(f"value_{'ab'[place_in]}", css, values, x=right, align="right", **look)
    reasons = [
        {"y": heights[place_in] + 5, "text": reason(row)}
        for line, heights in placed.rows
        for place_in, row in enumerate(line.rows)
        if row is not None and not is_shown(row)
    ]
    if reasons:
        scene.texts("reason", "axis reason", reasons, x=width, align="right", colour=MUTED, size=13)


def data_table(lines: list[Line], series: Series, printed: dict, *, conf_level: float | None) -> str:
    """The figure's numbers as a table, a line for each row, with the id that numbers of the text link to."""
    several = len(series.keys) > 1
    head = [("Measure", False), ("Group", False)] if several else [("Measure", False)]
    head += [("Estimate", True), (interval_name(conf_level), True), ("p", True), ("n", True)]
    head += [("Printed 2018", True)] if printed else []
    body = []
    for line in lines:
        for row, group in zip(line.rows, series.labels, strict=True):
            if row is None:
                continue
            cells = [text_cell(group)] if several else []
            cells += [value_cell(row, what) for what in ("estimate", "interval", "p", "n")]
            if printed:
                was = printed.get(row.row_id)
                cells.append(Cell("not printed" if was is None else number(was), numeric=True))
            body.append(TableLine(line.label, tuple(cells), row_anchor(row.row_id), line.section))
    return html_table(head, body, caption="The figure's data")
