"""Every notebook is held to the house style: prose argues, code computes, no result is typed."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest

from lib.report.project import load_project
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
TYPED_DECIMAL = re.compile(r"(?<![\w.@-])[-−]?\d*\.\d+")
LABEL = re.compile(r"@((?:fig|tbl|sec)-[\w-]+)")
OWN_LABEL = re.compile(r'label="([\w-]+)"')
CAUSAL = re.compile(r"\b(effects? of|due to|mediates?|causes?|caused|impacts?|leads? to|improves?)\b", re.I)
MOST_LINES = 10
FULL_LINE, FEWEST_WORDS = (
    80,
    5,
)  # words of prose to a line of code, in which the templates of sentences count as code


def read(path):
    return nbformat.read(path, 4)


def prose_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell):
    """Calls that display something, as (function, keyword arguments)."""
    calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    return [
        (call.func.id, {word.arg: word.value for word in call.keywords})
        for call in calls
        if isinstance(call.func, ast.Name)
    ]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return read(request.param)


def test_it_begins_with_a_title_that_asks_a_question(notebook):
    assert notebook.cells[0].cell_type == "raw"
    assert re.search(r'^title: ".+\?"$', notebook.cells[0].source, re.M)


def test_it_has_one_parameters_cell_whose_every_line_is_annotated_and_explained(notebook):
    tagged = [cell for cell in code_of(notebook) if "parameters" in cell.metadata.get("tags", ())]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.match(r"^\w+: (str|int|float|bool|list\[\w+\]) = \S.*  # \S", line), line


def test_it_stores_no_output_and_no_execution_count(notebook):
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in code_of(notebook))


def test_its_cells_are_short_and_hold_no_plumbing(notebook):
    for cell in code_of(notebook):
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert not [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))], cell.source
        statements = [
            node for node in ast.parse(cell.source).body if not isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        assert len(statements) <= MOST_LINES, cell.source
        assert not re.search(r"['\"][./~]*\w+/\w+", cell.source), "a file path stands in a chapter"


def test_its_prose_types_no_result(notebook):
    for source in prose_of(notebook):
        words = re.sub(r"`[^`]*`|\{[^}]*\}|\[@[^\]]*\]", "", source)
        assert not TYPED_DECIMAL.search(words), TYPED_DECIMAL.search(words)


def test_its_own_words_are_not_causal(notebook):
    for source in prose_of(notebook):
        assert not CAUSAL.search(re.sub(r'"[^"]*"|\*[^*]*\*|“[^”]*”', "", source)), CAUSAL.search(source)


def test_every_figure_and_table_is_captioned_titled_and_cited(notebook):
    cited = {label for source in prose_of(notebook) for label in LABEL.findall(source)}
    for cell in code_of(notebook):
        for function, words in shown(cell):
            kind = {
                "dot_interval": "fig",
                "before_after": "fig",
                "bars": "fig",
                "table": "tbl",
                "definitions": "tbl",
            }
            if function not in kind:
                continue
            assert "caption" in words and "title" in words, cell.source
            label = words.get("label")
            name = label.value if label else f"{kind[function]}-exhibit-{words['exhibit'].value}"
            assert name in cited, f"{name} is shown and never cited"


def test_prose_outweighs_code(notebook):
    words = sum(len(source.split()) for source in prose_of(notebook))
    characters = sum(len(line.strip()) for cell in code_of(notebook)[2:] for line in cell.source.splitlines())
    lines = characters / FULL_LINE  # however the code is wrapped
    assert words >= FEWEST_WORDS * lines


def test_no_two_pages_use_one_label():
    # pages that share a notebook are staged with their names behind its labels
    alone = [page.notebook for page in load_project(ROOT).pages if page.notebook.stem == page.name]
    labels = [
        label
        for path in alone
        for label in {found for cell in code_of(read(path)) for found in OWN_LABEL.findall(cell.source)}
    ]
    assert [label for label in sorted(set(labels)) if labels.count(label) > 1] == []
