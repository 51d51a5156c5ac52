"""The parts that all charts share: grid and labels behind, printed values and words in front, data table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lib.disclosure.gate import ReleasedRow
from lib.show.frame import interval_name, n_name
from lib.show.groups import MUTED, GroupStyle
from lib.show.layout import NARROW, PAIRED, WIDE, Axis, Form, Line, Placed
from lib.show.marks import row_anchor, row_key
from lib.show.markup import Cell, html_table, text_cell, value_cell
from lib.show.markup import Line as TableLine
from lib.show.published import printed_text
from lib.show.scene import Scene
from lib.show.words import estimate_text, is_shown, reason, value_text

DIAMOND_BELOW = 12
NAMES = "ab"  # data sets and layers of the first and second group

__all__ = ["begin", "data_table", "finish", "forms", "plot", "points"]

ValueText = Callable[[ReleasedRow], str]


def forms(groups: int, *, long_values: bool = False) -> tuple[Form, Form]:
    """The wide and the narrow drawing; with two groups the narrow one keeps room for values beside the marks."""
    return WIDE, NARROW if groups == 1 else replace(PAIRED, right=PAIRED.right - 40 * long_values)


def begin(form: Form, axis: Axis, placed: Placed, *, suffix: str = "") -> Scene:
    """A scene with its grid, section headings and labels."""
    scene = Scene(form, axis, placed.height)
    scene.grid(bottom=placed.bottom, suffix=suffix)
    sections = [{"y": y, "text": text} for y, text in placed.sections]
    scene.texts("domain", "domain", sections, x=0, align="left", colour=MUTED, size=13, bold=True)
    labels = [{"y": y, "text": text} for y, text in placed.labels]
    scene.texts("label", "label", labels, x=0, align="left")
    return scene


def points(placed: Placed, group: int, fields: Callable[[ReleasedRow], dict]) -> list[dict]:
    """Heights of one group's shown rows, and what ``fields`` says of each."""
    return [
        {"y": heights[group]} | fields(row)
        for line, heights in placed.rows
        if (row := line.rows[group]) is not None and is_shown(row)
    ]


def finish(
    scene: Scene,
    placed: Placed,
    styles: Sequence[GroupStyle],
    printed: Mapping[str, float],
    *,
    texts: tuple[ValueText, ValueText] = (value_text, estimate_text),
    why: Callable[[ReleasedRow], str] = lambda row: "" if is_shown(row) else reason(row),
) -> None:
    """Printed values, the values in words at the right, and the reasons of hidden ones.

    Parameters
    ----------
    scene, placed, styles, printed
        What is drawn, where, how groups look, printed values by ``row_id``.
    texts : pair of functions
        Words of a shown row in the wide and in the narrow form.
    why : function
        Why a row has no value in words; empty where it has one.
    """
    scene.plot = plot(scene, placed)
    diamonds = [
        {"y": y + DIAMOND_BELOW, "x": printed[row.row_id]}
        for line, heights in placed.rows
        for row, y in zip(line.rows, heights, strict=True)
        if row is not None and row.row_id in printed
    ]
    if diamonds:
        scene.printed(diamonds)
    narrow, width, several = scene.form.narrow, scene.form.width, len(styles) > 1
    reasons = []
    for group, style in enumerate(styles):
        values = []
        for line, heights in placed.rows:
            row = line.rows[group]
            if row is None:
                continue
            said = why(row)
            if said:
                reasons.append({"y": heights[group] + 5, "text": said})
            else:
                y = heights[group] - 22 if narrow and not several else heights[group] + 5
                values.append({"y": y, "text": texts[narrow](row)})
        css, look = (f"value {style.css}", {"colour": style.colour}) if several else ("value", {})
        scene.texts(f"value_{NAMES[group]}", css, values, x=width, align="right", **look)
    if reasons:
        scene.texts("reason", "value reason", reasons, x=width, align="right", colour=MUTED, size=13)


def plot(scene: Scene, placed: Placed) -> dict:
    """Where everything stands, for a filter that draws other rows on the same axis.

    ``x`` holds both ends of the axis and their pixels, ``lines`` the label, heights and result of each line.
    """
    kind = "pair" if "before_a" in scene.classes else "bars" if "bar_a" in scene.classes else "dots"
    lines = [
        [line.label, list(heights), row_key(next(row for row in line.rows if row is not None))]
        for line, heights in placed.rows
    ]
    ends = [scene.axis.low, scene.axis.high, scene.form.left, scene.form.right]
    return {"kind": kind, "x": ends, "width": scene.form.width, "bottom": placed.bottom, "lines": lines}


def data_table(
    lines: Sequence[Line], groups: Sequence[str], printed: Mapping[str, float], *, conf_level: float | None
) -> str:
    """The figure's numbers, a table line for each row, with the id that numbers of the text link to."""
    several = len(groups) > 1
    head = [("Measure", False), ("Group", False)] if several else [("Measure", False)]
    head += [("Estimate", True), (interval_name(conf_level), True), ("p", True)]
    head += [(n_name(row for line in lines for row in line.rows if row is not None), True)]
    head += [("Printed 2018", True)] if printed else []
    body = []
    for line in lines:
        for row, group in zip(line.rows, groups, strict=True):
            if row is None:
                continue
            cells = [text_cell(group)] if several else []
            cells += [value_cell(row, what) for what in ("estimate", "interval", "p", "n")]
            if printed:
                cells.append(Cell(printed_text(row, printed) or "not printed", numeric=True))
            body.append(TableLine(line.label, tuple(cells), row_anchor(row.row_id), line.section))
    return html_table(head, body, caption="The figure's data")
