"""When a chapter must run again.

A chapter's digest covers everything its results depend on: its code cells and their tags, parameters, the
modules of ``lib`` it imports (by grimp's import graph, with the other files of those rooms), the data, the study's ledgers
that its code names, the lock file and the digests of the pages it needs. Prose and styles are not part of
it; they only render again.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path

import nbformat

from lib.report.project import Project
from lib.study.load import Study

SEPARATOR = "\0"
INJECTED = "injected-parameters"
CAMPAIGNS = "benchmarks/results"
# The data have a hash of their own; the population is read by the simulation alone.
NOT_LEDGERS = {
    "students",
    "teachers",
    "observations",
    "excerpts",
    "codebook",
    "population",
}


def digests(project: Project, parameters: dict[str, dict], study: Study) -> dict[str, str]:
    """Digest of every page, by name.

    Parameters
    ----------
    project : Project
    parameters : dict
        Each page's full parameters, by page name.
    study : Study
        Its data, and the ledgers of its folder (``published.csv`` and YAML files such as ``findings.yml``);
        results of the project's campaigns count as ledgers too.
    """
    lock = project.root / "requirements.lock"
    ledgers = [path for path in sorted(study.folder.iterdir()) if path.suffix in (".yml", ".csv")]
    ledgers += sorted((project.root / CAMPAIGNS).glob("*.json"))
    ground = [study.data_hash, _file_hash(lock) if lock.is_file() else ""]
    found: dict[str, str] = {}
    for page in project.closure([page.name for page in project.pages]):
        code = code_cells(page.notebook)
        named = set(re.findall(r"\w+", "\n".join(code))) - NOT_LEDGERS
        parts = [
            *ground,
            *code,
            *code_tags(page.notebook),
            json.dumps(parameters[page.name], sort_keys=True),
            *page.requires,
            *(_file_hash(path) for path in module_files(imported_modules(code))),
            *(_file_hash(path) for path in ledgers if path.stem in named),
            *(found[need] for need in page.needs),
        ]
        found[page.name] = hashlib.sha256(SEPARATOR.join(parts).encode()).hexdigest()
    return found


def code_cells(notebook: Path) -> list[str]:
    """Sources of a notebook's code cells."""
    return ["".join(cell["source"]) for cell in _code(notebook)]


def code_tags(notebook: Path) -> list[str]:
    """Tags of a notebook's code cells: they say which of them a study can fill."""
    return [" ".join(cell["metadata"].get("tags", ())) for cell in _code(notebook)]


def _code(notebook: Path) -> list[dict]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def renew_prose(executed: Path, notebook: Path) -> None:
    """Give a run that is still valid the prose that its chapter has now.

    Parameters
    ----------
    executed : Path
        The notebook that papermill wrote; its code cells and their outputs stay.
    notebook : Path
        The chapter as far as the study can fill it, with the same code cells.
    """
    ran, written = nbformat.read(executed, 4), nbformat.read(notebook, 4)
    injected = [cell for cell in ran.cells if INJECTED in cell.metadata.get("tags", ())]
    code = iter([cell for cell in ran.cells if cell.cell_type == "code" and cell not in injected])
    cells = []
    for cell in written.cells:
        cells.append(next(code) if cell.cell_type == "code" else cell)
        cells += injected if "parameters" in cell.metadata.get("tags", ()) else []
    if cells != ran.cells:
        ran.cells = cells
        nbformat.write(ran, executed)


def imported_modules(code: list[str]) -> set[str]:
    """Modules of ``lib`` that code cells import; a cell that is not Python is left to the run to report."""
    found = set()
    for source in code:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lib"):
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if alias.name.startswith("lib")}
    return found


def module_files(modules: set[str]) -> list[Path]:
    """Files behind modules and all they import, and the other files of their rooms, in order."""
    import lib

    root = Path(lib.__file__).parents[1]
    graph = _import_graph()
    reached = {module for module in modules if module in graph.modules}
    for module in tuple(reached):
        reached |= graph.find_upstream_modules(module)
    paths = set()
    for module in reached:
        path = root.joinpath(*module.split("."))
        paths.add(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    rooms = {path.parent for path in paths}
    paths |= {
        file
        for room in rooms
        for file in room.iterdir()
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    return sorted(paths)


@cache
def _import_graph():
    import grimp

    return grimp.build_graph("lib", cache_dir=None)


@cache
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
