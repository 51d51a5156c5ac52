"""Tables of what a study's folder says in words: no data stand behind them, so nothing passes the gate."""

from __future__ import annotations

from collections.abc import Mapping

from lib.disclosure.gate import Quoted
from lib.errors import ShowError
from lib.show.frame import given_caption, jupyter_html, name_of, scroll
from lib.show.marks import Mark, emit, plain
from lib.show.markup import Line, html_table, text_cell
from lib.show.prose import Phrase, words_of

__all__ = ["ledger_table"]


def ledger_table(
    entries: Quoted,
    *,
    columns: Mapping[str, str],
    label: str,
    title: Phrase | str,
    caption: Phrase | str,
) -> None:
    """Display entries of a ledger, one a line.

    Parameters
    ----------
    entries : Quoted
        From ``lib.disclosure.summaries``: of a ledger of the study's folder, or of its coded remarks.
    columns : mapping
        Key of an entry, and its heading; the first names the line.
    label : str
        Anchor ``tbl-...``.
    title, caption : Phrase or str
        What the table says; what it lists.

    Raises
    ------
    ShowError
        If the entries are not quoted from the study's folder, there is none, or one lacks a column.
    """
    if type(entries) is not Quoted:
        raise ShowError(
            f"ledger_table shows what lib.disclosure.summaries quotes, not {type(entries).__name__}; "
            "results go through lib.disclosure.gate.release"
        )
    entries = list(entries)
    if not entries:
        raise ShowError("a ledger's table needs at least 1 entry; leave the table out where there is none")
    lacking = sorted({key for entry in entries for key in columns if key not in entry})
    if lacking:
        raise ShowError(f"entries of the ledger lack {', '.join(lacking)}; give every entry all columns")
    first, *others = columns
    lines = [
        Line(str(entry[first]), tuple(text_cell(str(entry[key])) for key in others)) for entry in entries
    ]
    title = words_of(title)
    body = html_table([(heading, False) for heading in columns.values()], lines)
    caption = given_caption(caption).markdown
    mark = Mark(
        kind="table", label=name_of("tbl", label, None), title=title.markdown, caption=caption,
        table=scroll(body, plain(title.markdown)),
    )  # fmt: skip
    emit(mark, jupyter_html(title=title.markdown, caption=caption, body=body, notes=()))
