"""The embedded renderer on a stage written by hand: numbers, references and forms as Quarto has them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from lxml import html

from lib.errors import BuildError
from lib.report.render.embedded import render, render_single
from lib.report.render.search import page_words, sections

STAGE = Path(__file__).parent / "stage"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    render(STAGE, out)
    return out


def tree(site: Path, path: str):
    return html.document_fromstring((site / path).read_text("utf-8"))


def text(element) -> str:
    return " ".join(element.text_content().split())


def test_every_page_of_the_book_has_its_address(site):
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert pages == {
        "index.html", "exhibits.html", "chapters/rq1a.html", "chapters/rq1b.html", "chapters/rq2a.html",
        "chapters/models.html", "chapters/references.html",
    }  # fmt: skip


# Quarto 1.9 prints these numbers for this book: chapters count from the index, appendices from A.
@pytest.mark.parametrize(
    ("page", "anchor", "number"),
    [
        ("chapters/rq1a.html", "fig-exhibit-12", "Figure 2.1"),
        ("chapters/rq1a.html", "tbl-exhibit-6", "Table 2.1"),
        ("chapters/rq1a.html", "tbl-plain", "Table 2.2"),
        ("chapters/rq1b.html", "fig-exhibit-21", "Figure 3.1"),
    ],
)
def test_floats_are_numbered_by_chapter(site, page, anchor, number):
    figure = tree(site, page).get_element_by_id(anchor)
    assert figure.tag == "figure"
    assert text(figure.find("figcaption")).startswith(number)


@pytest.mark.parametrize(
    ("page", "href", "words"),
    [
        ("index.html", "chapters/rq1a.html#fig-exhibit-12", "Figure 2.1"),
        ("index.html", "chapters/rq1a.html#sec-measures", "Section 2.1"),
        ("index.html", "chapters/models.html#sec-models", "Appendix A"),
        ("chapters/rq1a.html", "#fig-exhibit-12", "Figure 2.1"),
        ("chapters/rq1a.html", "#tbl-exhibit-6", "Table 2.1"),
        ("chapters/rq1a.html", "rq1b.html#fig-exhibit-21", "Figure 3.1"),
        ("chapters/rq1a.html", "#eq-measurement", "Equation 2.1"),
        ("chapters/rq1b.html", "rq1a.html#fig-exhibit-12", "Figure 2.1"),
        ("exhibits.html", "chapters/rq1b.html#fig-exhibit-21", "Figure 3.1"),
    ],
)
def test_references_lead_across_chapters(site, page, href, words):
    links = [a for a in tree(site, page).xpath("//main//a") if a.get("href") == href]
    assert [text(link) for link in links if text(link) == words]


def test_the_list_of_figures_gives_a_title_without_its_markup(site):
    lines = [text(item) for item in tree(site, "exhibits.html").xpath("//main//li")]
    assert "Figure 3.1: The pattern is the same for Black students" in lines


def test_headings_are_numbered_unless_marked(site):
    headings = [text(h) for h in tree(site, "chapters/rq1a.html").xpath("//main//h2 | //main//h3")]
    assert headings[:3] == ["2.1 Measures and sample", "2.2 Evidence", "2.2.1 By hand"]
    assert "What this cannot show" in [text(h) for h in tree(site, "chapters/rq1b.html").xpath("//main//h2")]


def test_citations_lead_to_one_list_for_the_book(site):
    chapter = tree(site, "chapters/rq1a.html")
    assert [text(c) for c in chapter.find_class("citation")] == ["(Bollen 1989, ch. 7)", "Hayes (2022)"]
    assert chapter.xpath("//a[@role='doc-biblioref']/@href")[0] == "references.html#ref-bollen1989"
    assert not chapter.xpath("//*[@id='refs']")
    entries = tree(site, "chapters/references.html").find_class("csl-entry")
    assert [entry.get("id") for entry in entries] == ["ref-bollen1989", "ref-hayes2022"]


def test_works_of_one_year_are_told_apart_across_pages(tmp_path):
    """Two works of 2022, each cited on one page: APA-like styles print 2022a and 2022b, as in the list."""
    stage = tmp_path / "stage"
    shutil.copytree(STAGE, stage)
    (stage / "references.bib").open("a").write(
        "@book{other, author = {Hayes, Andrew F.}, title = {Z}, year = {2022}}"
    )
    (stage / "chapters/models.md").write_text("# Models {#sec-models}\n\nSee [@other].\n")
    render(stage, tmp_path / "site")
    assert "(Hayes 2022b)" in text(tree(tmp_path / "site", "chapters/models.html").find_class("citation")[0])
    assert "Hayes (2022a)" in text(tree(tmp_path / "site", "chapters/rq1a.html").find_class("citation")[1])


def test_a_book_without_a_list_page_lists_at_the_end_of_each_page(tmp_path):
    stage = tmp_path / "stage"
    shutil.copytree(STAGE, stage)
    settings = (stage / "_quarto.yml").read_text().replace("    - chapters/references.md\n", "")
    (stage / "_quarto.yml").write_text(settings)
    render(stage, tmp_path / "site")
    chapter = tree(tmp_path / "site", "chapters/rq1b.html")
    assert [entry.get("id") for entry in chapter.find_class("csl-entry")] == ["ref-hayes2022"]
    assert chapter.xpath("//a[@role='doc-biblioref']/@href") == ["#ref-hayes2022"]


def test_math_is_mathml_and_code_is_highlighted_by_classes(site):
    chapter = (site / "chapters/rq1a.html").read_text("utf-8")
    assert "<math" in chapter
    assert re.search(r'<span class="op">=</span>', chapter)


def test_code_of_a_figure_folds_inside_it(site):
    figure = tree(site, "chapters/rq1a.html").get_element_by_id("fig-exhibit-12")
    assert "direct_effects" in text(figure.xpath(".//details[@class='code']")[0])


def test_drawings_pass_through_unchanged(site):
    chapter = (site / "chapters/rq1a.html").read_text("utf-8")
    staged = "".join(
        "".join(cell["source"])
        for cell in json.loads((STAGE / "chapters/rq1a.ipynb").read_text("utf-8"))["cells"]
    )
    drawings = re.findall(r"<svg class=\"chart.*?</svg>", staged)
    assert len(drawings) == 2 and all(drawing in chapter for drawing in drawings)


def test_pages_carry_the_policy_and_no_inline_script(site):
    for path in site.rglob("*.html"):
        page = html.document_fromstring(path.read_text("utf-8"))
        policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert policy == ["default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"]
        scripts = page.xpath("//script[not(@src)][not(@type='application/json')]")
        assert not scripts and not page.xpath("//@*[starts-with(name(), 'on')]")


def test_synthetic_data_are_announced_on_every_page(site):
    for path in site.rglob("*.html"):
        notice = html.document_fromstring(path.read_text("utf-8")).find_class("synthetic")
        assert text(notice[0]).startswith("Synthetic data."), path


def test_callouts_tabs_footnotes_and_links_to_notebooks(site):
    chapter = tree(site, "chapters/rq1a.html")
    assert text(chapter.find_class("callout-title")[0]) == "About the sample"
    assert text(chapter.xpath("//details[contains(@class,'callout')]/summary")[0]) == "Order in time"
    assert [text(name) for name in chapter.find_class("tab-name")] == ["First way", "Second way"]
    assert text(chapter.xpath("//*[@role='doc-endnotes']//li")[0]).startswith("Words of the note.")
    assert tree(site, "chapters/rq2a.html").xpath("//a[@href='rq1a.html#fig-exhibit-12']")


def test_a_title_is_text_whatever_it_holds(tmp_path):
    stage = tmp_path / "stage"
    shutil.copytree(STAGE, stage)
    (stage / "chapters/models.md").write_text(
        "# *Models* <script>alert(1)</script> {#sec-models}\n\nWords.\n"
    )
    render(stage, tmp_path / "site")
    page = tree(tmp_path / "site", "chapters/models.html")
    assert text(page.find(".//h1")) == "Models <script>alert(1)</script>"


def test_pages_turn_in_reading_order(site):
    turn = tree(site, "chapters/rq1b.html").find_class("turn")[0]
    assert turn.xpath("a/@href") == ["rq1a.html", "rq2a.html"]


def test_words_of_each_page_are_those_on_record(site):
    """The record was read against the stage by eye; it keeps both renderers to the same text."""
    record = json.loads((STAGE / "words.json").read_text("utf-8"))
    pages = {p.relative_to(site).as_posix(): p.read_text("utf-8") for p in site.rglob("*.html")}
    assert {path: " ".join(page_words(page)) for path, page in pages.items()} == record


def test_cells_of_a_table_are_no_sentence_of_the_search(site):
    table = "<table><tr><th>Teachers by subject</th><td>2</td><td>total teachers (17)</td></tr></table>"
    (entry,) = sections("a.html", "A", f"<p>One <em>word</em>s.</p>{table}")
    assert (
        entry.text
        == "One words. Teachers by subject \N{MIDDLE DOT} 2 \N{MIDDLE DOT} total teachers (17) \N{MIDDLE DOT}"
    )


def test_two_renderings_are_equal(site, tmp_path):
    render(STAGE, tmp_path / "again")
    for path in site.rglob("*.html"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(site)).read_bytes()


@pytest.mark.parametrize(
    ("name", "words"), [("rq1b", "all students: Exhibit 12 in measures."), ("rq2a", "on another page")]
)
def test_one_page_alone_needs_no_other_file(tmp_path, name, words):
    out = tmp_path / "page.html"
    render_single(STAGE / f"chapters/{name}.ipynb", STAGE, out)
    page = html.document_fromstring(out.read_text("utf-8"))
    assert page.xpath("//@src") == [] and page.xpath("//link/@href") == []
    assert all(href.startswith("#") for href in page.xpath("//main//a/@href"))
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv]/@content")[0]
    assert words in text(page.xpath("//main")[0])


def test_nothing_is_written_when_a_page_is_wrong(tmp_path):
    stage = tmp_path / "stage"
    shutil.copytree(STAGE, stage)
    (stage / "chapters/models.md").write_text("# Models\n\nSee @fig-nowhere.\n")
    with pytest.raises(BuildError, match="@fig-nowhere"):
        render(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()
