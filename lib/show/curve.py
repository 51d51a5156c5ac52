"""Specification curves: sorted estimates with their intervals, and under each the options that led to it."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.frame import given_caption, jupyter_html, name_of, scroll
from lib.show.groups import EDGE, INK, MUTED, RULE
from lib.show.marks import Mark, emit, plain, records, require_released, row_anchor
from lib.show.markup import Line, html_table, value_cell
from lib.show.prose import Phrase, phrase, prose, words_of
from lib.show.words import is_shown, number

SPECIFICATION = "specification"
TOP, HEIGHT, PITCH = 14, 130, 15
COLOUR, FADED = "var(--g-all, #46535d)", "var(--g-white, #b5480b)"

__all__ = ["curve", "curves"]


def curves(
    released: Released,
    *,
    choices: Mapping[str, tuple[str, Mapping[str, str]]],
    claims: Mapping[str, str],
    sentence: str,
    title: str,
    caption: Phrase | str,
) -> None:
    """Display every finding: a paragraph, then its specifications, the smallest estimate first.

    Parameters
    ----------
    released : Released
        Rows of ``lib.analysis.robust_rows``.
    choices : mapping
        Label of each choice, and labels of its options, by key.
    claims : mapping
        Words of each finding, by id.
    sentence, title : str
        Templates, as of ``lib.show.prose``: ``{finding}``, ``{claim}``, the rows ``{share}``, ``{test}`` and ``{widest}``,
        and the label ``{choice}`` of the choice whose options are furthest apart.
    caption : Phrase or str
    """
    labels = {label for label, _ in choices.values()}
    for finding in dict.fromkeys(row.finding for row in require_released(released, "curves")):
        own = released.where(finding=finding)
        gaps = [row for row in own if row.contrast in labels and row.model != SPECIFICATION]
        widest = max(gaps, key=lambda row: row.estimate)
        given = {
            "finding": Phrase(finding), "claim": Phrase(claims.get(finding, "")), "share": own.row(contrast="share"),
            "test": own.row(contrast="joint test"), "widest": widest, "choice": widest.contrast.lower(),
        }  # fmt: skip
        prose(sentence, **given)
        curve(
            own, choices=choices, title=phrase(title, **given), caption=caption, label=f"fig-curve-{finding}"
        )


def curve(
    released: Released,
    *,
    choices: Mapping[str, tuple[str, Mapping[str, str]]],
    title: Phrase | str,
    caption: Phrase | str,
    label: str,
) -> None:
    """Draw one finding's specifications, the smallest estimate first.

    Parameters
    ----------
    released : Released
        Rows of ``lib.analysis.robust_rows`` of one finding.
    choices : mapping
        Label of each choice, and labels of its options, by key.
    title, caption, label
        As of ``lib.show.figures.dot_interval``.

    Raises
    ------
    ShowError
        If something did not pass the gate, or no specification has an estimate.
    """
    rows = list(require_released(released, "curve"))
    points = sorted(
        (row for row in rows if row.model == SPECIFICATION and is_shown(row)), key=lambda row: row.estimate
    )
    if not points:
        raise ShowError("a curve needs at least 1 specification with an estimate; check the finding's name")
    used = {row.contrast.partition("=")[0] for row in rows if row.model != SPECIFICATION}
    choices = {key: given for key, given in choices.items() if key in used}
    words, name = words_of(title), name_of("fig", label, None)
    alt = _alt(plain(words.markdown), points)
    svg = {form: _svg(points, choices, form, name, plain(words.markdown), alt) for form in ("wide", "narrow")}
    table = scroll(_table(rows, choices), f"Data: {plain(words.markdown)}")
    key = ('<ul class="key"><li>dot: the finding holds</li><li>cross: it does not, or only in part</li>'
           "<li>line: interval</li></ul>")  # fmt: skip
    described = given_caption(caption).markdown
    emit(
        Mark(kind="diagram", label=name, title=words.markdown, caption=described, alt=alt, rows=records(rows), svg=svg,
             key=key, table=table),
        jupyter_html(title=words.markdown, caption=described, body=key + svg["wide"] + table),
    )  # fmt: skip


def _holds(row: ReleasedRow) -> bool:
    return row.contrast.partition(": ")[2] in ("holds", "descriptive")


def _alt(title: str, points: Sequence[ReleasedRow]) -> str:
    held = sum(map(_holds, points))
    quarter = len(points) // 4
    return (
        f"{title.rstrip('.')}. A curve of {len(points)} estimates in ascending order; half of them lie between "
        f"{number(points[quarter].estimate)} and {number(points[-1 - quarter].estimate)}; the finding holds in {held}."
    )


def _svg(points: Sequence[ReleasedRow], choices: Mapping, form: str, name: str, title: str, alt: str) -> str:
    left, width = (250, 700) if form == "wide" else (36, 340)
    step = (width - left - 4) / len(points)
    step = float(int(step)) if step >= 2 else step  # whole pixels make shorter paths
    low, high = _ends(points)
    place = [round(left + 2 + step * k, 1) for k in range(len(points))]

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * HEIGHT)

    lines = "".join(
        f"M{x:g} {y(row.conf_low)}V{y(row.conf_high)}" for x, row in zip(place, points, strict=True)
    )
    dots = "".join(f"M{x:g} {y(r.estimate)}h0" for x, r in zip(place, points, strict=True) if _holds(r))
    crosses = "".join(
        f"M{x - 2:g} {y(r.estimate) - 2}l4 4m0-4l-4 4"
        for x, r in zip(place, points, strict=True)
        if not _holds(r)
    )
    body = _axis(low, high, left, width, y)
    body += f'<path class="interval" d="{lines}" stroke="{RULE}" stroke-width="1.5" fill="none"/>'
    body += f'<path class="holds" d="{dots}" stroke="{COLOUR}" stroke-width="4" stroke-linecap="round" fill="none"/>'
    body += f'<path class="other" d="{crosses}" stroke="{FADED}" stroke-width="1.5" fill="none"/>'
    bottom = TOP + HEIGHT + 14
    if form == "wide":
        panel, bottom = _panel(points, choices, place, bottom)
        body += panel
    ids = f"{name}-{form}"
    return (
        f'<svg class="chart dots diagram {form}" viewBox="0 0 {width} {bottom}" role="img" '
        f'aria-labelledby="{ids}-t {ids}-d" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{ids}-t">{escape(title)}</title><desc id="{ids}-d">{escape(alt)}'
        f"</desc>{body}</svg>"
    )


def _ends(points: Sequence[ReleasedRow]) -> tuple[float, float]:
    """Ends of the axis: zero and the intervals, those far outside the estimates cut off."""
    values = [row.estimate for row in points]
    spread = max(max(values) - min(values), 0.05)
    lows = max(min(row.conf_low for row in points), min(values) - spread)
    highs = min(max(row.conf_high for row in points), max(values) + spread)
    low, high = min(0.0, lows), max(0.0, highs)
    return math.floor(low * 20) / 20, math.ceil(high * 20) / 20


def _axis(low: float, high: float, left: float, width: float, y) -> str:
    step = next(one for one in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if (high - low) / one <= 5)
    out = ""
    for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        at = y(k * step)
        colour = EDGE if k == 0 else RULE
        text = number(k * step, ".2f" if step < 0.1 else ".1f")
        out += (
            f'<path class="{"zero" if k == 0 else "grid"}" d="M{left} {at}H{width}" stroke="{colour}"/>'
            f'<text class="axis" x="{left - 5}" y="{at + 4}" text-anchor="end" font-size="12" fill="{MUTED}">{text}</text>'
        )
    return out


def _panel(
    points: Sequence[ReleasedRow], choices: Mapping, place: Sequence[float], top: float
) -> tuple[str, float]:
    """A line for each option with a tick under every estimate that took it; options made of one pattern share a line."""
    taken = [dict(part.split(": ", 1) for part in row.estimator.split("; ")) for row in points]
    out, y = "", top
    for label, options in choices.values():
        if label not in taken[0]:
            continue
        y += 17
        out += f'<text class="domain" x="0" y="{y}" font-size="12" font-weight="650" fill="{MUTED}">{escape(label)}</text>'
        for line in dict.fromkeys(text.split(": ")[0] for text in options.values()):
            ticks = [x for x, one in zip(place, taken, strict=True) if one[label].split(": ")[0] == line]
            if not ticks:
                continue
            y += PITCH
            steps = zip(ticks[1:], ticks[:-1], strict=True)
            path = f"M{ticks[0]:g} {y - 9}v8" + "".join(f"m{x - was:g}-8v8" for x, was in steps)
            out += f'<text x="8" y="{y}" font-size="12" fill="{INK}">{escape(_short(line))}</text>'
            out += f'<path d="{path}" stroke="{COLOUR}" stroke-width="1.2"/>'
    return out, y + 6


def _short(text: str) -> str:
    return text if len(text) <= 32 else text[:31].rstrip() + "…"


def _table(rows: Sequence[ReleasedRow], choices: Mapping) -> str:
    """Share of specifications that hold with each option."""
    found = {row.contrast: row for row in rows if row.model != SPECIFICATION}
    lines = []
    for key, (label, options) in choices.items():
        for option, words in options.items():
            row = found.get(f"{key}={option}")
            if row is not None:
                cells = (value_cell(row, "estimate"), value_cell(row, "n"))
                lines.append(Line(html.unescape(words), cells, row_anchor(row.row_id), label))
    head = [("Option", False), ("Holds in, percent", True), ("Specifications", True)]
    return html_table(head, lines, caption="The figure's data")
