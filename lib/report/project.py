"""The report as written down: its pages, their order, and what each page runs.

``_quarto.yml`` decides which pages exist and in what order; ``chapters/parameters.yml`` gives a page
its notebook, parameters, exhibit numbers and the pages whose results it needs. A page without an entry
runs the notebook of its own name with that notebook's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import yaml

from lib.errors import BuildError
from lib.study.codebook import nearest
from lib.study.load import project_root

PAGE_KEYS = ("notebook", "title", "nav", "crumb", "accent", "parameters", "exhibits", "needs", "requires")
ALL = "all"


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes
    ----------
    name : str
        Its address without folder and ending, such as ``rq1a``.
    target : str
        Where Quarto expects it in the project, such as ``chapters/rq1a.ipynb``.
    notebook : Path
        The notebook it runs.
    title, nav, crumb : str
        Heading, sidebar entry and the line above the heading; ``{population}`` stands for the label of
        the page's population. Empty: the notebook's own.
    accent : str
        Colour class of its research question: ``rq1``, ``rq2``, ``rq3`` or empty.
    parameters : dict
        What differs from the notebook's defaults.
    exhibits : dict of int to int or None
        The study's number of an exhibit on this page, by its number in the notebook; None leaves it out.
    needs : tuple of str
        Pages whose results it reads; ``all`` in the file stands for every page that is no appendix.
    requires : tuple of str
        What a study must have for the page to be run, as ``lib.report.requires`` says.
    """

    name: str
    target: str
    notebook: Path
    title: str = ""
    nav: str = ""
    crumb: str = ""
    accent: str = ""
    parameters: dict = field(default_factory=dict)
    exhibits: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def up(self) -> str:
        """From the page to the site's top, such as ``../``."""
        return "../" * (len(Path(self.target).parts) - 1)


@dataclass(frozen=True)
class Project:
    """The report's folder, its Quarto settings and its pages in reading order."""

    root: Path
    quarto: dict
    pages: tuple[Page, ...]

    def page(self, name: str) -> Page:
        """The page of that name; an unknown name is refused with the nearest one."""
        for page in self.pages:
            if page.name == name:
                return page
        raise BuildError(f"no page {name!r} in _quarto.yml{nearest(name, [p.name for p in self.pages])}")

    def closure(self, names: list[str]) -> list[Page]:
        """The named pages and every page they need, in running order."""
        wanted, queue = set(), [self.page(name).name for name in names]
        while queue:
            name = queue.pop()
            wanted.add(name)
            queue += [need for need in self.page(name).needs if need not in wanted]
        order = TopologicalSorter({p.name: p.needs for p in self.pages}).static_order()
        return [self.page(name) for name in order if name in wanted]


def read_yaml(path: Path) -> dict:
    """A YAML mapping, or a ``BuildError`` that names the file and line."""
    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    except FileNotFoundError:
        raise BuildError(
            f"{path.name} is missing from {path.parent.name}/; restore it from the repository"
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise BuildError(
            f"{path.name}{place} is not valid YAML: {getattr(error, 'problem', error)}"
        ) from error
    if not isinstance(content, dict):
        raise BuildError(f"{path.name} holds a {type(content).__name__}; it must hold a mapping")
    return content


def load_project(root: Path | None = None) -> Project:
    """Read ``_quarto.yml`` and ``chapters/parameters.yml``.

    Parameters
    ----------
    root : Path, optional
        The project's folder; by default the nearest folder upward with a ``_quarto.yml``.

    Raises
    ------
    BuildError
        If a page has no notebook, an entry no page, a key is unknown, or ``needs`` go in a circle.
    """
    root = Path(root) if root else project_root()
    quarto = read_yaml(root / "_quarto.yml")
    settings = read_yaml(root / "chapters" / "parameters.yml")
    pages = []
    for target in listed_pages(quarto):
        if Path(target).suffix != ".ipynb":
            continue  # a plain Markdown page has nothing to run
        name = Path(target).stem
        pages.append(_page(root, name, target, settings.pop(name, None) or {}))
    if settings:
        known = [page.name for page in pages]
        name = next(iter(settings))
        raise BuildError(
            f"chapters/parameters.yml has {len(settings)} entries that _quarto.yml does not list, such as {name!r}"
            f"{nearest(name, known)}"
        )
    pages = [
        replace(page, needs=_body(quarto, page.name)) if page.needs == (ALL,) else page for page in pages
    ]
    _check_needs(pages)
    return Project(root=root, quarto=quarto, pages=tuple(pages))


def listed_pages(quarto: dict) -> list[str]:
    """Paths of all pages a book's ``_quarto.yml`` names, in reading order."""
    found = []

    def walk(entries) -> None:
        for entry in entries or ():
            if isinstance(entry, str):
                found.append(entry)
            elif "chapters" in entry:
                part = entry.get("part", "")
                if part.endswith((".ipynb", ".md", ".qmd")):
                    found.append(part)
                walk(entry["chapters"])
            else:
                found.append(entry.get("file") or entry.get("href"))

    book = quarto.get("book") or {}
    walk(book.get("chapters"))
    walk(book.get("appendices"))
    twice = sorted({path for path in found if found.count(path) > 1})
    if twice:
        raise BuildError(f"_quarto.yml lists {len(twice)} pages twice, such as {twice[0]}; keep one of each")
    return found


def _page(root: Path, name: str, target: str, entry: dict) -> Page:
    unknown = [key for key in entry if key not in PAGE_KEYS]
    if unknown:
        raise BuildError(
            f"chapters/parameters.yml, page {name!r}: unknown key {unknown[0]!r}{nearest(unknown[0], list(PAGE_KEYS))}"
        )
    notebook = root / "chapters" / f"{entry.get('notebook', name)}.ipynb"
    if not notebook.is_file():
        known = [path.stem for path in (root / "chapters").glob("*.ipynb")]
        raise BuildError(
            f"page {target} of _quarto.yml has no notebook chapters/{notebook.name}{nearest(notebook.stem, known)}"
        )
    texts = {key: str(entry.get(key, "")) for key in ("title", "nav", "crumb", "accent")}
    return Page(
        name=name,
        target=target,
        notebook=notebook,
        parameters=dict(entry.get("parameters") or {}),
        exhibits=dict(entry.get("exhibits") or {}),
        needs=(ALL,) if entry.get("needs") == ALL else tuple(entry.get("needs") or ()),
        requires=tuple(entry.get("requires") or ()),
        **texts,
    )


def _body(quarto: dict, without: str) -> tuple[str, ...]:
    """Every page with a notebook that is no appendix, but for the one that asks."""
    chapters = listed_pages({"book": {"chapters": (quarto.get("book") or {}).get("chapters")}})
    names = [Path(target).stem for target in chapters if target.endswith(".ipynb")]
    return tuple(name for name in names if name != without)


def _check_needs(pages: list[Page]) -> None:
    names = [page.name for page in pages]
    for page in pages:
        for need in page.needs:
            if need not in names:
                raise BuildError(
                    f"chapters/parameters.yml: page {page.name!r} needs {need!r}, which _quarto.yml does not list"
                    f"{nearest(need, names)}"
                )
    try:
        TopologicalSorter({page.name: page.needs for page in pages}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise BuildError(
            f"chapters/parameters.yml: needs go in a circle: {circle}; remove one of them"
        ) from error
