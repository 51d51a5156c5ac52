"""The page around the text: sidebar by research question, page contents, previous and next."""

from __future__ import annotations

import html
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
import panflute as pf
from markupsafe import Markup

from lib.report.render.book import Book
from lib.report.render.labels import plain_words
from lib.report.render.pages import Page

__all__ = ["Entry", "contents_of", "page_html"]

ROOM = Path(__file__).parent
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"


@dataclass(frozen=True)
class Entry:
    """A line of a list of links."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Group:
    """A part of the sidebar: its title, or none, and its pages."""

    title: str
    accent: str
    entries: tuple[Entry, ...]


@cache
def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(ROOM / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.undefined = jinja2.StrictUndefined
    return environment.get_template(name)


def contents_of(doc: pf.Doc) -> list[Entry]:
    """Second-level headings of a page, for "On this page"."""
    return [
        Entry(_plain(block), f"#{block.identifier}")
        for block in doc.content
        if isinstance(block, pf.Header) and block.level == 2 and block.identifier
    ]


def _plain(header: pf.Header) -> str:
    words = [i for i in header.content if "header-section-number" not in getattr(i, "classes", ())]
    return plain_words(words)


def sidebar(book: Book, page: Page) -> list[Group]:
    """The book's pages by part, pages without a part in groups of their own."""
    groups = []
    for part, pages in itertools.groupby(book.pages, key=lambda other: other.part):
        listed = list(pages)
        entries = tuple(Entry(p.nav, page.to(p.href), p.href == page.href) for p in listed)
        groups.append(Group(part, next((p.accent for p in listed if p.accent), ""), entries))
    return groups


def masthead(book: Book, page: Page) -> list[Entry]:
    """The home page and the pages that ask for a place in the masthead."""
    chosen = [p for p in book.pages if p.href == "index.html" or p.front.get("masthead")]
    return [Entry(p.nav, page.to(p.href), p.href == page.href) for p in chosen]


def neighbours(book: Book, page: Page) -> tuple[Entry | None, Entry | None]:
    """Links to the page before and the page after."""
    place = next(i for i, other in enumerate(book.pages) if other.href == page.href)
    before = book.pages[place - 1] if place else None
    after = book.pages[place + 1] if place + 1 < len(book.pages) else None
    return tuple(Entry(p.nav, page.to(p.href)) if p else None for p in (before, after))


def page_html(book: Book, page: Page, *, body: str, contents: list[Entry], single: dict | None = None) -> str:
    """One whole page.

    Parameters
    ----------
    book, page : Book, Page
        The report and the page in it.
    body : str
        HTML of the text.
    contents : list of Entry
        "On this page".
    single : dict, optional
        For a page that stands alone: ``policy``, ``style`` and ``script``; it has no sidebar.
    """
    before, after = neighbours(book, page) if not single else (None, None)
    footer = (book.settings.get("book") or {}).get("page-footer")
    return _template("page.html").render(
        title=page.title
        if page.href == "index.html" or page.title == book.title
        else f"{page.title} | {book.title}",
        heading=Markup(_inline(page.title)),
        anchor=page.anchor,
        book=book,
        description=str(
            page.front.get("description") or (book.settings.get("book") or {}).get("description") or ""
        ),
        accent=page.accent,
        crumb=page.front.get("crumb") or "",
        number=_number(page),
        wide=page.front.get("layout") == "wide",
        home=page.href == "index.html",
        body=Markup(body),
        contents=contents,
        groups=sidebar(book, page) if not single else [],
        masthead=masthead(book, page) if not single else [],
        before=before,
        after=after,
        synthetic=book.synthetic or bool(page.front.get("synthetic")),
        notice=book.settings.get("synthetic") if isinstance(book.settings.get("synthetic"), str) else "",
        footer=footer if isinstance(footer, str) else "",
        libs=page.to("site_libs"),
        top=page.to("index.html"),
        downloads=page.to("downloads/estimates.csv")
        if (book.folder / "downloads/estimates.csv").is_file()
        else "",
        policy=POLICY,
        single=single,
    )


def _number(page: Page) -> str:
    if not page.number or page.href == "index.html":
        return ""
    return f"{'Appendix' if page.appendix else 'Chapter'} {page.number}"


def _inline(title: str) -> str:
    """A title's Markdown emphasis and code as HTML."""
    from lib.report.render.pandoc import run

    if not set("*_`$\\[") & set(title):
        return html.escape(title, quote=False)
    return run(title, "-f", "markdown-raw_html-raw_attribute", "-t", "html5", "--mathml", page=title).strip()[
        3:-4
    ]
