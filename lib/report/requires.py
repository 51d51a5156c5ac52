"""What a chapter needs of a study, and what is left of it where the study has it not.

A cell says so by a tag, a whole page by ``requires`` in ``chapters/parameters.yml``:

===========================  ===========================================================================
``requires:teachers``        a file: ``teachers``, ``observations`` or ``excerpts``
``requires:outcome``         a role: ``outcome``, ``mediator``, ``exposure``, ``environment``, ``mindset``
``requires:mediator:3``      at least so many of a role
``requires:domain:mindset``  a domain of a role; of ``mediator``, that the first mediator is a domain
``requires:beyond:A:B``      in covariate set B a column that set A has not
``requires:column:school``   a column of the codebook
``requires:ledger:rules``    an optional file of the study folder, here ``rules.yml``
===========================  ===========================================================================

A cell whose need is not met is not run. Where it would have shown a figure or table, the page says under the
same label that the study does not cover it; nothing else of the cell remains.
"""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lib.errors import BuildError
from lib.study.codebook import nearest
from lib.study.load import Study

TAG = "requires:"
FILES = {
    "teachers": "this study has no answers of teachers",
    "observations": "this study has no classroom visits",
    "excerpts": "this study has no coded remarks",
}
ROLES = ("exposure", "environment", "mindset", "outcome", "mediator")
TABLES = (
    "tables",
    "ledger",
    "codebook_tables",
    "scorecard",
    "verdicts",
)  # rooms of lib.show that make tables


def unmet(need: str, study: Study) -> str:
    """What a study lacks of a need, in words; empty where it lacks nothing.

    Raises
    ------
    BuildError
        If there is no such need; the nearest is suggested.
    """
    kind, _, detail = need.partition(":")
    book = study.codebook
    if kind in FILES:
        return "" if getattr(study, kind) is not None else FILES[kind]
    if kind in ROLES and (not detail or detail.isdigit()):
        wanted = int(detail or 1)
        found = {"outcome": book.outcomes, "mediator": book.mediators}.get(kind)
        count = len(book.scales_with(kind) if found is None else found)
        return (
            "" if count >= wanted else f"its codebook names {count} of role {kind}, and this needs {wanted}"
        )
    if kind == "domain" and detail in ROLES:
        joined = [key for key, domain in book.domains.items() if domain.role == detail]
        found = [key for key in book.mediators[:1] if key in book.domains] if detail == "mediator" else joined
        return "" if found else f"its codebook joins no scales of role {detail} in a domain"
    if kind == "beyond" and detail.count(":") == 1:
        fewer, more = (set(book.covariate_sets.get(name, ())) for name in detail.split(":"))
        return "" if more - fewer else "its codebook holds nothing further constant here"
    if kind == "column" and detail:
        return "" if detail in book.columns else f"its codebook has no column {detail!r}"
    if kind == "ledger" and detail:
        found = any((study.folder / f"{detail}{ending}").is_file() for ending in (".yml", ".csv"))
        return "" if found else f"its folder holds no {detail}"
    known = [*FILES, *ROLES, "domain:ROLE", "beyond:SET:SET", "column:NAME", "ledger:NAME"]
    raise BuildError(f"a chapter cannot require {need!r}{nearest(need, known)}; known are {', '.join(known)}")


def fit_notebook(notebook: Path, study: Study, folder: Path, *, needs: tuple[str, ...] = ()) -> Path:
    """The notebook that this study can fill: the chapter itself, or a copy without the cells it cannot.

    Parameters
    ----------
    notebook : Path
        The chapter.
    study : Study
    folder : Path
        Where a copy is written.
    needs : tuple of str
        What the whole page needs.

    Returns
    -------
    Path
        Cells keep their places, so that messages name the author's cell.
    """
    content = nbformat.read(notebook, 4)
    shows = display_functions([cell.source for cell in content.cells if cell.cell_type == "code"])
    lacking = "; ".join(filter(None, (unmet(need, study) for need in needs)))
    changed = [_fit(cell, study, lacking, shows) for cell in content.cells[1:]]
    if lacking:
        _say_once(content.cells[1:], lacking, shows)
    if not any(changed):
        return notebook
    copy = folder / f"{notebook.stem}.fitted.ipynb"
    nbformat.write(content, copy)
    return copy


def _fit(cell: NotebookNode, study: Study, lacking: str, shows: dict[str, str]) -> bool:
    """Leave out one cell if the page, or the cell itself, needs what is not there."""
    tags = cell.metadata.get("tags", [])
    needs = [tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)]
    reason = lacking or "; ".join(filter(None, (unmet(need, study) for need in needs)))
    if not reason or "parameters" in tags:
        return False
    labels = shown_labels(cell.source, shows) if cell.cell_type == "code" else {}
    cell.source = _absent(reason, labels) if labels else ""
    cell.metadata["tags"] = [*tags, "remove-input"]
    return True


def _say_once(cells: list[NotebookNode], lacking: str, shows: dict[str, str]) -> None:
    first = next(
        cell for cell in cells if cell.cell_type == "code" and "remove-input" in cell.metadata.get("tags", ())
    )
    first.source = _absent(lacking, shown_labels(first.source, shows))


def _absent(reason: str, labels: dict[str, int | None]) -> str:
    return f"from lib.show.absent import absent\n\nabsent({reason!r}, {labels!r})"


def display_functions(code: list[str]) -> dict[str, str]:
    """Functions that code imports from ``lib.show``, each with the kind of label it gives: ``fig`` or ``tbl``."""
    found = {}
    for source in code:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lib.show."):
                kind = "tbl" if node.module.split(".")[-1] in TABLES else "fig"
                found |= {alias.asname or alias.name: kind for alias in node.names}
    return found


def shown_labels(source: str, shows: dict[str, str]) -> dict[str, int | None]:
    """Labels of the figures and tables that a cell shows, each with its exhibit number or None."""
    found = {}
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in shows:
            continue
        words = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
        if words.get("exhibit") is not None:
            found[f"{shows[call.func.id]}-exhibit-{words['exhibit']}"] = words["exhibit"]
        elif words.get("label"):
            found[words["label"]] = None
    return found
