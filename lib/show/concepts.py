"""A concept drawn as a middle box with its parts around it; no data stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

from lib.errors import ShowError
from lib.show.frame import given_caption, jupyter_html, name_of
from lib.show.marks import Mark, emit, plain
from lib.show.panels import Arrow, Box, Panel, drawing
from lib.show.prose import Phrase, words_of

PARTS = 4
WIDE, NARROW = 660.0, 352.0


def concept_diagram(
    centre: str,
    parts: Sequence[str],
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
) -> None:
    """Display a concept and its four parts.

    Parameters
    ----------
    centre : str
        The concept.
    parts : sequence of four str
        What it consists of, clockwise from the upper left.
    title, caption, label, exhibit
        As of ``dot_interval``.

    Raises
    ------
    ShowError
        If there are not four parts.
    """
    if len(parts) != PARTS:
        raise ShowError(f"concept_diagram draws {PARTS} parts and was given {len(parts)}")
    words, described = words_of(title), given_caption(caption).markdown
    name = name_of("fig", label, exhibit)
    alt = f"{plain(words.markdown).rstrip('.')}. {centre}, surrounded by: {'; '.join(parts)}."
    svg = {
        form: drawing([_around(centre, parts, width)], name=name, title=words.markdown, alt=alt)[form]
        for form, width in (("wide", WIDE), ("narrow", NARROW))
    }
    mark = Mark(
        kind="diagram", label=name, exhibit=exhibit, title=words.markdown, caption=described, alt=alt, svg=svg
    )
    emit(mark, jupyter_html(title=words.markdown, caption=described, body=svg["wide"]))


def _around(centre: str, parts: Sequence[str], width: float) -> Panel:
    box, height, middle = 0.46 * width, 62.0, width / 2
    left, right, top, bottom = 2.0, width - box - 2, 4.0, 168.0
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    boxes = [Box(x, y, box, height, part) for (x, y), part in zip(corners, parts, strict=True)]
    heart = Box(middle - box / 2, 96, box, 42, centre, css="mediator")
    arrows = []
    for x, y in corners:
        at = x + box / 2
        start = middle + (at - middle) * 0.4
        above = y == top
        arrows.append(
            Arrow((start, 95 if above else 139), (at, top + height + 1 if above else bottom - 1), 2.0, "", ())
        )
    return Panel("", (*boxes, heart), tuple(arrows), width=width, height=234)
