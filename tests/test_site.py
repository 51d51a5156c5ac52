"""The report as built: its pages, its downloads, and what every page says of its data."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter

import pandas as pd
import pytest
import yaml
from lxml import html

from lib.analysis.estimates import ESTIMATE_COLUMNS, STATUSES
from lib.disclosure.audit import audit_site
from lib.report.render import quarto
from lib.report.render.search import page_words
from lib.study.codebook import Codebook
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def pages(built) -> dict:
    """Every page of the built site, parsed, by address."""
    found = {path.relative_to(built.site).as_posix(): path for path in built.site.rglob("*.html")}
    return {address: html.parse(str(path)).getroot() for address, path in found.items()}


def test_the_pages_of_the_report_are_there(pages):
    assert {"index.html", "chapters/study.html", "chapters/rq1a.html", "chapters/rq1b.html"} <= set(pages)


EXHIBITS = yaml.safe_load((ROOT / "tests" / "reference" / "exhibits.yml").read_text("utf-8"))["exhibits"]
FINDINGS = yaml.safe_load((ROOT / "data" / "findings.yml").read_text("utf-8"))
VERDICTS = {"holds", "descriptive", "partly", "fails", "not_comparable", "cannot_test"}


@pytest.mark.parametrize("number", [exhibit["number"] for exhibit in EXHIBITS])
def test_each_exhibit_of_the_study_stands_on_one_page_and_is_not_empty(pages, number):
    anchors = [f"{kind}-exhibit-{number}" for kind in ("fig", "tbl")]
    found = [page.xpath("//*[@id=$a or @id=$b]", a=anchors[0], b=anchors[1]) for page in pages.values()]
    (exhibit,) = [one for page in found for one in page]
    assert f"Exhibit {number}. " in exhibit.text_content()
    assert exhibit.xpath(".//svg//*[self::path or self::text] | .//td")
    assert "Not covered" not in exhibit.text_content()


def test_each_finding_of_the_study_has_its_verdict(pages):
    listed = [entry["id"] for entry in FINDINGS["key_findings"] + FINDINGS["supporting_claims"]]
    lines = {line.get("id"): line for line in pages["chapters/findings.html"].xpath("//tr[@data-verdict]")}
    assert list(lines) == [f"f-{finding}" for finding in listed]
    assert {line.get("data-verdict") for line in lines.values()} <= VERDICTS
    assert all(
        line.xpath(".//td[contains(@class, 'claim')]")[0].text_content().strip() for line in lines.values()
    )


def test_every_page_says_that_the_data_are_synthetic(pages):
    for address, page in pages.items():
        assert "Synthetic data" in page.text_content(), address


def test_estimates_have_the_row_shape_and_every_row_its_status(built):
    table = pd.read_csv(built.site / "downloads" / "estimates.csv", keep_default_na=False)
    assert tuple(table.columns) == ESTIMATE_COLUMNS
    assert table["row_id"].is_unique and set(table["status"]) <= set(STATUSES)
    hidden = table[table["status"] != "ok"]
    assert (hidden["estimate"] == "").all() and (hidden["status_reason"] != "").all()


def test_every_number_in_a_sentence_is_bound_to_a_row_of_the_page(pages):
    for address, page in pages.items():
        cards = page.xpath("//script[@id='page-data']")
        rows = json.loads(cards[0].text)["rows"] if cards else {}
        for number in page.xpath("//data[@class='num'][@data-row]"):
            assert number.get("data-row") in rows, (address, number.text_content())


def test_a_title_names_the_population_as_the_codebook_does(pages, study):
    codebook: Codebook = study.codebook
    title = pages["chapters/rq1b.html"].findtext(".//title")
    assert codebook.populations[codebook.focal].label in title


def test_nothing_on_a_page_is_asked_of_another_host(built):
    for path in built.site.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            text = path.read_text("utf-8")
            assert not re.search(r"(?:src|action)=[\"']https?:|@import|url\([\"']?https?:", text), path.name


@pytest.mark.skipif(
    shutil.which("quarto") is None, reason="Quarto is not on PATH; conda install quarto runs this test"
)
def test_quarto_makes_every_page_of_the_report_with_the_same_words(built, tmp_path):
    """At least 97 of 100 words of each page; the rest is the frame, which each renderer words itself."""
    quarto.render(ROOT / "_build" / "project", tmp_path / "quarto")
    for path in built.site.rglob("*.html"):
        address = path.relative_to(built.site)
        expected = Counter(page_words(path.read_text("utf-8")))
        found = Counter(page_words((tmp_path / "quarto" / address).read_text("utf-8")))
        assert (expected - found).total() <= 0.03 * expected.total(), (address.as_posix(), expected - found)


def test_the_report_is_clean_to_a_reader_without_the_study_too(built, study):
    assert audit_site(built.site) == []
    assert audit_site(built.site, study=study) == []
