"""A staged page: its front matter, title and cells, from a notebook or a Markdown file."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import yaml

from lib.errors import BuildError

__all__ = ["PAGE_ENDINGS", "Cell", "Page", "page_from_file"]

FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.S)
HEADING = re.compile(r"\A\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)")
ATTRIBUTES = re.compile(r"[ \t]*\{([^}]*)\}$")
PAGE_ENDINGS = (".ipynb", ".md", ".qmd")


@dataclass(frozen=True)
class Cell:
    """A cell of a staged page: its kind, text, number in the author's notebook, anchor and tags."""

    kind: str
    source: str
    number: int
    anchor: str = ""
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes
    ----------
    source : str
        Path in the project, such as ``chapters/rq1a.ipynb``.
    title : str
        Heading of the page, Markdown.
    front : dict
        The other front matter: ``nav crumb accent description page synthetic layout``.
    cells : tuple of Cell
        In order, without the front matter.
    number : str
        ``"2"``, ``"A"``, or empty where the page is not numbered.
    part : str
        Title of its part, or empty.
    anchor : str
        Label of the title itself, such as ``sec-sample``, or empty.
    """

    source: str
    title: str
    front: dict
    cells: tuple[Cell, ...]
    number: str = ""
    part: str = ""
    anchor: str = ""
    unnumbered: bool = False
    appendix: bool = False

    @property
    def href(self) -> str:
        """Address in the site, such as ``chapters/rq1a.html``."""
        return str(PurePosixPath(self.source).with_suffix(".html"))

    @property
    def nav(self) -> str:
        """Its entry in the sidebar."""
        return str(self.front.get("nav") or ("Report" if self.href == "index.html" else self.title))

    @property
    def accent(self) -> str:
        """Colour class of its research question, or empty."""
        return str(self.front.get("accent") or "")

    def to(self, href: str) -> str:
        """Address of another page of the site, seen from this one."""
        return os.path.relpath(href, os.path.dirname(self.href) or ".").replace(os.sep, "/")


def page_from_file(path: Path, source: str) -> Page:
    """Read one page: a notebook, or a Markdown file as one cell."""
    if not path.is_file():
        raise BuildError(f"_quarto.yml lists {source}, which does not exist; add the page or take it out")
    is_notebook = path.suffix == ".ipynb"
    cells = _notebook_cells(path, source) if is_notebook else [Cell("markdown", path.read_text("utf-8"), 1)]
    front: dict = {}
    if cells and cells[0].kind != "code" and (match := FRONT_MATTER.match(cells[0].source)):
        front = _front_matter(match[1], source)
        rest = cells[0].source[match.end() :]
        cells = [replace(cells[0], kind="markdown", source=rest), *cells[1:]]
    cells = [cell for cell in cells if cell.kind != "raw" and cell.source.strip()]
    title = front.get("title")
    if title is None and cells and cells[0].kind == "markdown" and (match := HEADING.match(cells[0].source)):
        title = match[1]
        cells[0] = replace(cells[0], source=cells[0].source[match.end() :])
    return _titled(source, str(title or PurePosixPath(source).stem), front, cells)


def _titled(source: str, title: str, front: dict, cells: list[Cell]) -> Page:
    """A page whose title may end in attributes, such as ``{.unnumbered #sec-sample}``."""
    attributes = ATTRIBUTES.search(title)
    words = attributes[1].split() if attributes else []
    anchor = next((word[1:] for word in words if word.startswith("#")), "")
    return Page(
        source=source,
        title=ATTRIBUTES.sub("", title),
        front={key: value for key, value in front.items() if key != "title"},
        cells=tuple(cells),
        anchor=anchor,
        unnumbered=bool({".unnumbered", "-"} & set(words)),
    )


def _notebook_cells(path: Path, source: str) -> list[Cell]:
    try:
        notebook = json.loads(path.read_text("utf-8"))
        raw = list(notebook["cells"])
    except (ValueError, KeyError, TypeError):
        raise BuildError(f"{source} is not a notebook; open and save it in JupyterLab") from None
    cells = []
    for position, cell in enumerate(raw, start=1):
        metadata = cell.get("metadata") or {}
        text = cell.get("source") or ""
        cells.append(
            Cell(
                kind=cell.get("cell_type", "raw"),
                source=text if isinstance(text, str) else "".join(text),
                number=(metadata.get("lwo") or {}).get("cell") or position,
                anchor=str(cell.get("id") or f"{path.stem}-{position}"),
                tags=frozenset(metadata.get("tags") or ()),
            )
        )
    return cells


def _front_matter(text: str, source: str) -> dict:
    try:
        front = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise BuildError(f"{source}: the front matter is not valid YAML: {error}") from error
    if not isinstance(front, dict):
        raise BuildError(f"{source}: the front matter must hold key: value lines")
    return front
