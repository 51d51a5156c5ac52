"""What authors of chapters get wrong: each mistake stops the build and names page and cell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lib.errors import BuildError
from lib.report.render.check import check_stage

STAGE = Path(__file__).parent / "stage"


@pytest.fixture
def stage(tmp_path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(STAGE, copy)
    return copy


def add_cell(stage: Path, text: str, number: int = 41) -> None:
    """Append a Markdown cell to page 2a, as cell ``number`` of the author's notebook."""
    path = stage / "chapters/rq2a.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    cell = {"cell_type": "markdown", "id": "new", "metadata": {"lwo": {"cell": number}}, "source": [text]}
    notebook["cells"].append(cell)
    path.write_text(json.dumps(notebook), "utf-8")


def message(stage: Path) -> str:
    with pytest.raises(BuildError) as caught:
        check_stage(stage)
    return str(caught.value)


def test_the_fixture_is_in_order(stage):
    check_stage(stage)


FIGURE = '::: {{#{label}}}\n```{{=html}}\n<div class="plate"></div>\n```\n\n{caption}\n:::'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FIGURE.format(label="fig-exhibit-12", caption="A caption."),
         ["label fig-exhibit-12 is used 2 times", "rq1a.ipynb, cell 7", "rq2a.ipynb, cell 41"]),
        ("See @fig-exhibit-13.", ["rq2a.ipynb, cell 41: @fig-exhibit-13 points to nothing", "did you mean 'fig-exhibit-"]),
        ("As shown [@hayes2021].", ["rq2a.ipynb, cell 41: @hayes2021 is not in references.bib", "did you mean 'hayes2022'"]),
        ('::: {#fig-new}\n```{=html}\n<div class="plate"></div>\n```\n:::', ["cell 41: fig-new has no caption"]),
        ("{{< include more.md >}}", ["cell 41: {{< include >}} is not supported"]),
        ("See [there](#nowhere).", ["rq2a.ipynb, cell 41: the link #nowhere leads to nothing"]),
        ("See [there](rq1c.ipynb).", ["cell 41: the link rq1c.ipynb leads to nothing"]),
        ("See [there](rq1a.ipynb#nowhere).", ["cell 41: the link rq1a.ipynb#nowhere leads to nothing"]),
        ("A [file](../downloads/none.csv).", ["cell 41: the link ../downloads/none.csv leads to nothing"]),
        ("::: {.callout-note}\nAn open end.", ["rq2a.ipynb, cell 41", "is not closed"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_page_and_cell(stage, text, words):
    add_cell(stage, text)
    said = message(stage)
    assert all(word in said for word in words), said


def test_all_mistakes_are_listed_at_once(stage):
    add_cell(stage, "See @fig-a, @tbl-b and @nobody2020.")
    said = message(stage)
    assert said.startswith("3 problems") and all(w in said for w in ("@fig-a", "@tbl-b", "@nobody2020"))


def test_code_is_not_mistaken_for_references_or_shortcodes(stage):
    add_cell(stage, "Write `@fig-x` or `{{< include x >}}`; mail me at someone@example.org.")
    check_stage(stage)


def test_links_that_lead_somewhere_are_left_alone(stage):
    add_cell(
        stage,
        "[a](rq1a.ipynb#fig-exhibit-12) [b](../index.html#how) [c](#evidence) [d](../downloads/estimates.csv) "
        "[e](https://example.org/x) [f](mailto:someone@example.org) [g](rq1a.html#row-rq1a-env_peer_support)",
    )
    check_stage(stage)


def test_a_page_without_a_file_is_named(stage):
    (stage / "chapters/rq1b.ipynb").unlink()
    assert "_quarto.yml lists chapters/rq1b.ipynb, which does not exist" in message(stage)


def test_a_book_without_an_index_is_refused(stage):
    settings = (stage / "_quarto.yml").read_text().replace("    - index.ipynb\n", "")
    (stage / "_quarto.yml").write_text(settings)
    assert "lists no page index" in message(stage)


def test_a_broken_notebook_is_named(stage):
    (stage / "chapters/rq1b.ipynb").write_text("{")
    assert "chapters/rq1b.ipynb is not a notebook" in message(stage)


def test_a_missing_bibliography_is_named(stage):
    (stage / "references.bib").unlink()
    assert "references.bib, which does not exist" in message(stage)
