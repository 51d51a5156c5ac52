"""Marked outputs: the one form in which a chapter hands something to the page.

Every figure, table and sentence is one output with three representations: the mark
(``application/vnd.lwo+json``), from which the stage builds the page; HTML, which JupyterLab
shows; and plain text.
"""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.study.codebook import Codebook

MIME = "application/vnd.lwo+json"
VERSION = 1
KINDS = ("figure", "table", "prose", "diagram", "note", "filter")

__all__ = ["Mark", "emit", "plain", "records", "require_released", "row_anchor", "row_key", "row_record"]


@dataclass(frozen=True)
class Mark:
    """What the stage needs to place one output on a page; the fields are those of the JSON mark.

    ``title`` and ``caption`` are Markdown, ``alt`` is plain text, ``rows`` are records of the shared
    row shape, ``spec`` holds a wide and a narrow Vega-Lite specification, ``svg`` a wide and a narrow
    drawn diagram, ``key`` and ``table`` are HTML, ``filter`` holds a filter's cube,
    ``verdicts`` what badges in chapters say.
    """

    kind: str
    label: str = ""
    exhibit: int | None = None
    title: str = ""
    caption: str = ""
    alt: str = ""
    rows: tuple[dict, ...] = ()
    spec: dict | None = None
    svg: dict | None = None
    key: str = ""
    table: str = ""
    notes: tuple[str, ...] = ()
    markdown: str = ""
    verdicts: dict | None = None
    filter: dict | None = None

    def record(self) -> dict:
        """The mark as plain JSON."""
        return {
            "version": VERSION, "kind": self.kind, "label": self.label, "exhibit": self.exhibit,
            "title": self.title, "caption": self.caption, "alt": self.alt, "rows": list(self.rows),
            "spec": self.spec, "svg": self.svg, "key": self.key, "table": self.table,
            "notes": list(self.notes), "markdown": self.markdown,
            **({"verdicts": self.verdicts} if self.verdicts else {}),
            **({"filter": self.filter} if self.filter else {}),
        }  # fmt: skip


def row_anchor(row_id: str) -> str:
    """The HTML id of a row's place on the page: its term, and a digest of the whole id that keeps it unique."""
    words = re.sub(r"[^a-z0-9_]+", "-", row_id.rpartition("|")[2].lower()).strip("-")
    return f"row-{words}-{hashlib.sha1(row_id.encode()).hexdigest()[:8]}"


def row_key(row: ReleasedRow) -> str:
    """What a row is about, whichever population it is of: model, contrast, term and, if any, group."""
    return "|".join([row.model, row.contrast, row.term, *([row.group] if row.group else [])])


def row_record(row: ReleasedRow) -> dict:
    """A row as JSON: NaN becomes null, so that no reader of the mark meets a number that is not there."""
    return {
        column: None if isinstance(value, float) and math.isnan(value) else value
        for column, value in row.values.items()
    }


def plain(markdown: str) -> str:
    """Markdown with its numbers' HTML taken off, for alt text and plain output."""
    text = re.sub(r"<[^>]+>", "", markdown)
    return html.unescape(text).replace("*", "").strip()


def require_codebook(given: object, function: str) -> Codebook:
    """Refuse everything that is no codebook.

    Raises
    ------
    ShowError
        If ``given`` is not a ``Codebook``.
    """
    if not isinstance(given, Codebook):
        raise ShowError(f"{function} reads a codebook, not {type(given).__name__}; give study.codebook")
    return given


def require_released(given: object, function: str) -> Released:
    """Refuse everything that did not pass the gate.

    Raises
    ------
    ShowError
        If ``given`` is not ``Released``.
    """
    if not isinstance(given, Released):
        raise ShowError(
            f"{function} shows released rows only and was given {_kind(given)}; "
            "pass results through lib.disclosure.gate.release(table, study) first"
        )
    return given


def require_rows(given: object, function: str) -> list[ReleasedRow]:
    """Released rows as a list, from ``Released`` or rows of it; everything else is refused as by ``require_released``."""
    rows = list(given) if isinstance(given, (Released, list, tuple)) else [given]
    for row in rows:
        if not isinstance(row, ReleasedRow):
            require_released(row, function)
    return rows


def emit(mark: Mark, html_text: str) -> None:
    """Display one marked output.

    Parameters
    ----------
    mark : Mark
        What the stage reads.
    html_text : str
        What JupyterLab shows.

    Raises
    ------
    ShowError
        If the mark's kind is unknown, or a figure or table has no label or title.
    """
    from IPython.display import display

    if mark.kind not in KINDS:
        raise ShowError(f"unknown kind of output {mark.kind!r}; known are {', '.join(KINDS)}")
    if mark.kind not in ("prose", "note", "filter") and not (mark.label and mark.title):
        raise ShowError(f"a {mark.kind} needs a label and a title; give label= (or exhibit=) and title=")
    words = plain(mark.markdown) or f"{plain(mark.title)}. {plain(mark.caption)}"
    display({MIME: mark.record(), "text/html": html_text, "text/plain": words}, raw=True)


def records(rows: Iterable[ReleasedRow]) -> tuple[dict, ...]:
    """Records of rows, each row once."""
    return tuple({row.row_id: row_record(row) for row in rows}.values())


def _kind(given: object) -> str:
    name = type(given).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
