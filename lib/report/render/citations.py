"""Citations of the whole book in one run of citeproc, and one reference list.

Set page by page, "2018a" on one page and "2018a" in the list could be two works, and citeproc would take
longer than all the rest.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import panflute as pf

from lib.report.render.book import Book
from lib.report.render.labels import Found
from lib.report.render.pandoc import run

__all__ = ["set_citations"]


def set_citations(pages: Sequence[Found], book: Book) -> None:
    """Put citations and the reference list into typeset pages, in place.

    The list stands on the page with ``::: {#refs}``; a book without one has a list at the end of each
    page that cites.
    """
    cites = [(found, cite) for found in pages for cite in _cites(found.doc)]
    if not cites:
        return
    answers, entries = _citeproc([cite for _, cite in cites], book)
    list_page = next((found.page for found in pages if found.has_reference_list), None)
    for (found, cite), answer in zip(cites, answers, strict=True):
        cite.content = answer
        home = "" if list_page is None or list_page == found.page else found.page.to(list_page.href)
        cite.walk(lambda element, _, home=home: _lead(element, home))
    for found in pages:
        if found.has_reference_list:
            found.doc.walk(lambda element, _: _fill(element, list(entries.values())))
        elif list_page is None and found.citations:
            keys = dict.fromkeys(key for key, _ in found.citations)
            own = [entry for key, entry in entries.items() if key in keys]
            heading = pf.Header(
                pf.Str("References"), level=2, identifier="references", classes=["unnumbered"]
            )
            found.doc.content.extend([heading, _list(own)])


def _cites(doc: pf.Doc) -> list[pf.Cite]:
    found: list[pf.Cite] = []

    def visit(element: pf.Element, _: pf.Doc) -> None:
        if isinstance(element, pf.Cite):
            found.append(element)

    doc.walk(visit)
    return found


def _citeproc(cites: list[pf.Cite], book: Book) -> tuple[list[list[pf.Inline]], dict[str, pf.Div]]:
    """Words of each citation, and the entries of the list by key."""
    text = io.StringIO()
    paragraphs = [pf.Para(pf.Cite(*cite.content, citations=list(cite.citations))) for cite in cites]
    pf.dump(pf.Doc(*paragraphs, pf.Div(identifier="refs")), text)
    arguments = ["-f", "json", "-t", "json", "--citeproc", "-M", "link-citations=true"]
    arguments += [f"--bibliography={path}" for path in book.bibliography]
    if csl := book.settings.get("csl"):
        arguments.append(f"--csl={book.folder / csl}")
    done = pf.load(io.StringIO(run(text.getvalue(), *arguments, page="references")))
    *answered, entries = done.content
    return (
        [list(paragraph.content[0].content) for paragraph in answered],
        {entry.identifier.removeprefix("ref-"): entry for entry in entries.content},
    )


def _lead(element: pf.Element, home: str) -> None:
    """A citation's link leads to the reference list, wherever that is."""
    if isinstance(element, pf.Link) and element.url.startswith("#ref-"):
        element.url = home + element.url
        element.attributes["role"] = "doc-biblioref"


def _list(entries: list[pf.Div]) -> pf.Div:
    return pf.Div(*entries, identifier="refs", classes=["references", "csl-bib-body", "hanging-indent"])


def _fill(element: pf.Element, entries: list[pf.Div]):
    return _list(entries) if isinstance(element, pf.Div) and element.identifier == "refs" else None
