"""What authors of chapters get wrong, found on the stage before anything is typeset.

Each message names the page and the cell, counted in the author's notebook.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import unquote

from lib.errors import BuildError
from lib.report.render.book import Book, read_book
from lib.report.render.labels import Found, find
from lib.study.codebook import nearest

__all__ = ["check_pages", "check_stage"]

EXHIBITS = "exhibits.html"  # made while rendering
BIBTEX_KEY = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*[{(]\s*([^,\s]+)\s*,", re.I | re.M)


def check_stage(project: Path) -> None:
    """Check a staged project as both renderers need it.

    Raises
    ------
    BuildError
        With every problem found: a page without a file, a label used twice, a reference to nothing, a
        citation that is not in the bibliography, a missing caption, a shortcode.
    """
    book = read_book(project)
    check_pages([find(page, book) for page in book.pages], book)


def check_pages(pages: list[Found], book: Book) -> None:
    """Check pages that are parsed already; raises one ``BuildError`` that lists every problem."""
    bibliography, folder = book.bibliography, book.folder
    problems = [
        *_shortcodes(pages),
        *_captions(pages),
        *_labels_twice(pages),
        *_references(pages),
        *_citations(pages, bibliography),
        *_links(pages, folder),
    ]
    if len(problems) == 1:
        raise BuildError(problems[0])
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise BuildError(f"{len(problems)} problems in the chapters:\n{listed}")


def _shortcodes(pages: list[Found]) -> list[str]:
    return [
        f"{found.page.source}, cell {cell}: {{{{< {name} >}}}} is not supported; "
        + ("write the text into the notebook" if name == "include" else "write it in plain Markdown")
        for found in pages
        for name, cell in found.shortcodes
    ]


def _captions(pages: list[Found]) -> list[str]:
    return [
        f"{found.page.source}, cell {cell}: {label} has no caption; end its div with a paragraph that says what it shows"
        for found in pages
        for label, cell in found.uncaptioned
    ]


def _labels_twice(pages: list[Found]) -> list[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for found in pages:
        for target in found.targets:
            places[target.label].append(f"{found.page.source}, cell {target.cell}")
    return [
        f"label {label} is used {len(where)} times: {'; '.join(where)}; give each its own"
        for label, where in places.items()
        if len(where) > 1
    ]


def _references(pages: list[Found]) -> list[str]:
    known = {target.label for found in pages for target in found.targets}
    return [
        f"{found.page.source}, cell {cell}: @{label} points to nothing{nearest(label, sorted(known))}"
        for found in pages
        for label, cell in found.references
        if label not in known
    ]


def _citations(pages: list[Found], bibliography: tuple[Path, ...]) -> list[str]:
    if not any(found.citations for found in pages):
        return []
    known = bibliography_keys(bibliography)
    names = ", ".join(path.name for path in bibliography) or "any bibliography: _quarto.yml names none"
    return [
        f"{found.page.source}, cell {cell}: @{key} is not in {names}{nearest(key, known)}"
        for found in pages
        for key, cell in found.citations
        if key not in known and key != "*"
    ]


def _links(pages: list[Found], folder: Path) -> list[str]:
    """Links of the text to a place, page or file of the report that is not there."""
    by_address = {address: found for found in pages for address in (found.page.href, found.page.source)}
    problems = []
    for found in pages:
        for url, cell in found.links:
            path, _, anchor = unquote(url).partition("#")
            if ":" in path or path.startswith("//"):
                continue
            address = posixpath.normpath(posixpath.join(posixpath.dirname(found.page.href), path))
            target = by_address.get(address) if path else found
            known = (
                not anchor or anchor in target.identifiers
                if target
                else address == EXHIBITS or (folder / address).is_file()
            )
            if not known:
                problems.append(
                    f"{found.page.source}, cell {cell}: the link {url} leads to nothing; correct it or take it out"
                )
    return problems


def bibliography_keys(bibliography: tuple[Path, ...]) -> set[str]:
    """Citation keys of BibTeX and CSL-JSON files."""
    keys: set[str] = set()
    for path in bibliography:
        text = path.read_text("utf-8")
        keys |= (
            {e["id"] for e in json.loads(text)} if path.suffix == ".json" else set(BIBTEX_KEY.findall(text))
        )
    return keys
