"""The staged project as a renderer reads it: ``_quarto.yml``, its pages in order, their cells.

Numbering follows Quarto's books: chapters count from 1, the index among them, appendices from A, and a
title marked ``{.unnumbered}`` takes no number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib.errors import BuildError
from lib.report.project import read_yaml
from lib.report.render.pages import PAGE_ENDINGS, Page, page_from_file

__all__ = ["Book", "bibliography_files", "read_book", "read_settings"]


@dataclass(frozen=True)
class Book:
    """The staged project: settings of ``_quarto.yml`` and the pages in reading order."""

    folder: Path
    settings: dict
    pages: tuple[Page, ...]
    bibliography: tuple[Path, ...] = field(default=())

    @property
    def title(self) -> str:
        """Title of the whole report."""
        return str((self.settings.get("book") or {}).get("title") or "Report")

    @property
    def html(self) -> dict:
        """Settings of the HTML format."""
        formats = self.settings.get("format") or {}
        return (formats.get("html") or {}) if isinstance(formats, dict) else {}

    @property
    def synthetic(self) -> bool:
        """Whether every page says that the data are made up."""
        return bool(self.settings.get("synthetic") or any(page.front.get("synthetic") for page in self.pages))

    @property
    def number_sections(self) -> bool:
        """Whether headings are numbered; a book's are unless it says otherwise."""
        return bool(self.html.get("number-sections", True))


def read_book(project: Path) -> Book:
    """Read a staged project.

    Parameters
    ----------
    project : Path
        The folder with ``_quarto.yml``.

    Raises
    ------
    BuildError
        If there is no ``_quarto.yml`` of type book, a page is missing or cannot be read, or there is no
        index.
    """
    settings = read_settings(project)
    pages, counts = [], {False: 0, True: 0}
    for source, part, appendix in _entries(settings):
        page = page_from_file(project / source, source)
        number = ""
        if not page.unnumbered:
            counts[appendix] += 1
            number = chr(64 + counts[appendix]) if appendix else str(counts[appendix])
        pages.append(replace(page, number=number, part=part, appendix=appendix))
    if not any(page.href == "index.html" for page in pages):
        raise BuildError(
            "_quarto.yml lists no page index; a book begins with one: add index.ipynb to chapters"
        )
    return Book(project, settings, tuple(pages), bibliography_files(project, settings))


def read_settings(project: Path) -> dict:
    """``_quarto.yml`` of a staged project."""
    settings = read_yaml(project / "_quarto.yml")
    if not (settings.get("book") or {}).get("chapters"):
        raise BuildError("_quarto.yml lists no pages; give it project: type: book and book: chapters: [...]")
    return settings


def bibliography_files(project: Path, settings: dict) -> tuple[Path, ...]:
    """Bibliographies that ``_quarto.yml`` names."""
    named = settings.get("bibliography") or []
    files = tuple(project / name for name in ([named] if isinstance(named, str) else named))
    for path in files:
        if not path.is_file():
            raise BuildError(f"_quarto.yml names the bibliography {path.name}, which does not exist; add it")
    return files


def _entries(settings: dict) -> Iterator[tuple[str, str, bool]]:
    """Path, part and whether an appendix, of every page that ``_quarto.yml`` lists."""

    def walk(entries: list, part: str, appendix: bool) -> Iterator[tuple[str, str, bool]]:
        for entry in entries or ():
            if isinstance(entry, str):
                yield entry, part, appendix
            elif "part" in entry:
                name = str(entry["part"])
                if name.endswith(PAGE_ENDINGS):
                    yield name, "", appendix
                yield from walk(entry.get("chapters"), name, appendix)
            elif entry.get("file") or entry.get("href"):
                yield entry.get("file") or entry["href"], part, appendix

    yield from walk(settings["book"].get("chapters"), "", False)
    yield from walk(settings["book"].get("appendices"), "Appendices", True)
