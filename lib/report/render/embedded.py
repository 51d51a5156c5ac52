"""The embedded renderer: a staged project to a site, by pandoc and one template.

Every page is complete without a script, asks no other host for anything, and opens from a folder as it
does from a server.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import panflute as pf
from markupsafe import Markup

from lib.report.filters import LIBS, SCRIPT, inline_cube
from lib.report.render.book import Book, read_book, read_settings
from lib.report.render.check import check_pages
from lib.report.render.citations import set_citations
from lib.report.render.exhibits import with_exhibits_page
from lib.report.render.frame import ROOM, contents_of, page_html
from lib.report.render.labels import Found, find, target_index
from lib.report.render.pages import page_from_file
from lib.report.render.pandoc import unshelve, write_html
from lib.report.render.rows import link_rows
from lib.report.render.search import Section, index_script, sections
from lib.report.render.typeset import typeset
from lib.show.filter import STYLE, filter_script, filter_style

__all__ = ["render", "render_single"]

ASSETS = ROOM / "assets"
NOT_PUBLISHED = (".ipynb", ".md", ".qmd", ".yml", ".yaml", ".bib", ".csl")
DOWNLOADS = re.compile(r'<p class="download">.*?</p>', re.S)  # files of the site, which a page alone has not
FILTER_FILES = re.compile(rf'<(link|script)\b[^>]*="[^"]*{LIBS}/(?:{SCRIPT}|{STYLE})"[^>]*>(?:</script>)?\n?')
WORKERS = 4  # pandoc processes at a time; each is idle while it starts


def render(project: Path, out: Path, *, progress: Callable[[str, int, int], None] | None = None) -> None:
    """Typeset a staged project as a site.

    Parameters
    ----------
    project : Path
        The stage: ``_quarto.yml``, notebooks and Markdown files, ``downloads/``.
    out : Path
        The site's folder; made if it is not there.
    progress : callable, optional
        Called with page address, pages done, pages in all.

    Raises
    ------
    BuildError
        If a page is missing or cannot be read, or the checks of ``check`` find a mistake. Nothing is
        written then.
    """
    book = read_book(Path(project))
    with ThreadPoolExecutor(WORKERS) as pool:
        pages = list(pool.map(lambda page: find(page, book), book.pages))
        check_pages(pages, book)
        book, pages = with_exhibits_page(book, pages)
        index = target_index(pages)
        for found in pages:
            typeset(found, index, book)
        set_citations(pages, book)
        contents = {found.page.href: contents_of(found.doc) for found in pages}
        written = list(pool.map(_body, pages))
    addresses = [found.page.href for found in pages]
    bodies = link_rows(dict(zip(addresses, written, strict=True)))
    entries: list[Section] = []
    for done, found in enumerate(pages, start=1):
        page, body = found.page, bodies[found.page.href]
        target = Path(out) / page.href
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page_html(book, page, body=body, contents=contents[page.href]), "utf-8")
        entries += sections(page.href, page.title, body)
        if progress:
            progress(page.href, done, len(pages))
    _write_assets(book.folder, Path(out), entries)


def render_single(
    notebook: Path, project: Path, out: Path, *, cubes: Mapping[str, dict] | None = None
) -> None:
    """Typeset one staged notebook as a single HTML file that needs no other file and no network.

    Parameters
    ----------
    notebook : Path
        The staged notebook.
    project : Path
        The folder with ``_quarto.yml``: title and bibliography come from there.
    out : Path
        The HTML file.
    cubes : mapping, optional
        By page name what a filter on it shows; without one the page keeps its bar's words only.
    """
    settings = read_settings(Path(project))
    page = replace(page_from_file(Path(notebook), Path(notebook).name), number="")
    names = settings.get("bibliography") or []
    files = tuple(Path(project) / name for name in ([names] if isinstance(names, str) else names))
    book = Book(Path(project), settings | {"synthetic": False}, (page,), files)
    found = find(page, book)
    known = {target.label for target in found.targets}
    _drop_outward_references(found, known)
    check_pages([found], book)
    typeset(found, target_index([found]), book)
    set_citations([found], book)
    contents = contents_of(found.doc)
    style = "".join((ASSETS / name).read_text("utf-8") for name in ("shared.css", "site.css"))
    script = (ASSETS / "site.js").read_text("utf-8")
    body, filters = FILTER_FILES.subn("", DOWNLOADS.sub("", _body(found)))
    if filters:
        style, script = style + filter_style(), script + filter_script()
        body += "".join(inline_cube(cube, name) for name, cube in (cubes or {}).items())
    single = {"policy": _single_policy(style, script), "style": Markup(style), "script": Markup(script)}
    body = link_rows({page.href: body}, fallback="")[page.href]
    Path(out).write_text(page_html(book, page, body=body, contents=contents, single=single), "utf-8")


def _single_policy(style: str, script: str) -> str:
    """A policy that allows the page's own style and script, by their hashes, and nothing else."""

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _drop_outward_references(found: Found, known: set[str]) -> None:
    """A page on its own names the report's other exhibits and pages without a link."""

    def visit(element: pf.Element, _: pf.Doc):
        if isinstance(element, pf.Cite) and any(citation.id in outward for citation in element.citations):
            return pf.Str(", ".join(_name_of(citation.id) for citation in element.citations))
        if isinstance(element, pf.Link) and _is_relative(element.url):
            return pf.Span(*element.content)
        return None

    outward = {label for label, _ in found.references} - known
    found.doc.walk(visit)
    found.references = [(label, cell) for label, cell in found.references if label in known]
    found.links = [(url, cell) for url, cell in found.links if not _is_relative(url)]


def _is_relative(url: str) -> bool:
    """Whether a link leads to another file of the report."""
    return not url.startswith(("#", "//")) and ":" not in url.partition("#")[0]


def _name_of(label: str) -> str:
    """``fig-exhibit-12`` as readers know it: Exhibit 12."""
    exhibit = re.fullmatch(r"(?:fig|tbl)-exhibit-(\d+)", label)
    return f"Exhibit\u00a0{exhibit[1]}" if exhibit else label.partition("-")[2].replace("-", " ")


def _body(found: Found) -> str:
    """HTML of a page's text."""
    return unshelve(write_html(found.doc, page=found.page.source), found.shelf)


def _write_assets(project: Path, out: Path, entries: list[Section]) -> None:
    """Style, scripts and the search index; the project's images and downloads come along."""
    shutil.copytree(ASSETS, out / "site_libs", dirs_exist_ok=True)
    (out / "site_libs" / "search-index.js").write_text(index_script(entries), "utf-8")
    for path in sorted(project.rglob("*")):
        parts = path.relative_to(project).parts
        hidden = any(part.startswith((".", "_")) for part in parts)
        if path.is_file() and not hidden and path.suffix not in NOT_PUBLISHED:
            target = out.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
