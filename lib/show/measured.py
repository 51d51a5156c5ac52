"""Figures of measurement: eigenvalues against chance, and a factor with its loadings.

Both are drawn as SVG directly, like path diagrams; colours are CSS variables, so that dark mode and print follow.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.absent import absent
from lib.show.frame import caption_of, given_caption, interval_name, jupyter_html, name_of, scroll
from lib.show.groups import ACCENT, INK, MUTED, RULE, SURFACE
from lib.show.marks import Mark, emit, plain, records, require_released
from lib.show.markup import Line, estimate_cell, html_table, value_cell
from lib.show.panels import LETTER, LINE, Arrow, Box, Panel, drawing
from lib.show.prose import Phrase, words_of
from lib.show.words import estimate_text, interval_text, is_shown, label_of, number, reason

FOUND, CHANCE = "eigenvalue ", "random "
WIDTHS = {"wide": 700, "narrow": 340}
HEIGHT, LEFT, TOP, BOTTOM = 300, 40, 16, 40
WIDEST = 7.0

__all__ = ["factor_diagram", "scree"]


def scree(released: Released, *, title: Phrase | str, caption: Phrase | str, label: str) -> None:
    """Eigenvalues in order, as found and as the 95th percentile of permuted answers.

    Parameters
    ----------
    released : Released
        Rows of ``lib.analysis.exploratory`` of one kind of correlation; without eigenvalues a remark stands in the
        figure's place.
    title, caption, label
        As of ``dot_interval``.

    Raises
    ------
    ShowError
        If something did not pass the gate, or there are eigenvalues of several kinds.
    """
    rows = list(require_released(released, "scree"))
    found, chance = (_series(rows, prefix) for prefix in (FOUND, CHANCE))
    if not found or not chance:
        absent(reason(rows[0]) if rows else "no parts to correlate", {name_of("fig", label, None): None})
        return
    if len({row.estimator for row in rows}) != 1 or len(found) < 2 or len(found) != len(chance):
        raise ShowError(
            "scree draws the eigenvalues of one kind of correlation; choose with .where(estimator=...)"
        )
    drawn = [*found, *chance]
    values = "; ".join(
        f"{place} {estimate_text(one)}, by chance {estimate_text(other)}"
        for place, (one, other) in enumerate(zip(found, chance, strict=True), start=1)
    )
    words = words_of(title)
    alt = f"{plain(words.markdown).rstrip('.')}. Eigenvalues: {values}."
    lines = [
        Line(f"Eigenvalue {place}", tuple(estimate_cell(row, interval=False, anchor=True) for row in pair))
        for place, pair in enumerate(zip(found, chance, strict=True), start=1)
    ]
    table = html_table(
        [("Place", False), ("Found", True), ("By chance", True)], lines, caption="The figure's data"
    )
    svg = {form: _scree(found, chance, form, name=label, title=words.markdown, alt=alt) for form in WIDTHS}
    _emit(released, drawn, words, caption, label, alt, svg, table, conf_level=None)


def factor_diagram(
    released: Released, *, title: Phrase | str, caption: Phrase | str, label: str, conf_level: float
) -> None:
    """The exposure as one factor, an arrow to each subscale with its standardized loading.

    Parameters
    ----------
    released : Released
        Rows of ``lib.analysis.factors.confirmatory`` with contrast ``loading``.
    title, caption, label, conf_level
        As of ``dot_interval``; the thickness of an arrow shows the size of its loading.
    """
    rows = list(require_released(released, "factor_diagram"))
    if not rows:
        absent("no model of one factor could be estimated", {name_of("fig", label, None): None})
        return
    if any(row.contrast != "loading" for row in rows):
        raise ShowError('factor_diagram draws loadings; choose rows with .where(contrast="loading")')
    codebook = released.codebook
    names = [label_of(row.term, codebook) for row in rows]
    said = [
        f"{name} {estimate_text(row)} ({interval_text(row)})" if is_shown(row) else f"{name}: {reason(row)}"
        for name, row in zip(names, rows, strict=True)
    ]
    words = words_of(title)
    alt = f"{plain(words.markdown).rstrip('.')}. Loadings on {codebook.exposure[1]}: {'; '.join(said)}."
    head = [("Measure", False), ("Loading", True), (interval_name(conf_level), True), ("n", True)]
    lines = [
        Line(
            name,
            (value_cell(row, "estimate", anchor=True), value_cell(row, "interval"), value_cell(row, "n")),
        )
        for name, row in zip(names, rows, strict=True)
    ]
    svg = {
        form: drawing(
            [_factor(rows, names, codebook.exposure[1], form)], name=label, title=words.markdown, alt=alt
        )[form]
        for form in WIDTHS
    }
    table = html_table(head, lines, caption="The figure's data")
    _emit(released, rows, words, caption, label, alt, svg, table, conf_level=conf_level)


def _emit(
    released: Released, drawn: Sequence[ReleasedRow], words: Phrase, caption: Phrase | str, label: str, alt: str,
    svg: dict, table: str, *, conf_level: float | None,
) -> None:  # fmt: skip
    described = caption_of(given_caption(caption), drawn, conf_level=conf_level)
    mark = Mark(
        kind="diagram", label=name_of("fig", label, None), title=words.markdown, caption=described, alt=alt,
        rows=records(drawn), svg=svg, table=scroll(table, f"Data: {plain(words.markdown)}"), notes=released.notes,
    )  # fmt: skip
    emit(
        mark,
        jupyter_html(title=words.markdown, caption=described, body=svg["wide"] + table, notes=released.notes),
    )


def _series(rows: Sequence[ReleasedRow], prefix: str) -> list[ReleasedRow]:
    found = [row for row in rows if row.contrast.startswith(prefix) and is_shown(row)]
    return sorted(found, key=lambda row: int(row.contrast.removeprefix(prefix)))


def _scree(found: list, chance: list, form: str, *, name: str, title: str, alt: str) -> str:
    width, most = WIDTHS[form], max(row.estimate for row in [*found, *chance])
    step = next(size for size in (0.5, 1, 2, 5, 10) if most / size <= 8)
    top = step * (int(most / step) + 1)
    across = (width - LEFT - 16) / max(len(found) - 1, 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return LEFT + 6 + place * across, HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)

    parts = []
    for tick in range(int(top / step) + 1):
        y = at(0, tick * step)[1]
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{width}" y2="{y:.1f}" stroke="{RULE}" stroke-width="1"/>'
        )
        text = number(tick * step, ".1f" if step < 1 else ".0f")
        parts.append(_text(LEFT - 8, y + 5, text, "axis", "end", MUTED))
    for place in range(len(found)):
        parts.append(_text(at(place, 0)[0], HEIGHT - BOTTOM + 20, str(place + 1), "axis", "middle", MUTED))
    for rows, css, fill, stroke, dash in (
        (chance, "m-before all", SURFACE, MUTED, "5 4"),
        (found, "m all", ACCENT, ACCENT, ""),
    ):
        places = [at(place, row.estimate) for place, row in enumerate(rows)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<polyline class="path" points="{path}" fill="none" stroke="{stroke}" stroke-width="2"{dashed}/>'
        )
        parts += [
            f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{stroke}" stroke-width="2"/>'
            for x, y in places
        ]
    last = at(0, found[0].estimate)
    parts.append(_text(last[0] + 14, last[1] + 5, "found", "label", "start", INK))
    end = at(1, max(chance[1].estimate, found[1].estimate))
    parts.append(_text(end[0], end[1] - 14, "chance (95th percentile)", "label", "start", INK))
    parts.append(_text(width, HEIGHT - 2, "Place of the eigenvalue", "axis", "end", MUTED))
    ids = f"{name}-{form}"
    return (
        f'<svg class="chart dots diagram {form}" viewBox="0 0 {width} {HEIGHT}" role="img" '
        f'aria-labelledby="{ids}-t {ids}-d" xmlns="http://www.w3.org/2000/svg"><title id="{ids}-t">'
        f'{escape(plain(title))}</title><desc id="{ids}-d">{escape(alt)}</desc>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, words: str, css: str, anchor: str, colour: str) -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="14" '
        f'fill="{colour}">{escape(words)}</text>'
    )


def _factor(rows: Sequence[ReleasedRow], names: Sequence[str], exposure: str, form: str) -> Panel:
    width, left, right = (700.0, 170.0, 330.0) if form == "wide" else (356.0, 122.0, 190.0)
    letters = int((right - 10) / LETTER)
    boxes, top = [], 4.0
    for row, name in zip(rows, names, strict=True):
        said = f"{estimate_text(row)} [{interval_text(row, ', ')}]" if is_shown(row) else reason(row)
        height = LINE * len([*textwrap.wrap(name, letters), *textwrap.wrap(said, letters)]) + 26.0
        boxes.append(Box(width - right - 2, top, right, height, name, (said,)))
        top += height + 10
    middle = (top - 10) / 2
    own = LINE * len(textwrap.wrap(exposure, int((left - 10) / LETTER))) + 30.0
    factor = Box(2, middle - own / 2, left, own, exposure, css="mediator")
    arrows = []
    for row, box in zip(rows, boxes, strict=True):
        y = box.y + box.height / 2
        thickness = max(1.25, min(1.0, abs(row.estimate)) * WIDEST) if is_shown(row) else 1.0
        start = (left + 3, middle + (y - middle) * own / (top + own))
        arrows.append(Arrow(start, (box.x - 1, y), thickness, "via", ()))
    return Panel("", (factor, *boxes), tuple(arrows), width=width, height=top)
