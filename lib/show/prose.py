"""Sentences whose every number is bound to the released row it comes from.

A template names rows, never numbers: ``"rises by {effect:.2f} SD"``. What a field may say of a row:

==================  =====================================================================
``{row:.2f}``       the estimate; without a format, as its unit asks (``0.69``, ``46%``, ``870``)
``{row.size:.2f}``  the estimate without its sign ("falls by 0.22")
``{row.interval}``  ``0.65 to 0.73``
``{row.p}``         ``p = .034``, to three places
``{row.n}``         number of units behind the row
``{row.term}``      label in running text; ``{row.label}`` as it heads a table row
``{row.population}``  label of the row's population in running text
``{row.through}``   label of the mediator of a row from a model with one
any other column    a number with its format (``{row.statistic:.1f}``), or its text
==================  =====================================================================

A hidden row's number is replaced by the reason in words (rule D12).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from lib.analysis.estimates import mediator_of
from lib.disclosure.gate import NUMBER_COLUMNS, ReleasedRow
from lib.errors import ShowError
from lib.show.marks import Mark, emit, records, row_anchor
from lib.show.words import (
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

FIRST_LETTER = re.compile(r"\A((?:\s|<[^>]+>)*)([a-z])")
NUMBER_WORD = re.compile(r"([.!?]\s+<data [^>]+><a [^>]+>)([a-z](?!\N{NO-BREAK SPACE}))")
TYPED_DECIMAL = re.compile(r"(?<![\w.])[-−]?\d*\.\d+")

__all__ = ["Phrase", "note", "number_html", "phrase", "prose"]


class Words:
    """What a template may name besides rows and labels: something that renders itself from released rows."""

    rows: tuple[ReleasedRow, ...]

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of these words as a field of a template."""
        raise NotImplementedError


@dataclass(frozen=True)
class Phrase(Words):
    """Words with bound numbers, made by ``phrase``, ``choose``, ``listing`` or ``count_rows``.

    Attributes
    ----------
    markdown : str
        The words; each number is a ``<data>`` element.
    rows : tuple of ReleasedRow
        Rows that the words speak of.
    """

    markdown: str
    rows: tuple[ReleasedRow, ...] = ()

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of the phrase as a field of another template."""
        if attribute or spec:
            raise ShowError(f"a phrase has no {attribute or 'format'}; write its field without one")
        return self.markdown


def prose(template: str, **rows: object) -> None:
    """Display a paragraph of computed words.

    Parameters
    ----------
    template : str
        Markdown with fields, as the module says; it may hold no typed decimal.
    **rows : ReleasedRow, Phrase or str
        What the fields name. A str is a label, so it holds no digit unless the codebook has it.

    Raises
    ------
    ShowError
        If a field is unknown, or given a number, a table or anything that did not pass the gate.
    """
    words = sentence(phrase(template, **rows))
    emit(Mark(kind="prose", rows=records(words.rows), markdown=words.markdown), f"<p>{words.markdown}</p>")


def note(template: str, **rows: object) -> None:
    """Display a computed remark in small print; arguments as of ``prose``."""
    words = sentence(phrase(template, **rows))
    emit(
        Mark(kind="note", rows=records(words.rows), markdown=words.markdown),
        f"<p><small>{words.markdown}</small></p>",
    )


def phrase(template: str, **rows: object) -> Phrase:
    """Computed words that are not displayed but used in a title, a caption or another template.

    Parameters and errors are those of ``prose``.
    """
    if not isinstance(template, str):
        raise ShowError(
            f"a template is text with fields such as '{{effect:.2f}}', not {type(template).__name__}"
        )
    _check_given(rows)
    parts, quoted = [], []
    for text, field, spec, _ in Formatter().parse(template):
        if TYPED_DECIMAL.search(text):
            raise ShowError(
                f"a number is typed in the template ({text.strip()!r}); take it from a row instead"
            )
        parts.append(text)
        if field is not None:
            name, _, attribute = field.partition(".")
            if name not in rows:
                raise ShowError(
                    f"the template names {name!r}, which is not given ({', '.join(rows) or 'no rows are'})"
                )
            given = rows[name]
            parts.append(_render(given, attribute, spec))
            quoted += [given] if isinstance(given, ReleasedRow) else list(getattr(given, "rows", ()))
    return Phrase("".join(parts), tuple({row.row_id: row for row in quoted}.values()))


def words_of(given: Phrase | str) -> Phrase:
    """A title or caption as a sentence; plain text may hold no typed decimal."""
    if isinstance(given, Phrase):
        return sentence(given)
    if not isinstance(given, str):
        raise ShowError(f"a title or caption is text or a phrase, not {type(given).__name__}")
    return sentence(phrase(given.replace("{", "{{").replace("}", "}}")))


def sentence(words: Phrase) -> Phrase:
    """The phrase with a capital where it, or a number in words after a full stop, begins a sentence."""
    begun = FIRST_LETTER.sub(lambda found: found[1] + found[2].upper(), words.markdown, count=1)
    begun = NUMBER_WORD.sub(lambda found: found[1] + found[2].upper(), begun)
    return Phrase(begun, words.rows)


def number_html(text: str, value: float, row: ReleasedRow, field: str = "estimate") -> str:
    """One numeral bound to its row: a ``<data>`` element that links to the row's place on the page."""
    of = "" if field == "estimate" else f' data-field="{field}"'
    row_id = html.escape(row.row_id, quote=True)
    return (
        f'<data class="num" value="{value:.10g}" data-row="{row_id}"{of}>'
        f'<a href="#{row_anchor(row.row_id)}">{html.escape(text, quote=False)}</a></data>'
    )


def _check_given(rows: Mapping[str, object]) -> None:
    labels = _labels(rows)
    for name, given in rows.items():
        if isinstance(given, str):
            if re.search(r"\d", given) and given not in labels:
                raise ShowError(
                    f"{name}= is text with digits and no label of the codebook; numbers come from rows"
                )
        elif not (isinstance(given, (ReleasedRow, Words))):
            raise ShowError(
                f"{name}= is {type(given).__name__}; prose takes released rows (release(...).row(...)), "
                "phrases made from them and labels"
            )


def _labels(rows: Mapping[str, object]) -> set[str]:
    books = [row.codebook for row in rows.values() if isinstance(row, ReleasedRow)]
    books += [row.codebook for given in rows.values() for row in getattr(given, "rows", ())]
    return {
        entry.label
        for book in books
        for entries in (book.scales, book.domains, book.columns, book.populations)
        for entry in entries.values()
    } | {label for book in books for column in book.columns.values() for label in column.levels.values()}


def _render(given: object, attribute: str, spec: str) -> str:
    if isinstance(given, str):
        if attribute or spec:
            raise ShowError("a label has no attribute and no number format")
        return html.escape(given, quote=False)
    if isinstance(given, ReleasedRow):
        return _render_row(given, attribute, spec)
    return given.render(attribute, spec)


def _render_row(row: ReleasedRow, attribute: str, spec: str) -> str:
    named = {
        "term": lambda: lower_first(term_label(row), row.codebook),
        "label": lambda: term_label(row),
        "population": lambda: lower_first(population_label(row), row.codebook),
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
    return number_html(shown + percent, float(shown.replace("−", "-").replace(",", "")), row, attribute)


def _interval_html(row: ReleasedRow, spec: str) -> str:
    if not has_interval(row):
        return "no interval"
    ends = []
    for column in ("conf_low", "conf_high"):
        shown = number(row.values[column], spec or default_spec(row))
        ends.append(number_html(shown, float(shown.replace("−", "-").replace(",", "")), row, column))
    return " to ".join(ends)
