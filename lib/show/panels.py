"""Boxes and arrows as SVG, side by side in a wide column and one below the other in a narrow one."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from lib.show.groups import ACCENT, EDGE, INK, MUTED, SURFACE
from lib.show.marks import plain
from lib.show.svg import plot_attribute

PATH = "var(--g-all, #46535d)"
PAPER = "var(--paper, #f5f8f8)"
HEAD, GAP, LINE = 15, 20, 18  # length of an arrow's head; space between panels; from line to line
LETTER = 7.4  # width of a letter, in pixels, at the widest of the site's fonts

__all__ = ["Arrow", "Box", "Panel", "drawing"]


@dataclass(frozen=True)
class Box:
    """A box at x, y with its label, and smaller lines under it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    members: tuple[str, ...] = ()
    css: str = ""


@dataclass(frozen=True)
class Arrow:
    """An arrow of some thickness and the texts beside it, each (x, y, words, class); ``key`` names the result told."""

    start: tuple[float, float]
    end: tuple[float, float]
    thickness: float
    css: str
    texts: tuple[tuple[float, float, str, str], ...]
    key: str = ""


@dataclass(frozen=True)
class Panel:
    """One diagram under its heading; ``lift`` moves its boxes and arrows up."""

    heading: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float = 360
    height: float = 220
    footer: str = ""
    lift: float = 0.0


def drawing(
    panels: Sequence[Panel], *, name: str, title: str, alt: str, plot: Mapping | None = None
) -> dict[str, str]:
    """The panels as two inline SVGs, ``wide`` and ``narrow``; ``plot`` says which results a filter may move.

    A single panel wider than a phone turns its row of boxes into a column in the narrow one.
    """
    narrow = [_turned(panel) if panel.width > 360 else _lifted(panel) for panel in panels]
    settings = dict(name=name, title=title, alt=alt, plot=plot_attribute(plot))
    return {"wide": _svg(panels, "wide", **settings), "narrow": _svg(narrow, "narrow", **settings)}


def _svg(panels: Sequence[Panel], form: str, *, name: str, title: str, alt: str, plot: str) -> str:
    across = form == "wide"
    places, right, bottom = [], 0.0, 0.0
    for panel in panels:
        places.append((right, 0.0) if across else (0.0, bottom))
        right = right + panel.width + GAP if across else max(right, panel.width + GAP)
        bottom = max(bottom, panel.height) if across else bottom + panel.height
    body = "".join(
        f'<g transform="translate({x:g},{y:g})">{_panel(panel)}</g>'
        for panel, (x, y) in zip(panels, places, strict=True)
    )
    ids = f"{name}-{form}"
    return (
        f'<svg class="chart dots diagram {form}" viewBox="0 0 {right - GAP:g} {bottom:g}" role="img" '
        f'aria-labelledby="{ids}-t {ids}-d"{plot} xmlns="http://www.w3.org/2000/svg"><title id="{ids}-t">'
        f'{escape(plain(title))}</title><desc id="{ids}-d">{escape(alt)}</desc><g class="paths">{body}</g></svg>'
    )


def _panel(panel: Panel) -> str:
    parts = [_line(arrow) for arrow in panel.arrows]
    parts += [_box(box) for box in panel.boxes]
    for arrow in panel.arrows:
        for x, y, words, css in arrow.texts:
            lines = textwrap.wrap(words, 15) if "wrapped" in css else [words]
            parts += [
                _text(
                    x,
                    y + LINE * place,
                    text,
                    css,
                    bold="coef" in css,
                    muted="small" in css,
                    halo=True,
                    key=arrow.key,
                )
                for place, text in enumerate(lines)
            ]
    if panel.footer:
        parts.append(_text(panel.width / 2, panel.height - 8, panel.footer, "small", muted=True))
    head = _text(4, 16, panel.heading, "stage", anchor="start", bold=True) if panel.heading else ""
    body = "".join(parts)
    return head + (f'<g transform="translate(0,{-panel.lift:g})">{body}</g>' if panel.lift else body)


def _box(box: Box) -> str:
    stroke, wide = (ACCENT, 2) if box.css else (EDGE, 1.25)
    css = f"box {box.css}".strip()
    letters = int((box.width - 10) / LETTER)
    lines = [(text, "") for text in textwrap.wrap(box.label, letters)]
    for member in box.members:
        lines += [(text, "axis") for text in textwrap.wrap(member, letters)]
    heights, top = [], 0.0
    previous = ""
    for _, kind in lines:
        top += LINE + (8 if kind and not previous else 0)
        previous = kind
        heights.append(top)
    offset = box.y + (box.height - heights[-1]) / 2 - 5
    middle = box.x + box.width / 2
    texts = "".join(
        _text(middle, offset + height, text, kind, bold=bool(box.members) and not kind, muted=bool(kind))
        for (text, kind), height in zip(lines, heights, strict=True)
    )
    return (
        f'<rect class="{css}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="3" '
        f'fill="{PAPER}" stroke="{stroke}" stroke-width="{wide}"/>{texts}'
    )


def _line(arrow: Arrow) -> str:
    (x1, y1), (x2, y2) = arrow.start, arrow.end
    length = math.hypot(x2 - x1, y2 - y1)
    to_x, to_y = (x2 - x1) / length, (y2 - y1) / length
    head = min(HEAD, 0.6 * length)
    stop = (x2 - to_x * (head - 2), y2 - to_y * (head - 2))
    colour = ACCENT if arrow.css else PATH
    half = max(6.0, arrow.thickness * 0.9 + 3)
    angle = math.degrees(math.atan2(to_y, to_x))
    css = f" {arrow.css}" if arrow.css else ""
    return (
        f'<line class="path{css}"{_keyed(arrow.key)} x1="{x1:g}" y1="{y1:g}" x2="{stop[0]:.1f}" y2="{stop[1]:.1f}" '
        f'stroke="{colour}" stroke-width="{arrow.thickness:.1f}"/><path class="head{css}" fill="{colour}" '
        f'transform="translate({x2:g} {y2:g}) rotate({angle:.1f})" d="M0 0L{-head:.1f} {-half:.1f}V{half:.1f}z"/>'
    )


def _text(
    x: float, y: float, words: str, css: str, *, anchor: str = "middle", bold: bool = False, muted: bool = False,
    halo: bool = False, key: str = "",
) -> str:  # fmt: skip
    look = f' font-weight="{650 if bold else 400}"' + (
        f' stroke="{SURFACE}" stroke-width="6" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    )
    return (
        f'<text class={quoteattr(css or "words")}{_keyed(key)} x="{x:g}" y="{y:g}" text-anchor="{anchor}" '
        f'font-size="{13 if muted else 14}" fill="{MUTED if muted else INK}"{look}>{escape(words)}</text>'
    )


def _keyed(key: str) -> str:
    return f" data-key={quoteattr(key)}" if key else ""


def _lifted(panel: Panel) -> Panel:
    """Without the empty space that keeps the panels of a wide drawing level."""
    lift = max(0.0, min(box.y for box in panel.boxes) - 50)
    return replace(panel, lift=lift, height=panel.height - lift)


def _turned(panel: Panel) -> Panel:
    """A row of boxes as a column, arrows pointing down."""
    width, gap = 300.0, 34.0
    boxes, arrows, top = [], [], 4.0
    for place, box in enumerate(panel.boxes):
        height = 24.0 + LINE * (1 + len(box.members)) + (8 if box.members else 0)
        boxes.append(Box(20, top, width, height, box.label, box.members, box.css))
        if place < len(panel.boxes) - 1:
            ends = (20 + width / 2, top + height + 1), (20 + width / 2, top + height + gap - 1)
            arrows.append(Arrow(*ends, panel.arrows[place].thickness, panel.arrows[place].css, ()))
        top += height + gap
    bottom = top - gap + (32 if panel.footer else 6)
    return Panel(panel.heading, tuple(boxes), tuple(arrows), 340, bottom, panel.footer)
