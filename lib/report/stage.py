"""From an executed chapter to a page that Quarto or the embedded renderer can typeset.

A staged notebook holds prose and code as written, and after each code cell one Markdown cell per marked
output: a Quarto div with the figure or table as HTML and its caption. Nothing else of the outputs
survives; an output that ``lib.show`` did not mark stops the build.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook, new_raw_cell

from lib.errors import BuildError
from lib.report.badges import Badges
from lib.report.cards import card
from lib.report.filters import filter_html
from lib.report.marks import MARK, defined_labels, make_own, published_rows, rename, renumber
from lib.report.project import Page
from lib.study.codebook import Codebook

NO_BADGES = Badges()
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*\Z", re.S)
DROPPED_TAGS = {"parameters", "injected-parameters", "remove-cell"}


@dataclass(frozen=True)
class StagedPage:
    """A page ready to typeset, and the results it shows.

    Attributes
    ----------
    notebook : NotebookNode
        Prose, code without outputs, figures and tables as Quarto divs.
    marks : list of dict
        The marked outputs, with the exhibit numbers of this page.
    """

    notebook: NotebookNode
    marks: list[dict]


def stage_page(
    page: Page, executed: Path, *, codebook: Codebook, run: dict, badges: Badges = NO_BADGES
) -> StagedPage:
    """Turn an executed chapter into a staged page.

    Parameters
    ----------
    page : Page
        Its place in the report.
    executed : Path
        The notebook that papermill wrote.
    codebook : Codebook
        Labels for titles and number cards, and whether the data are synthetic.
    run : dict
        What the box "Parameters of this run" prints: names and values.
    badges : Badges
        Verdicts for the places that ask for one.

    Raises
    ------
    BuildError
        If a cell shows anything that ``lib.show`` did not mark, or a badge names no finding.
    """
    notebook = nbformat.read(executed, 4)
    head, cells = split_front_matter(notebook, executed)
    taken = [
        (number, cell, [renumber(mark, page.exhibits) for mark in marked_outputs(cell, page, number)])
        for number, cell in source_numbers(cells, first=2)
        if not DROPPED_TAGS & set(cell.metadata.get("tags", ()))
    ]
    shared = page.notebook.stem != page.name  # several pages may run this notebook: their labels must differ
    texts = [cell.source for _, cell, _ in taken if cell.cell_type == "markdown"]
    kept = [mark for _, _, found in taken for mark in found if mark is not None]
    own = defined_labels(texts, kept) if shared else set()
    named = [_own_label(mark, own, page) for mark in kept]
    staged, marks = [], []
    for number, cell, found in taken:
        shown = [_own_label(mark, own, page) for mark in found if mark is not None]
        if found and not shown:
            continue  # the page leaves these exhibits out, and the code that draws them
        if cell.cell_type == "markdown":
            text = make_own(rename(cell.source, page.exhibits), own, page.name)
            staged.append(_prose(badges.fill(text, page, number), number))
        elif cell.cell_type == "code":
            staged.append(_code(cell, number))
            staged += [_prose(mark_markdown(mark, page, named), number) for mark in shown]
        marks += shown
    title = page_head(head, page, codebook)
    staged.append(_prose(closing(marks, run, codebook), 0))
    front = new_raw_cell("---\n" + yaml.safe_dump(title, sort_keys=False, allow_unicode=True) + "---")
    result = new_notebook(cells=[front, *staged], metadata={"kernelspec": dict(notebook.metadata.kernelspec)})
    for index, cell in enumerate(result.cells):
        cell["id"] = f"{page.name}-{index}"  # random ids would make two equal builds differ
    return StagedPage(notebook=result, marks=marks)


def _own_label(mark: dict, own: set[str], page: Page) -> dict:
    return mark | {"label": f"{mark['label']}-{page.name}"} if mark["label"] in own else mark


def page_head(head: dict, page: Page, codebook: Codebook) -> dict:
    """Front matter of the page: the notebook's own, and what the report says of the page."""
    named = str(page.parameters.get("population") or "")
    key = {"focal": codebook.focal, "reference": codebook.reference}.get(named, named)
    population = codebook.populations[key].label if key in codebook.populations else ""
    given = {"title": page.title, "nav": page.nav, "crumb": page.crumb}
    words = {"title": page.name} | head | {key: text for key, text in given.items() if text}
    worded = {key: str(text).replace("{population}", population) for key, text in words.items()}
    return worded | {"page": page.name, "accent": page.accent, "synthetic": codebook.synthetic}


def split_front_matter(notebook: NotebookNode, path: Path) -> tuple[dict, list]:
    """The YAML head of a chapter's first cell, and the other cells."""
    first = notebook.cells[0] if notebook.cells else None
    match = FRONT_MATTER.match(first.source.strip()) if first and first.cell_type != "code" else None
    if not match:
        raise BuildError(f"{path.name}: the first cell must be a raw cell with YAML between two lines of ---")
    return yaml.safe_load(match[1]) or {}, list(notebook.cells[1:])


def source_numbers(cells: list, *, first: int) -> list[tuple[int, NotebookNode]]:
    """Each cell with its place in the author's notebook; papermill's injected cell has none."""
    numbered, number = [], first
    for cell in cells:
        injected = "injected-parameters" in cell.metadata.get("tags", ())
        numbered.append((number, cell))
        number += 0 if injected else 1
    return numbered


def marked_outputs(cell: NotebookNode, page: Page, number: int) -> list[dict]:
    """Marks of a code cell's outputs; anything unmarked stops the build."""
    found = []
    for output in cell.get("outputs", ()) if cell.cell_type == "code" else ():
        data = output.get("data", {})
        if MARK not in data:
            what = {"stream": f"text on {output.get('name', 'stdout')}"}.get(
                output.output_type, ", ".join(data)
            )
            raise BuildError(
                f"chapter {page.notebook.name} (page {page.name}), cell {number}: an output that lib.show did not make "
                f"({what or output.output_type}); show it through lib.show, or end the line with a semicolon"
            )
        found.append(dict(data[MARK]))
    return found


def mark_markdown(mark: dict, page: Page, marks: list[dict]) -> str:
    """Markdown of one marked output: prose as it is, a figure or table as a Quarto div, a filter as HTML.

    ``marks`` are those of the whole page, which a filter moves.
    """
    if mark["kind"] in ("prose", "note"):
        return mark["markdown"]
    if mark["kind"] == "filter":
        return f"```{{=html}}\n{filter_html(mark, marks, page=page.name, up=page.up)}\n```"
    label = mark["label"]
    body = (
        [plate(mark, page)]
        if mark["kind"] != "table"
        else [mark["table"], notes(mark), downloads(mark, page)]
    )
    number = f"Exhibit {mark['exhibit']}. " if mark["exhibit"] is not None else ""
    title = f"**{mark['title']}** " if mark["title"] else ""
    return f"::: {{#{label}}}\n```{{=html}}\n{''.join(body)}\n```\n\n{title}{number}{mark['caption']}\n:::"


def plate(mark: dict, page: Page) -> str:
    """A figure: its key, the drawing for wide and for narrow columns, its data."""
    table = (
        f'<details class="data"><summary>Data of this figure</summary>{mark["table"]}{downloads(mark, page)}</details>'
        if mark["table"]
        else ""
    )
    return f'<div class="plate">{mark["key"]}{drawings(mark)}{notes(mark)}{table}</div>'


def drawings(mark: dict) -> str:
    """Inline SVG, wide and narrow; a chart is drawn from its specification, a diagram is already one."""
    if mark.get("svg"):
        return mark["svg"]["wide"] + mark["svg"]["narrow"]
    from lib.show.svg import svg

    return "".join(
        svg(
            mark["spec"][width],
            width=width,
            title=mark["title"],
            alt=mark["alt"],
            id=f"{mark['label']}-{width}",
        )
        for width in ("wide", "narrow")
    )


def notes(mark: dict) -> str:
    return "".join(f'<p class="notes">{html.escape(note)}</p>' for note in mark["notes"])


def downloads(mark: dict, page: Page) -> str:
    if not mark["rows"]:
        return ""
    return f'<p class="download">Download: <a href="{page.up}downloads/{page.name}-{mark["label"]}.csv">CSV</a></p>'


def closing(marks: list[dict], run: dict, codebook: Codebook) -> str:
    """The run box, and what the number cards of the page say, as inline JSON."""
    entries = "".join(
        f"<div><dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd></div>"
        for name, value in run.items()
    )
    box = f'<aside class="run" aria-label="Parameters of this run"><p>Parameters of this run</p><dl>{entries}</dl></aside>'
    told = {row_id: row for row_id, row in published_rows(marks).items() if row["model"] != "specification"}
    rows = {row_id: card(row, codebook) for row_id, row in told.items()}  # a curve's points have no card
    data = json.dumps({"rows": rows}, ensure_ascii=False).replace("</", "<\\/")
    return f'```{{=html}}\n{box}\n<script type="application/json" id="page-data">{data}</script>\n```'


def _prose(text: str, number: int) -> NotebookNode:
    return new_markdown_cell(text, metadata={"lwo": {"cell": number}})


def _code(cell: NotebookNode, number: int) -> NotebookNode:
    tags = [tag for tag in cell.metadata.get("tags", ()) if tag.startswith("remove-")]
    metadata = {"lwo": {"cell": number}} | ({"tags": tags} if tags else {})
    return nbformat.v4.new_code_cell(cell.source, metadata=metadata)
