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
``{row.group}``     label of the row's group in running text
``{row.through}``   label of the mediator of a row from a model with one
any other column    a number with its format (``{row.statistic:.1f}``), or its text
==================  =====================================================================

A hidden row's number is replaced by the reason in words (rule D12).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from lib.disclosure.gate import ReleasedRow
from lib.errors import ShowError
from lib.show.fields import row_words
from lib.show.marks import Mark, emit, records

FIRST_LETTER = re.compile(r"\A((?:\s|<[^>]+>)*)([a-z])")
NUMBER_WORD = re.compile(r"([.!?]\s+<data [^>]+><a [^>]+>)([a-z](?!\N{NO-BREAK SPACE}))")
TYPED_DECIMAL = re.compile(r"(?<![\w.])[-−]?\d*\.\d+")

__all__ = ["Phrase", "Words", "note", "phrase", "prose", "words_of"]


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
            quoted += (
                [given]
                if isinstance(given, ReleasedRow)
                else list(given.rows if isinstance(given, Words) else ())
            )
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


def _check_given(rows: Mapping[str, object]) -> None:
    labels = _labels(given for given in rows.values() if isinstance(given, (ReleasedRow, Words)))
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


def _labels(given: Iterable[ReleasedRow | Words]) -> set[str]:
    """Every label of the codebooks behind some rows."""
    quoted = [row for one in given for row in ([one] if isinstance(one, ReleasedRow) else one.rows)]
    labels = set()
    for book in {id(row.codebook): row.codebook for row in quoted}.values():
        for entries in (book.scales, book.domains, book.columns, book.populations):
            labels |= {entry.label for entry in entries.values()}
        labels |= {label for column in book.columns.values() for label in column.levels.values()}
    return labels


def _render(given: object, attribute: str, spec: str) -> str:
    if isinstance(given, str):
        if attribute or spec:
            raise ShowError("a label has no attribute and no number format")
        return html.escape(given, quote=False)
    if isinstance(given, ReleasedRow):
        return row_words(given, attribute, spec)
    return given.render(attribute, spec)
