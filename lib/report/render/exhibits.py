"""The page that lists every figure and table of the report."""

from __future__ import annotations

from dataclasses import replace

from lib.report.render.book import Book
from lib.report.render.labels import Found, find
from lib.report.render.pages import Cell, Page

__all__ = ["exhibits_markdown", "with_exhibits_page"]

SOURCE = "exhibits.md"
TITLE = "Figures and tables"


def exhibits_markdown(pages: list[Found]) -> str:
    """Markdown of the list, by chapter: a reference and the finding of each; empty without exhibits."""
    parts = []
    for found in pages:
        listed = [target for target in found.targets if target.kind in ("fig", "tbl")]
        if listed:
            lines = [f"- @{target.label}: {_escaped(target.title)}" for target in listed]
            parts.append(f"## {_escaped(found.page.nav)} {{.unnumbered}}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def with_exhibits_page(book: Book, pages: list[Found]) -> tuple[Book, list[Found]]:
    """The book with its list of figures and tables as the last page."""
    text = exhibits_markdown(pages)
    if not text or any(page.source == SOURCE for page in book.pages):
        return book, pages
    last = book.pages[-1]
    page = Page(SOURCE, TITLE, {}, (Cell("markdown", text, 1),), part=last.part, unnumbered=True)
    extended = replace(book, pages=(*book.pages, page))
    return extended, [*pages, find(page, extended)]


def _escaped(text: str) -> str:
    """Text as Markdown prints it unchanged."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>@$#^~|{}" else sign for sign in text)
