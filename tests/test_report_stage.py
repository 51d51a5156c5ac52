"""Executed chapters become pages that hold marked outputs and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from lib.analysis.estimates import ESTIMATE_COLUMNS
from lib.errors import BuildError
from lib.report.badges import Badges
from lib.report.marks import MARK, rename
from lib.report.project import Page
from lib.report.stage import NO_BADGES, stage_page

ROW = dict.fromkeys(ESTIMATE_COLUMNS, "") | {
    "row_id": "direct|ms_social_se", "population": "all", "term": "ms_social_se", "estimate": 0.61, "std_error": None,
    "statistic": None, "df": None, "p_value": None, "p_holm": None, "p_bh": None, "conf_low": 0.5, "conf_high": 0.7,
    "n_obs": 869, "n_clusters": None, "unit": "SD per SD", "status": "ok",
}  # fmt: skip
TABLE = {
    "version": 1, "kind": "table", "label": "tbl-exhibit-13", "exhibit": 13, "title": "Mind-sets", "caption": "In SD.",
    "alt": "", "rows": [ROW], "spec": None, "svg": None, "key": "", "table": "<table></table>", "notes": [], "markdown": "",
}  # fmt: skip
PAGE = Page(name="b", target="chapters/b.ipynb", notebook=Path("a.ipynb"), parameters={"population": "focal"})


@pytest.fixture
def stage(tmp_path, study):
    """Stages a page from cells of an executed notebook."""

    def run(cells: list, page: Page = PAGE, badges: Badges = NO_BADGES):
        head = new_raw_cell('---\ntitle: "What of {population}?"\n---')
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "executed.ipynb"
        nbformat.write(new_notebook(cells=[head, *cells], metadata=metadata), path)
        return stage_page(page, path, codebook=study.codebook, run={"data": "synthetic"}, badges=badges)

    return run


def shown(mark: dict):
    """A code cell that displayed one mark."""
    return new_code_cell("table(...)", outputs=[new_output("display_data", {MARK: mark, "text/html": "<p>"})])


def sources(staged) -> str:
    return "\n".join(cell.source for cell in staged.notebook.cells)


def test_a_marked_table_becomes_a_quarto_div_with_the_exhibit_in_its_caption(stage):
    text = sources(stage([shown(TABLE)]))
    assert "::: {#tbl-exhibit-13}\n```{=html}\n<table></table>" in text
    assert "**Mind-sets** Exhibit 13. In SD." in text
    assert not any(cell.get("outputs") for cell in stage([shown(TABLE)]).notebook.cells)


def test_a_page_renumbers_its_exhibits_in_captions_labels_rows_and_prose(stage):
    cells = [new_markdown_cell("See @tbl-exhibit-13 and @fig-exhibit-12."), shown(TABLE)]
    staged = stage(cells, replace(PAGE, exhibits={13: 22, 12: 13}))
    assert "See @tbl-exhibit-22 and @fig-exhibit-13." in sources(staged)
    assert "::: {#tbl-exhibit-22}" in sources(staged) and "Exhibit 22. " in sources(staged)
    assert staged.marks[0]["rows"][0]["exhibit"] == "22"


def test_renaming_happens_at_once_so_that_swapped_numbers_stay_swapped():
    assert rename("@fig-exhibit-1 @fig-exhibit-2", {1: 2, 2: 1}) == "@fig-exhibit-2 @fig-exhibit-1"


def test_labels_of_a_notebook_that_several_pages_run_carry_the_page(stage):
    own = TABLE | {"label": "tbl-sample", "exhibit": None}
    cells = [new_markdown_cell("## One {#sec-one}\n\n@tbl-sample, @sec-one, @sec-one-more"), shown(own)]
    text = sources(stage(cells))
    assert "{#sec-one-b}" in text and "@tbl-sample-b, @sec-one-b, @sec-one-more" in text
    assert "::: {#tbl-sample-b}" in text
    alone = sources(stage(cells, replace(PAGE, name="a")))
    assert "@tbl-sample, @sec-one, @sec-one-more" in alone and "::: {#tbl-sample}" in alone


def test_an_exhibit_the_page_leaves_out_goes_with_its_code(stage):
    staged = stage([shown(TABLE)], replace(PAGE, exhibits={13: None}))
    assert staged.marks == [] and "table(...)" not in sources(staged)


def test_the_title_names_the_population_of_the_page(stage):
    assert "What of Black students?" in stage([]).notebook.cells[0].source


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (new_output("display_data", {"text/html": "<table>"}), "text/html"),
        (new_output("stream", name="stdout", text="0.61"), "text on stdout"),
        (new_output("stream", name="stderr", text="a warning"), "text on stderr"),
        (new_output("execute_result", {"text/plain": "0.61"}, execution_count=1), "text/plain"),
    ],
)
def test_an_unmarked_output_stops_the_build_and_names_chapter_and_cell(stage, output, what):
    with pytest.raises(BuildError, match=rf"a.ipynb \(page b\), cell 3: .*\({what}\)"):
        stage([new_markdown_cell("One."), new_code_cell("show", outputs=[output])])


def test_parameter_cells_are_not_shown_but_listed_in_the_run_box(stage):
    cells = [new_code_cell("k = 1", metadata={"tags": ["injected-parameters"]})]
    text = sources(stage(cells))
    assert "k = 1" not in text and "<dt>data</dt><dd>synthetic</dd>" in text


def test_the_page_data_hold_a_card_for_every_row(stage):
    text = sources(stage([shown(TABLE)]))
    assert (
        '"direct|ms_social_se": {"what": "Social self-efficacy, All students", "estimate": "0.61 SD per SD"'
        in text
    )


def test_a_chapter_without_front_matter_is_refused(tmp_path, study):
    path = tmp_path / "executed.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title")]), path)
    with pytest.raises(BuildError, match="first cell must be a raw cell"):
        stage_page(PAGE, path, codebook=study.codebook, run={})


BADGES = Badges(
    ("1a-1", "1a-2"),
    {"1a-1": {"verdict": "holds", "words": "holds", "robust": "robust in 97%"}},
    "chapters/findings.ipynb",
)


@pytest.mark.parametrize(
    ("target", "href"), [("chapters/b.ipynb", "findings.html"), ("index.ipynb", "chapters/findings.html")]
)
def test_a_badge_says_the_verdict_and_leads_to_the_scorecard(stage, target, href):
    asked = new_markdown_cell('## One\n\n<span data-finding="1a-1"></span> <span data-finding="1a-2"></span>')
    text = sources(stage([asked], replace(PAGE, name="a", target=target), BADGES))
    assert f'<span class="badges"><a href="{href}#f-1a-1">1a-1 <span class="verdict">' in text
    assert "holds</span> <span>robust in 97%</span></a></span>" in text and "1a-2" not in text


def test_a_page_of_a_shared_notebook_shows_the_badges_of_its_own_question(stage):
    both = new_markdown_cell('<span data-finding="1a-1"></span> <span data-finding="1b-1"></span>')
    decided = {key: {"verdict": "holds", "words": "holds"} for key in ("1a-1", "1b-1")}
    text = sources(stage([both], replace(PAGE, name="rq1b"), Badges(tuple(decided), decided)))
    assert "#f-1b-1" in text and "#f-1a-1" not in text


def test_a_badge_for_an_unknown_finding_names_page_and_cell(stage):
    asked = new_markdown_cell('<span data-finding="1a-11"></span>')
    with pytest.raises(BuildError, match=r"a.ipynb \(page b\), cell 2: .*'1a-11'.*did you mean '1a-1'"):
        stage([asked], PAGE, BADGES)


def test_a_study_without_findings_has_no_badges(stage):
    assert "data-finding" not in sources(stage([new_markdown_cell('<span data-finding="1a-1"></span>')]))
