"""What a field of a template says of a row: its number, bound to the row, or its words."""

from __future__ import annotations

import html

from lib.analysis.estimates import mediator_of
from lib.disclosure.gate import NUMBER_COLUMNS, ReleasedRow
from lib.errors import ShowError
from lib.show.marks import row_anchor
from lib.show.words import (
    MINUS,
    default_spec,
    has_interval,
    is_shown,
    label_of,
    lower_first,
    number,
    p_text,
    population_label,
    reason,
    rounded_n,
    small_number,
    term_label,
)

__all__ = ["number_html", "row_words"]


def number_html(text: str, value: float, row: ReleasedRow, field: str = "estimate") -> str:
    """One numeral bound to its row: a ``<data>`` element that links to the row's place on the page."""
    of = "" if field == "estimate" else f' data-field="{field}"'
    row_id = html.escape(row.row_id, quote=True)
    return (
        f'<data class="num" value="{value:.10g}" data-row="{row_id}"{of}>'
        f'<a href="#{row_anchor(row.row_id)}">{html.escape(text, quote=False)}</a></data>'
    )


def row_words(row: ReleasedRow, attribute: str, spec: str) -> str:
    """HTML of ``{row.attribute:spec}``; the attributes are listed in ``lib.show.prose``.

    Raises
    ------
    ShowError
        If a row has no such attribute, or the format is none.
    """
    named = {
        "term": lambda: lower_first(term_label(row), row.codebook),
        "label": lambda: term_label(row),
        "population": lambda: lower_first(population_label(row), row.codebook),
        "group": lambda: lower_first(label_of(row.group, row.codebook), row.codebook),
        "through": lambda: lower_first(label_of(mediator_of(row.model), row.codebook), row.codebook),
    }
    if attribute in named:
        return html.escape(named[attribute](), quote=False)
    if attribute and attribute not in row.values and attribute not in ("size", "interval", "p", "n"):
        raise ShowError(
            f"a row has no {attribute!r}; it has size, interval, p, n, term, label and its columns"
        )
    if attribute in row.values and attribute not in NUMBER_COLUMNS:
        return html.escape(str(row.values[attribute]), quote=False)
    if not is_shown(row):
        return f'<span class="withheld">{html.escape(reason(row))}</span>'
    return _render_number(row, attribute or "estimate", spec)


def _render_number(row: ReleasedRow, attribute: str, spec: str) -> str:
    if attribute in ("estimate", "size"):
        value = abs(row.estimate) if attribute == "size" else row.estimate
        return _estimate_html(row, value, spec, attribute)
    if attribute == "interval":
        return _interval_html(row, spec)
    if attribute == "n":
        value = rounded_n(row)
        return number_html(number(value, spec or ",.0f"), value, row, "n_obs")
    column = "p_value" if attribute == "p" else attribute
    value = row.values[column]
    if value != value:
        return "not available"
    if column.startswith("p_"):
        text = p_text(value)
        sign, digits = (text[0], text[1:]) if text[0] in "<>" else ("=", text)
        return number_html("\N{NO-BREAK SPACE}".join(("p", sign, digits)), round(value, 3), row, column)
    return number_html(number(value, spec or ".2f"), value, row, column)


def _estimate_html(row: ReleasedRow, value: float, spec: str, attribute: str) -> str:
    if spec == "words":
        return number_html(small_number(value), value, row, attribute)
    if spec in ("", "percent"):
        percent = "%" if spec == "percent" or row.unit == "percent" else ""
        spec = ",.0f" if spec == "percent" else default_spec(row)
    else:
        percent = ""
    shown = number(value, spec)
    return number_html(shown + percent, _value(shown), row, attribute)


def _interval_html(row: ReleasedRow, spec: str) -> str:
    if not has_interval(row):
        return "no interval"
    ends = []
    for column in ("conf_low", "conf_high"):
        shown = number(row.values[column], spec or default_spec(row))
        ends.append(number_html(shown, _value(shown), row, column))
    return " to ".join(ends)


def _value(shown: str) -> float:
    return float(shown.replace(MINUS, "-").replace(",", ""))
