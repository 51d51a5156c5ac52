"""When a chapter must run again.

A chapter's digest covers everything its results depend on: its code cells, parameters, the modules of
``lib`` it imports (by grimp's import graph, with the other files of those rooms), the data, the study's ledgers
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

from lib.report.project import Project
from lib.study.load import Study

SEPARATOR = "\0"
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
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


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
