"""A figure of what a cube shows, for where no chapter has drawn one: axis and labels, which the filter's script fills."""

from __future__ import annotations

import html
import json

from lib.show.layout import WIDE, Axis, axis_for

MOST = 20
TOP, PITCH = 8, 44

__all__ = ["figure_html"]


def figure_html(content: dict) -> str:
    """The figure as HTML with an empty drawing; every label is escaped.

    Parameters
    ----------
    content : dict
        As of ``lib.show.cube_code.encoded``; the results of the first unit are drawn, those without a contrast.
    """
    unit = content["keys"][0]["unit"] if content["keys"] else ""
    chosen = [
        place
        for place, entry in enumerate(content["keys"])
        if entry["unit"] == unit and entry["key"].split("|")[1] == ""
    ][:MOST]
    if not chosen:
        return ""
    axis, bottom = _axis(content, chosen), TOP + PITCH * len(chosen)
    scale = (WIDE.right - WIDE.left) / (axis.high - axis.low)
    parts = []
    for tick in axis.ticks():
        x, css = WIDE.left + scale * (tick - axis.low), "zero" if tick == 0 else "grid"
        parts.append(
            f'<line class="{css}" x1="{x:g}" x2="{x:g}" y1="4" y2="{bottom}" stroke="var(--edge, #71808a)"/>'
        )
        parts.append(
            f'<text class="axis" x="{x:g}" y="{bottom + 18}" text-anchor="middle" font-size="13">{tick:g}</text>'
        )
    lines = []
    for number, place in enumerate(chosen):
        entry, y = content["keys"][place], TOP + PITCH * number + PITCH / 2
        parts.append(
            f'<text class="label" x="0" y="{y + 5:g}" font-size="14">{html.escape(entry["label"], quote=False)}</text>'
        )
        lines.append([entry["label"], [y], entry["key"]])
    plot = {
        "kind": "dots", "x": [axis.low, axis.high, WIDE.left, WIDE.right], "width": WIDE.width, "bottom": bottom,
        "lines": lines,
    }  # fmt: skip
    told = html.escape(json.dumps(plot, ensure_ascii=False, separators=(",", ":")))
    return (
        '<figure class="drawn"><figcaption><strong></strong></figcaption><ul class="key"></ul>'
        f'<svg class="chart wide" viewBox="0 0 {WIDE.width} {bottom + 26}" role="img" aria-labelledby="lwo-t lwo-d" '
        f'data-plot="{told}"><title id="lwo-t"></title><desc id="lwo-d"></desc>{"".join(parts)}</svg></figure>'
    )


def _axis(content: dict, chosen: list[int]) -> Axis:
    """An axis that holds zero and every estimate, and most intervals: those of few students leave it."""
    values = [0.0]
    for own in content["own"]:
        width = len(own["keys"])
        for place in set(chosen) & set(own["keys"]):
            across = own["keys"].index(place)
            values += [one / 1000 for one in own["estimate"][across::width] if one is not None]
    return axis_for([], domain=None, others=values)
