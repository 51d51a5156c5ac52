"""A chapter is run only as far as the study can fill it; the rest says what is missing."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from lib.errors import BuildError
from lib.report.requires import display_functions, fit_notebook, shown_labels, unmet


@pytest.fixture
def poor(study):
    """A study without teachers; its codebook names no outcome."""
    bare = replace(study.codebook, columns={}, domains={}, covariate_sets={})
    return replace(study, teachers=None, codebook=bare)


@pytest.fixture
def chapter(tmp_path):
    """A notebook with one cell for everyone and two that need teachers."""
    tags = {"tags": ["requires:teachers"]}
    cells = [
        new_raw_cell("---\ntitle: Who?\n---"),
        new_code_cell("from lib.show.figures import bars\n\neveryone = 1"),
        new_markdown_cell("Of teachers.", metadata=dict(tags)),
        new_code_cell("bars(rows, exhibit=33, title='T', caption='C')", metadata=dict(tags)),
    ]
    path = tmp_path / "chapter.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.mark.parametrize(
    "need",
    [
        "teachers",
        "outcome",
        "mediator:4",
        "environment:7",
        "domain:mindset",
        "domain:mediator",
        "beyond:C_ENV:C_GRADE",
        "column:school",
        "ledger:published",
        "excerpts",
    ],
)
def test_the_shipped_study_has_what_its_exhibits_need(study, need):
    assert unmet(need, study) == ""


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("teachers", "no answers of teachers"),
        ("mediator:9", "names 4 of role mediator, and this needs 9"),
        ("domain:mindset", "joins no scales of role mindset"),
        ("domain:mediator", "joins no scales of role mediator"),
        ("beyond:C_ENV:C_GRADE", "nothing further constant"),
        ("column:school", "no column 'school'"),
        ("ledger:nothing", "holds no nothing"),
    ],
)
def test_what_is_lacking_is_said_in_words(poor, need, words):
    assert words in unmet(need, poor)


def test_an_unknown_need_is_refused_with_the_nearest(study):
    with pytest.raises(BuildError, match="teachers"):
        unmet("teacher", study)


def test_a_chapter_that_the_study_fills_is_run_as_it_is(study, chapter, tmp_path):
    assert fit_notebook(chapter, study, tmp_path) == chapter


def test_cells_that_cannot_be_filled_keep_their_place_and_their_label(poor, chapter, tmp_path):
    cells = nbformat.read(fit_notebook(chapter, poor, tmp_path), 4).cells
    assert "everyone = 1" in cells[1].source and cells[2].source == ""
    assert "'fig-exhibit-33': 33" in cells[3].source and "no answers of teachers" in cells[3].source


def test_a_page_that_cannot_be_filled_says_so_once(poor, chapter, tmp_path):
    fitted = fit_notebook(chapter, poor, tmp_path, needs=("teachers",))
    sources = [cell.source for cell in nbformat.read(fitted, 4).cells]
    assert not any("everyone = 1" in source for source in sources)
    assert sum("absent(" in source for source in sources) == 2  # the page's sentence, and the exhibit's place


def test_labels_are_read_from_calls_that_show_and_from_no_other():
    shows = display_functions(["from lib.show.tables import table\nfrom lib.show.figures import bars"])
    source = (
        "rows = shares(x, exhibit=7)\ntable(x, label='tbl-a', title='t')\nprose('{x}')\nbars(x, exhibit=5)"
    )
    assert shown_labels(source, shows) == {"tbl-a": None, "fig-exhibit-5": 5}
