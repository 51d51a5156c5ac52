"""Every page of a site in a real browser, from a server and from its folder, without a network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.browser.conftest import SIZES, opened_tab
from tests.quarto_stub import install

STAGE = Path(__file__).parents[1] / "stage"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FACTS = """() => ({
  ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
  links: [...document.querySelectorAll("a[href]")].map((a) => a.href),
  charts: [...document.querySelectorAll("figure")].filter((f) => f.querySelector("svg.chart"))
    .map((f) => [...f.querySelectorAll("svg.chart")].filter((s) => s.getBoundingClientRect().height > 40).length),
})"""
WIDE = "document.documentElement.scrollWidth - innerWidth"


@dataclass
class Walk:
    """All pages opened once in one tab: what each holds, and what the tab complained of."""

    base: str
    facts: dict[str, dict]
    console: list[str]
    outside: list[str]


@pytest.fixture(scope="module", params=["http", "file"])
def walk(request, browser, site, pages):
    base = request.getfixturevalue("served") if request.param == "http" else site.as_uri() + "/"
    with opened_tab(browser, base) as tab:
        facts = {}
        for path in pages:
            tab.page.set_viewport_size(SIZES["desktop"])
            found = tab.open(path).evaluate(FACTS)
            tab.page.set_viewport_size({"width": 320, "height": 700})
            facts[urljoin(base, path)] = found | {"wide": tab.page.evaluate(WIDE)}
        yield Walk(base, facts, tab.console, tab.outside)


def test_every_page_opens_quietly_and_alone(walk):
    assert walk.console == []
    assert walk.outside == []


def test_every_chart_is_seen_once(walk):
    charts = {url: found["charts"] for url, found in walk.facts.items() if found["charts"]}
    assert charts and all(count == 1 for counts in charts.values() for count in counts), charts


def test_no_link_leads_nowhere(walk):
    assert dangling(walk.facts, walk.base) == []


def test_no_id_is_used_twice(walk):
    twice = {
        url: sorted(Counter(found["ids"]) - Counter(set(found["ids"]))) for url, found in walk.facts.items()
    }
    assert {url: ids for url, ids in twice.items() if ids} == {}


def test_nothing_scrolls_sideways_on_a_narrow_phone(walk):
    assert {url: found["wide"] for url, found in walk.facts.items() if found["wide"] > 0} == {}


def dangling(facts: dict, base: str) -> list[str]:
    """Links within the site that lead to no page or to no place on it."""
    lost = []
    for url, found in facts.items():
        for link in found["links"]:
            parts = urlsplit(link)
            target = parts._replace(query="", fragment="").geturl()
            if not target.startswith(base) or target.endswith(".csv"):
                continue
            target = target + "index.html" if target.endswith("/") else target
            if target not in facts or (
                parts.fragment and unquote(parts.fragment) not in facts[target]["ids"]
            ):
                lost.append(f"{url} -> {link}")
    return lost


def test_search_finds_a_word_and_leads_to_its_section(visit, base):
    tab = visit(base)
    page = tab.open("index.html")
    page.keyboard.press("/")
    page.keyboard.type("collaboration")
    page.wait_for_selector("dialog.search li a")
    assert "found" in page.locator("dialog.search output").inner_text()
    page.keyboard.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "collaboration" in page.locator("main").inner_text().lower()
    assert tab.console == [] and tab.outside == []


def test_search_says_when_nothing_is_found(visit, served):
    page = visit(served).open("index.html")
    page.locator("button.find").click()
    page.keyboard.type("xyzzyqwv")
    page.wait_for_function("document.querySelector('dialog.search output').textContent.startsWith('0 ')")
    page.keyboard.press("Escape")
    assert not page.locator("dialog.search").is_visible()


def test_dark_mode_toggles_and_is_remembered(visit, base, pages):
    page = visit(base).open(pages[0])
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.locator("button.theme").click()
    dark = page.evaluate(colour)
    assert light != dark
    assert page.locator("button.theme").get_attribute("aria-pressed") == "true"
    page.goto(base + pages[-1])
    assert page.evaluate(colour) == dark


def test_a_number_card_opens_by_keyboard_and_escape_closes_it(visit, base, site, pages):
    path = next(path for path in pages if '<a href="#row-' in (site / path).read_text("utf-8"))
    page = visit(base).open(path)
    link = page.locator("data.num[data-row] > a").first
    link.focus()
    card = page.locator(".card")
    assert card.is_visible()
    assert "Estimate" in card.inner_text()
    page.keyboard.press("Escape")
    assert card.count() == 0
    assert link.evaluate("a => a === document.activeElement")


def test_a_number_leads_to_its_row(visit, base, site, pages):
    path = next(path for path in pages if '<a href="#row-' in (site / path).read_text("utf-8"))
    page = visit(base).open(path)
    link = page.locator("data.num > a[href^='#row-']").first
    row = page.locator(f"[id='{link.get_attribute('href').partition('#')[2]}']")
    link.click()
    assert row.is_visible()


def test_without_script_pages_are_complete(visit, site, pages):
    tab = visit(site.as_uri() + "/", java_script_enabled=False)
    for path in pages:
        page = tab.open(path)
        assert page.locator("h1").is_visible(), path
        assert page.locator(".tab").count() == page.locator(".tab:visible").count()


def test_navigation_opens_on_a_phone(visit, served, pages):
    page = visit(served, size="phone").open(pages[0])
    menu = page.locator("#site-chapters")
    assert not menu.is_visible()
    page.get_by_role("button", name="All chapters").click()
    assert menu.is_visible()
    page.keyboard.press("Escape")
    assert not menu.is_visible()


def test_a_page_alone_works_under_its_policy(visit, tmp_path):
    from lib.report.render.embedded import render_single

    render_single(STAGE / "chapters/rq1a.ipynb", STAGE, tmp_path / "alone.html")
    tab = visit(tmp_path.as_uri() + "/")
    page = tab.open("alone.html")
    assert page.locator("svg.chart.wide").is_visible()
    page.locator("button.theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator("data.num[data-row] > a").first.focus()
    assert "Estimate" in page.locator(".card").inner_text()
    assert tab.console == [] and tab.outside == []


def test_pages_of_quarto_run_and_search_from_a_folder(visit, tmp_path, monkeypatch):
    from lib.report.render import quarto

    monkeypatch.setenv("PATH", install(tmp_path))
    quarto.render(STAGE, tmp_path / "site")
    tab = visit((tmp_path / "site").as_uri() + "/")
    page = tab.open("chapters/rq1a.html")
    page.wait_for_function("window.searchSize === 1")
    assert page.evaluate("window.quartoRan") == "rq1a"
    assert tab.console == [] and tab.outside == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_no_page_breaks_wcag(visit, served, pages, size, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-playwright-python is not installed; `make test` does",
    ).Axe()
    tab = visit(served, size=size, scheme=scheme, reduced_motion="reduce")
    broken = []
    for path in pages:
        result = axe.run(tab.open(path), options={"runOnly": AXE_TAGS, "resultTypes": ["violations"]})
        for violation in result.response["violations"]:
            broken.append(f"{path}: {violation['id']}: {violation['nodes'][0]['html'][:160]}")
    assert broken == []
