"""What every figure has beside its drawing: key, text alternative, data table, mark."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.frame import caption_of, given_caption, jupyter_html, name_of, scroll
from lib.show.groups import DIAMOND, INK, SURFACE, GroupStyle, group_key, group_label, group_styles
from lib.show.marks import Mark, emit, plain, records, require_released
from lib.show.prose import Phrase, words_of
from lib.show.published import printed_text
from lib.show.svg import svg
from lib.show.words import caution, estimate_text, interval_text, is_shown, reason, term_label

PRINTED = "printed in 2018"

__all__ = [
    "Series",
    "alt_text",
    "emit_figure",
    "key_item",
    "printed_item",
    "series_of",
    "shown_text",
]


@dataclass(frozen=True)
class Series:
    """The groups that a figure draws, in order, each with its label and style."""

    rows: tuple[ReleasedRow, ...]
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    styles: tuple[GroupStyle, ...]
    codebook: object
    notes: tuple[str, ...]


def series_of(function: str, released: Released, compare: Released | None, *, most: int = 2) -> Series:
    """The rows to draw and their groups.

    Raises
    ------
    ShowError
        If something did not pass the gate, there is nothing to draw, or there are more groups than a
        figure can tell apart.
    """
    require_released(released, function)
    rows, notes = list(released), list(released.notes)
    if compare is not None:
        rows += list(require_released(compare, f"compare= of {function}"))
        notes += [note for note in compare.notes if note not in notes]
    if not rows:
        raise ShowError(f"{function} was given no rows; check the condition of .where(...)")
    keys = tuple(dict.fromkeys(group_key(row) for row in rows))
    if len(keys) > most:
        raise ShowError(
            f"{function} draws at most {most} groups and was given {len(keys)}; choose with .where(...)"
        )
    codebook = released.codebook
    styles = group_styles(keys, codebook)
    labels = tuple(group_label(key, codebook) or "All" for key in keys)
    return Series(tuple(rows), keys, labels, tuple(styles[key] for key in keys), codebook, tuple(notes))


def key_item(style: GroupStyle | None, label: str, *, hollow: bool = False, interval: bool = False) -> str:
    """One entry of a figure's key: the mark as it is drawn, and its words."""
    text = html.escape(label, quote=False)
    if style is None:
        return f"<li>{text}</li>"
    line = '<rect x="-14" y="-1.5" width="28" height="3" fill="{0}"/>' if interval else ""
    css, fill, stroke = (
        (style.hollow, SURFACE, style.colour) if hollow else (style.filled, style.colour, SURFACE)
    )
    shape = f'<path class="{css}" d="{style.path}" fill="{fill}" stroke="{stroke}" stroke-width="2"/>'
    return _item(style.css, line.format(style.colour) + shape, text)


def printed_item(label: str = PRINTED) -> str:
    """The key's entry for printed values."""
    shape = f'<path class="m-printed" d="{DIAMOND}" fill="{SURFACE}" stroke="{INK}" stroke-width="2"/>'
    return _item("", shape, html.escape(label, quote=False))


def alt_text(
    title: Phrase, series: Series, printed: dict[str, float], *, texts: dict[str, str] | None = None
) -> str:
    """The figure in words: every value, and every hidden value's reason."""
    parts = []
    for key, label in zip(series.keys, series.labels, strict=True):
        values = [
            shown_text(row, printed, (texts or {}).get(row.row_id))
            for row in series.rows
            if group_key(row) == key
        ]
        parts.append(f"{label}: {'; '.join(values)}.")
    return " ".join([plain(title.markdown).rstrip(".") + ".", *parts])


def shown_text(row: ReleasedRow, printed: dict[str, float], label: str | None = None) -> str:
    """One value in words: ``Peer support 0.69 (0.65 to 0.73), printed 0.69``."""
    name = label or term_label(row)
    if not is_shown(row):
        return f"{name}: {reason(row)}"
    interval = interval_text(row)
    text = f"{name} {estimate_text(row)}" + (f" ({interval})" if interval else "")
    text += f", {caution(row)}" if caution(row) else ""
    return text + (f", printed {printed_text(row, printed)}" if row.row_id in printed else "")


def emit_figure(
    series: Series,
    specs: dict,
    *,
    title: Phrase | str,
    caption: Phrase | str,
    label: str,
    exhibit: int | None,
    alt: str,
    key: Sequence[str],
    table: str,
    conf_level: float | None,
    drawn: Sequence[ReleasedRow] = (),
) -> None:
    """Display a figure drawn from specifications; the caption speaks of ``drawn``, or of all rows."""
    words = words_of(title)
    name = name_of("fig", label, exhibit)
    described = caption_of(given_caption(caption), drawn or series.rows, conf_level=conf_level)
    legend = f'<ul class="key">{"".join(key)}</ul>'
    mark = Mark(
        kind="figure", label=name, exhibit=exhibit, title=words.markdown, caption=described, alt=alt,
        rows=records(series.rows), spec=specs, key=legend, table=scroll(table, f"Data: {plain(words.markdown)}"),
        notes=series.notes,
    )  # fmt: skip
    picture = svg(specs["wide"], width="wide", title=words.markdown, alt=alt, id=f"{name}-wide")
    emit(
        mark,
        jupyter_html(
            title=words.markdown, caption=described, body=legend + picture + table, notes=series.notes
        ),
    )


def _item(css: str, shapes: str, text: str) -> str:
    named = f' class="{css}"' if css else ""
    drawing = f'<svg aria-hidden="true" focusable="false" viewBox="-14 -8 28 16" width="28" height="16">{shapes}</svg>'
    return f"<li{named}>{drawing}<span>{text}</span></li>"
