"""A run that is still valid is shown with the prose of today."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from lib.report.cache import code_tags, renew_prose


def test_a_valid_run_takes_the_chapters_new_prose_and_keeps_its_outputs(tmp_path):
    shown = new_output("display_data", data={"text/plain": "0.61"})
    given = new_code_cell("k = 1  # one", metadata={"tags": ["parameters"]})
    injected = new_code_cell("k = 2", metadata={"tags": ["injected-parameters"]})
    ran = [
        new_raw_cell("---"),
        given,
        injected,
        new_markdown_cell("Old."),
        new_code_cell("show()", outputs=[shown]),
    ]
    written = [
        new_raw_cell("---"),
        given,
        new_markdown_cell("New."),
        new_code_cell("show()"),
        new_markdown_cell("More."),
    ]
    for name, cells in {"ran": ran, "written": written}.items():
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    renew_prose(tmp_path / "ran.ipynb", tmp_path / "written.ipynb")
    cells = nbformat.read(tmp_path / "ran.ipynb", 4).cells
    assert [cell.source for cell in cells] == ["---", "k = 1  # one", "k = 2", "New.", "show()", "More."]
    assert cells[4].outputs[0].data["text/plain"] == "0.61"


def test_tags_of_code_count_for_a_run_and_those_of_prose_do_not(tmp_path):
    tags = {"tags": ["requires:outcome"]}
    cells = [new_markdown_cell("Words.", metadata=tags), new_code_cell("show()", metadata=tags)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "chapter.ipynb")
    assert code_tags(tmp_path / "chapter.ipynb") == ["requires:outcome"]
