"""A chart's specification as inline SVG that a strict page can carry.

vl-convert draws; what it writes is then stripped to shapes and texts with CSS classes, a title, a
description and a viewBox: no style attribute, no script, no data but what is drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from lib.errors import ShowError
from lib.show.marks import plain

KEPT = (
    "d", "transform", "x", "y", "x2", "y2", "dx", "dy", "text-anchor", "font-size", "font-weight", "fill", "stroke",
    "stroke-width", "stroke-dasharray", "stroke-opacity",
)  # fmt: skip
DRAWN = ("path", "line", "rect", "text", "tspan")
LONG_DECIMAL = re.compile(r"(\d+\.\d{2})\d+")

__all__ = ["plot_attribute", "svg"]


def svg(spec: dict, *, width: str, title: str, alt: str, id: str) -> str:
    """Draw one specification.

    Parameters
    ----------
    spec : dict
        Vega-Lite, as ``mark["spec"]["wide"]``.
    width : {"wide", "narrow"}
        CSS class that tells the two drawings of a figure apart.
    title, alt : str
        The figure's title (Markdown is taken off) and its text alternative.
    id : str
        Beginning of the ids of title and description, unique on the page.

    Returns
    -------
    str
        ``<svg class="chart dots wide" viewBox=... role="img" aria-labelledby=...>``.

    Raises
    ------
    ShowError
        If Vega cannot draw the specification.
    """
    import vl_convert

    try:
        drawn = vl_convert.vegalite_to_svg(spec)
    except ValueError as error:
        raise ShowError(f"the chart {id!r} cannot be drawn: {str(error).splitlines()[0]}") from error
    root = ElementTree.fromstring(drawn)
    classes = spec.get("usermeta", {}).get("classes", {})
    body = "".join(_parts(root, "", classes))
    told = plot_attribute(spec.get("usermeta", {}).get("plot"))
    font = quoteattr(spec.get("config", {}).get("font", "sans-serif"))
    return (
        f'<svg class="chart dots {width}" viewBox="{root.get("viewBox")}" role="img" '
        f"aria-labelledby={quoteattr(f'{id}-t {id}-d')} font-family={font}{told} "
        f'xmlns="http://www.w3.org/2000/svg">'
        f"<title id={quoteattr(f'{id}-t')}>{escape(plain(title))}</title>"
        f"<desc id={quoteattr(f'{id}-d')}>{escape(alt)}</desc>{body}</svg>"
    )


def plot_attribute(plot: Mapping | None) -> str:
    """What a filter needs to draw a view on the same axis, as an attribute of the drawing; empty for nothing."""
    return (
        f" data-plot={quoteattr(json.dumps(plot, ensure_ascii=False, separators=(',', ':')))}" if plot else ""
    )


def _parts(element: ElementTree.Element, css: str, classes: dict[str, str]):
    for child in element:
        tag = child.tag.rpartition("}")[2]
        names = child.get("class", "").split()
        if "background" in names or "foreground" in names:
            continue
        if tag == "g":
            marked = next((name[: -len("_marks")] for name in names if name.endswith("_marks")), "")
            inner = "".join(_parts(child, classes.get(marked, css), classes))
            moved = child.get("transform", "translate(0,0)")
            yield inner if moved == "translate(0,0)" else f'<g transform="{_short(moved)}">{inner}</g>'
        elif tag in DRAWN:
            kept = "".join(
                f" {key}={quoteattr(_short(child.get(key)))}" for key in KEPT if child.get(key) is not None
            )
            named = f' class="{css}"' if css and tag != "tspan" else ""
            text = escape(child.text or "") + "".join(_parts(child, css, classes))
            yield f"<{tag}{named}{kept}>{text}</{tag}>" if text else f"<{tag}{named}{kept}/>"


def _short(text: str) -> str:
    return LONG_DECIMAL.sub(r"\1", text)
