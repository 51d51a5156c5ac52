"""The Quarto renderer: against a stand-in for the program, and against Quarto itself where it is installed."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import html

from lib.errors import BuildError
from lib.report.render import embedded, quarto
from lib.report.render.search import page_words
from tests.quarto_stub import install

STAGE = Path(__file__).parent / "stage"


@pytest.fixture
def stub(tmp_path, monkeypatch) -> None:
    """Put the stand-in first on PATH."""
    monkeypatch.setenv("PATH", install(tmp_path))


@pytest.fixture
def site(stub, tmp_path) -> Path:
    quarto.render(STAGE, tmp_path / "site")
    return tmp_path / "site"


def test_quarto_is_called_as_documented_on_a_copy(site):
    seen = json.loads((site / "settings.json").read_text())
    command, project, *options = seen["arguments"]
    assert command == "render" and options == ["--to", "html", "--no-execute"]
    assert Path(project) != STAGE and not (STAGE / "_site").exists()
    settings = seen["settings"]
    assert settings["project"] == {"type": "book", "output-dir": "_site"}
    assert settings["execute"] == {"enabled": False}
    assert settings["format"]["html"]["html-math-method"] == "mathml"


def test_addresses_are_those_of_the_embedded_renderer(site, tmp_path):
    embedded.render(STAGE, tmp_path / "embedded")

    def addresses(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}

    assert addresses(site) == addresses(tmp_path / "embedded")


def test_nothing_of_another_host_is_left(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        left = re.sub(r'<link rel="canonical"[^>]*>', "", path.read_text("utf-8"))
        assert "example.org" not in left, path


def test_inline_scripts_are_files_and_data_stay(site):
    page = html.document_fromstring((site / "chapters/rq1a.html").read_text("utf-8"))
    inline = page.xpath("//script[not(@src)]")
    assert [script.get("id") for script in inline] == ["quarto-search-options"]
    for address in page.xpath("//script/@src"):
        assert (site / "chapters" / address).is_file(), address


def test_pages_carry_the_notice_and_the_styles(site):
    for path in site.rglob("*.html"):
        page = html.document_fromstring(path.read_text("utf-8"))
        assert page.xpath("//main/aside[@class='synthetic']"), path
        for address in page.xpath("//link[@rel='stylesheet']/@href"):
            assert (path.parent / address).is_file(), address


def test_progress_is_passed_on(stub, tmp_path):
    steps = []
    quarto.render(STAGE, tmp_path / "site", progress=lambda *step: steps.append(step))
    assert steps[0] == ("index.ipynb", 1, 7) and steps[-1] == ("exhibits.md", 7, 7)


def changed_stage(tmp_path, text: str) -> Path:
    stage = tmp_path / "stage"
    shutil.copytree(STAGE, stage)
    (stage / "chapters/models.md").write_text(f"# Models {{#sec-models}}\n\n{text}\n")
    return stage


def test_a_failure_quotes_what_quarto_said(stub, tmp_path):
    with pytest.raises(BuildError) as caught:
        quarto.render(changed_stage(tmp_path, "FAIL"), tmp_path / "site")
    said = str(caught.value)
    assert "exit status 1" in said and "_build/project/chapters/models.md: the cell could not be read" in said
    assert "\x1b" not in said and not (tmp_path / "site").exists()


def test_a_picture_of_another_host_stops_the_build(stub, tmp_path):
    with pytest.raises(BuildError, match=r"models\.html asks pictures\.example\.org"):
        quarto.render(changed_stage(tmp_path, "PICTURE"), tmp_path / "site")


def test_authors_mistakes_stop_before_quarto_starts(stub, tmp_path):
    with pytest.raises(BuildError, match=r"models\.md, cell 1: @fig-nowhere points to nothing"):
        quarto.render(changed_stage(tmp_path, "FAIL @fig-nowhere"), tmp_path / "site")


def test_without_quarto_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="quarto is not on PATH; install it"):
        quarto.render(STAGE, tmp_path / "site")


@pytest.mark.skipif(
    shutil.which("quarto") is None, reason="Quarto is not on PATH; conda install quarto runs this test"
)
def test_quarto_itself_makes_the_same_pages(tmp_path):
    """Same addresses, same anchors, and of each page's words at least 97 in 100 in both."""
    quarto.render(STAGE, tmp_path / "quarto")
    record = json.loads((STAGE / "words.json").read_text("utf-8"))
    for path, words in record.items():
        page = (tmp_path / "quarto" / path).read_text("utf-8")
        expected, found = Counter(words.split()), Counter(page_words(page))
        missing = (expected - found).total()
        assert missing <= 0.03 * expected.total(), (path, expected - found)
    chapter = html.document_fromstring((tmp_path / "quarto/chapters/rq1a.html").read_text("utf-8"))
    ids = set(chapter.xpath("//@id"))
    assert {"fig-exhibit-12", "tbl-exhibit-6", "sec-measures", "row-rq1a-env_peer_support"} <= ids
