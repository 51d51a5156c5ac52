"""A report built from a study whose every id and measured number is a marker, searched for markers byte by byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_markdown_cell

from lib.disclosure.leaks import TOKEN
from lib.disclosure.readers import fragments
from lib.report.build import build
from tests.conftest import ROOT
from tests.disclosure_studies import write_canary_study

COPIED = ("_quarto.yml", "requirements.lock", "chapters", "benchmarks/results")


def build_canary_site(folder: Path, *, pages: tuple[str, ...] = ()) -> tuple[Path, set[str]]:
    """Build the report, or a few of its chapters, from a study of markers.

    Parameters
    ----------
    folder : Path
        An empty folder for project, study and site.
    pages : tuple of str
        Chapters of the report, such as ``study``; none for all of it.

    Returns
    -------
    tuple of Path and set of str
        The site, and the markers that stand in the study's files.
    """
    for name in COPIED:
        source, target = ROOT / name, folder / "project" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    if pages:
        _keep(folder / "project", pages)
    markers = write_canary_study(ROOT / "data", folder / "study")
    with _inside(folder / "project"):
        built = build(study=folder / "study", out=folder / "site", renderer="embedded")
    return built.site, markers


def markers_in(site: Path, markers: set[str]) -> set[str]:
    """Markers that stand in any byte of a site, as it is or unpacked."""
    found: set[str] = set()
    for path in site.rglob("*"):
        if path.is_file():
            found |= _told(path.read_bytes().decode("latin-1"), markers)
    for fragment in fragments(site):
        found |= _told(str(fragment.content), markers) if fragment.kind in ("text", "code", "data") else set()
    return found


def _told(text: str, markers: set[str]) -> set[str]:
    return {token.rstrip(".") for token in TOKEN.findall(text)} & markers


def _keep(project: Path, pages: tuple[str, ...]) -> None:
    """Cut the report down to an opening page and a few chapters."""
    book = yaml.safe_load((project / "_quarto.yml").read_text("utf-8"))
    book["book"] |= {
        "chapters": ["index.ipynb", *(f"chapters/{page}.ipynb" for page in pages)],
        "appendices": [],
    }
    (project / "_quarto.yml").write_text(yaml.safe_dump(book), "utf-8")
    settings = yaml.safe_load((project / "chapters" / "parameters.yml").read_text("utf-8"))
    kept = {page: settings[page] for page in pages if page in settings}
    notebook = nbformat.read(project / "chapters" / "index.ipynb", 4)
    notebook.cells = [*notebook.cells[:2], new_markdown_cell("A few chapters.")]
    nbformat.write(notebook, project / "chapters" / "index.ipynb")
    (project / "chapters" / "parameters.yml").write_text(yaml.safe_dump(kept), "utf-8")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
