"""Path diagrams: the exposure, a mediator and an outcome, with coefficients or without.

They are drawn as SVG directly: boxes and arrows are no chart. Colours are CSS classes first and
attributes second, as in every chart, so that dark mode, print and forced colours follow.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib.analysis.estimates import mediator_of
from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.frame import caption_of, given_caption, jupyter_html, name_of, scroll
from lib.show.marks import Mark, emit, plain, records, row_key
from lib.show.mediated import SAID, mediated_alt, mediated_lines, mediated_table
from lib.show.panels import Arrow, Box, Panel, drawing
from lib.show.plate import Series, series_of
from lib.show.prose import Phrase, words_of
from lib.show.words import estimate_text, interval_text, is_shown, label_of, lower_first, reason

LEFT, RIGHT, MIDDLE = (4, 150, 116, 60), (240, 150, 116, 60), (112, 30, 136, 46)
WIDEST = 8.0
SYMBOLS = {"before": "c", "direct": "c′", "a": "a", "b": "b"}

__all__ = ["path_diagram", "theory_diagram"]


def path_diagram(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    conf_level: float | None = None,
) -> None:
    """One outcome's path before the mediator, and the paths through and beside it after.

    Parameters
    ----------
    released : Released
        The contrasts of one outcome, one mediator and one population (see ``before_after``).
    title, caption, label, exhibit, conf_level
        As of ``dot_interval``; the thickness of an arrow shows the size of its path.

    Raises
    ------
    ShowError
        If something did not pass the gate, or the rows are not of one outcome, mediator and population.
    """
    series = series_of("path_diagram", released, None, most=1)
    found = mediated_lines(series)
    if len(found.rows) != 1:
        raise ShowError(
            f"path_diagram draws one outcome and was given {len(found.rows)}; choose with .where(term=...)"
        )
    rows = next(iter(found.rows.values()))
    missing = [name for name in ("a", "b") if name not in rows]
    if missing:
        raise ShowError(
            f"path_diagram needs the contrasts {', '.join(missing)}; give all rows of the mediation"
        )
    words, alt = words_of(title), mediated_alt(words_of(title), series, found, {}, names=tuple(SAID))
    name = name_of("fig", label, exhibit)
    described = caption_of(given_caption(caption), found.drawn, conf_level=conf_level)
    table = mediated_table(found, series, {})
    panels = _panels(rows, series)
    plot = {"kind": "paths", "lines": [[symbol, [], row_key(rows[name])] for name, symbol in SYMBOLS.items()]}
    svg = drawing(panels, name=name, title=words.markdown, alt=alt, plot=plot)
    mark = Mark(
        kind="diagram", label=name, exhibit=exhibit, title=words.markdown, caption=described, alt=alt,
        rows=records(series.rows), svg=svg, table=scroll(table, f"Data: {plain(words.markdown)}"), notes=series.notes,
    )  # fmt: skip
    emit(
        mark,
        jupyter_html(title=words.markdown, caption=described, body=svg["wide"] + table, notes=series.notes),
    )


def theory_diagram(
    codebook: object,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    steps: Sequence[str] = ("exposure", "environment", "mindset", "outcome"),
    through: str = "",
    moderator: str = "",
) -> None:
    """What the study expected, drawn from the codebook's roles; no data stands behind it.

    Parameters
    ----------
    codebook : Codebook
        The study's.
    title, caption, label, exhibit
        As of ``dot_interval``.
    steps : sequence of str
        Roles from left to right; each step lists its domains, or its scales where the codebook has no domains; a
        role of which the codebook has nothing is left out.
    through : str
        A role: then two panels compare a direct path to the outcomes with one that runs through this role.
    moderator : str
        A column of the codebook by whose levels the chain may differ.
    """
    if not hasattr(codebook, "scales_with"):
        raise ShowError(
            f"theory_diagram reads a codebook, not {type(codebook).__name__}; give study.codebook"
        )
    words = words_of(title)
    name = name_of("fig", label, exhibit)
    if through:
        panels, alt = _two_theories(codebook, through)
    else:
        panels, alt = _chain(codebook, steps, moderator)
    alt = f"{plain(words.markdown).rstrip('.')}. {alt}"
    svg = drawing(panels, name=name, title=words.markdown, alt=alt)
    described = given_caption(caption).markdown
    mark = Mark(
        kind="diagram", label=name, exhibit=exhibit, title=words.markdown, caption=described, alt=alt, svg=svg
    )
    emit(mark, jupyter_html(title=words.markdown, caption=described, body=svg["wide"]))


def _panels(rows: dict[str, ReleasedRow], series: Series) -> list[Panel]:
    codebook = series.codebook
    exposure = Box(*LEFT, codebook.exposure[1])
    outcome = Box(*RIGHT, label_of(rows["direct"].term, codebook))
    through = label_of(mediator_of(rows["direct"].model), codebook)
    beside = {"start": (121, 180), "end": (239, 180), "at": (180, 160), "below": (180, 202)}
    into = {"start": (70, 149), "end": (120, 77), "at": (54, 66), "below": (54, 84)}
    out_of = {"start": (240, 77), "end": (292, 149), "at": (306, 66), "below": (306, 84)}
    height = (
        220 if is_shown(rows["before"]) and is_shown(rows["direct"]) else 246
    )  # a reason takes three lines
    return [
        Panel("Before: one path", (exposure, outcome), (_arrow(rows["before"], **beside),), height=height),
        Panel(
            "After: the mediator in the model",
            (exposure, outcome, Box(*MIDDLE, through, css="mediator")),
            (
                _arrow(rows["direct"], **beside),
                _arrow(rows["a"], css="via", **into),
                _arrow(rows["b"], css="via", **out_of),
            ),
            height=height,
        ),
    ]


def _arrow(row: ReleasedRow, *, start, end, at, below, css: str = "") -> Arrow:
    symbol, key = SYMBOLS[row.contrast], row_key(row)
    if not is_shown(row):
        texts = ((*at, f"{symbol}:", "coef"), (*below, reason(row), "small wrapped"))
        return Arrow(start, end, 1.0, css, texts, key)
    interval = interval_text(row, ", ")
    texts = [
        (*at, estimate_text(row), "coef"),
        (*below, f"{symbol} [{interval}]" if interval else symbol, "small"),
    ]
    return Arrow(start, end, max(1.25, min(1.0, abs(row.estimate)) * WIDEST), css, tuple(texts), key)


def _members(codebook: object, role: str) -> tuple[str, list[str]]:
    """Heading of a role and the labels that stand under it."""
    headings = {
        "exposure": codebook.exposure[1],
        "environment": "Classroom experience",
        "mindset": "Mind-sets",
        "outcome": "Outcomes",
    }
    if role not in headings:
        raise ShowError(f"the theory has no step {role!r}; use {', '.join(headings)}")
    if role == "outcome":
        return headings[role], [codebook.label(key) for key in codebook.outcomes]
    domains = [one.label for one in codebook.domains.values() if one.role == role]
    return headings[role], domains or [scale.label for scale in codebook.scales_with(role)]


def _chain(codebook: object, steps: Sequence[str], moderator: str) -> tuple[list[Panel], str]:
    parts = [
        (heading, members) for heading, members in (_members(codebook, role) for role in steps) if members
    ]
    width, gap = 150, 33
    boxes = [
        Box(
            place * (width + gap),
            20,
            width,
            170,
            heading,
            tuple(members),
            css="mediator" if 0 < place < len(parts) - 1 else "",
        )
        for place, (heading, members) in enumerate(parts)
    ]
    arrows = [
        Arrow((box.x + width + 1, 105), (box.x + width + gap - 1, 105), 3.0, "", ()) for box in boxes[:-1]
    ]
    said = ", then ".join(f"{heading} ({', '.join(members)})" for heading, members in parts)
    footer = f"May differ by {lower_first(codebook.label(moderator), codebook)}" if moderator else ""
    panel = Panel(
        "",
        tuple(boxes),
        tuple(arrows),
        width=len(parts) * (width + gap) - gap,
        height=224 if footer else 198,
        footer=footer,
    )
    return [panel], f"{said}. {footer}." if footer else f"{said}."


def _two_theories(codebook: object, through: str) -> tuple[list[Panel], str]:
    exposure, outcome = Box(*LEFT, codebook.exposure[1]), Box(*RIGHT, "Outcomes")
    heading, _ = _members(codebook, through)
    middle = Box(*MIDDLE, heading, css="mediator")
    thick, thin = 5.0, 1.5
    into, out_of, beside = ((70, 149), (120, 77)), ((240, 77), (292, 149)), ((121, 180), (239, 180))
    direct = (Arrow(*into, thick, "via", ()), Arrow(*beside, thick, "", ()))
    dependent = (
        Arrow(*into, thick, "via", ()),
        Arrow(*out_of, thick, "via", ()),
        Arrow(*beside, thin, "", ()),
    )
    panels = [
        Panel("a. A direct link", (exposure, outcome, middle), direct),
        Panel("b. A link through the classroom", (exposure, outcome, middle), dependent),
    ]
    start = codebook.exposure[1]
    alt = (
        f"First panel: {start} is linked to {heading} and, apart from it, to outcomes. Second panel: {start} is linked "
        f"to {heading} and this to outcomes by thick arrows; the direct arrow to outcomes is thin."
    )
    return panels, alt
