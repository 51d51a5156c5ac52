"""Filter bars in a real browser: what a view says, how fast, by keyboard, from a folder, and when something is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lib.analysis.effects import covariates_by_outcome, direct_effects
from lib.analysis.estimates import mediator_of
from lib.analysis.mediation import mediated_effects
from lib.disclosure.lattice import choose_lattice
from lib.show.cube import lay_out
from lib.show.filter import bar_html, filter_script, filter_style
from lib.study.load import load_study
from tests.conftest import ROOT
from tests.cube_numbers import cube_of, results_of

PAGE = "chapters/rq1a.html"
FIGURE = "#fig-exhibit-12"
CHOOSE = """async (wanted) => {
  const form = document.querySelector("form.filter");
  form.querySelectorAll("select").forEach((el) => { if (el.name !== "vs") el.value = wanted[el.name] || ""; });
  form.querySelector("select[name=vs]").value = "";
  delete form.dataset.drawn;
  form.dispatchEvent(new Event("change", { bubbles: true }));
  while (!form.dataset.drawn) await new Promise((done) => setTimeout(done, 2));
}"""
SHOWN = """(id) => [...document.querySelectorAll(id + " svg.chart.wide > .view .value")].map((el) => el.textContent)"""
SWEEP = """async (states) => {
  const [bar] = lwoFilter.bars;
  await bar.need();
  const shown = [];
  for (const state of states) {
    bar.set(Object.assign({}, state, { vs: "none" }), "shared");
    bar.settle();
    const said = {};
    document.querySelectorAll("svg.chart.wide[data-plot]").forEach((svg) => {
      const lines = JSON.parse(svg.dataset.plot).lines.map((line) => line[2].split("|").slice(0, 3).join("|"));
      const words = [...svg.querySelectorAll(":scope > .view .value")].map((el) => el.textContent);
      if (words.length === lines.length) lines.forEach((key, i) => { said[key] = words[i]; });
    });
    shown.push(said);
  }
  return shown;
}"""
FILTERED = ["rq1a", "rq1b", "rq1c", "rq2-frequency", "rq2-quality"]
NUMBER = r"\N{MINUS SIGN}?\d+(?:\.\d+)?"
OUTCOMES = ["env_needs_met", "ms_task_value"]
SEED = 8
LOOK = """() => document.querySelectorAll("form.filter, .view-sentence, .explore, figure").forEach((el) => {
  if (el.tagName === "FIGURE" && (!el.querySelector(".view") || document.querySelector("figure[data-look]"))) return;
  el.dataset.look = "";
  el.querySelectorAll("details").forEach((d) => { d.open = true; });
})"""
CONTRAST = ["color-contrast", "link-in-text-block"]
BOXES = """() => [...document.querySelectorAll(
  "form.filter :is(button, select, summary, input), .view-files button, th button"
)]
  .map((el) => { const box = el.getBoundingClientRect(); return [box.width, box.height, el.outerHTML.slice(0, 60)]; })"""
AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def layout():
    shipped = load_study(ROOT / "data")
    return shipped, lay_out(shipped, choose_lattice(shipped))


@pytest.fixture
def opened(visit, base):
    """The chapter with its results loaded, in a tab of its own."""

    def start(query: str = "", **options):
        tab = visit(base, **options)
        page = tab.open(PAGE + query)
        page.locator("form.filter select").first.focus()
        page.wait_for_selector("form.filter[data-ready]", state="attached")
        if query:
            page.wait_for_selector("form.filter[data-drawn]", state="attached")
        return tab

    return start


def first_numbers(texts: list[str]) -> list[float | None]:
    """The estimates at the right of a figure, one for each line; None where words stand."""
    found = [re.match(r"(\N{MINUS SIGN}?\d+\.\d\d)", text) for text in texts]
    return [float(one[1].replace("\N{MINUS SIGN}", "-")) if one else None for one in found]


def swept(visit, served, page: str, states: list[dict]) -> list[dict]:
    """What the figures of a page say of each state, by the result of the line: own words, then those beside."""
    tab = visit(served)
    opened = tab.open(f"chapters/{page}.html")
    opened.wait_for_function("() => globalThis.lwoFilter && lwoFilter.bars")
    found = opened.evaluate(SWEEP, states)
    assert tab.console == []
    return found


def said(cell: dict | None, after: dict | None, reasons: list[str]) -> list[float] | str:
    """The numbers, or the reason, of a line of a figure: an estimate and its interval, or one before and after."""
    for one in (cell, after):
        if one is None:
            return reasons[0]
        if one["estimate"] is None:
            return reasons[one["why"]]
    if cell is not after:
        return [one["estimate"] / 1000 for one in (cell, after)]
    ends = () if cell["conf_low"] is None else ("conf_low", "conf_high")
    return [cell[name] / 1000 for name in ("estimate", *ends)]


@pytest.mark.parametrize("page", FILTERED)
def test_every_view_shows_what_travels_with_the_page(visit, served, site, page):
    """All figures of all publishable states: each line begins with the cube's number, or says why there is none."""
    content = cube_of(site, page)
    own, dims = results_of(content, "own"), content["dims"]
    codes = list(zip(*(content["cube"][dim["name"]] for dim in dims), strict=True))
    states = [
        {dim["name"]: dim["values"][code] for dim, code in zip(dims, coded, strict=True) if code}
        for coded in codes
    ]
    wrong, lines = [], 0
    for place, shown in enumerate(swept(visit, served, page, states)):
        for key, words in shown.items():
            after = key.replace("|before|", "|direct|")
            expected = said(own.get((place, key)), own.get((place, after)), content["reasons"])
            told = [float(one.replace("\N{MINUS SIGN}", "-")) for one in re.findall(NUMBER, words)]
            lines += 1
            if isinstance(expected, str):
                wrong += [(states[place], key, words)] if words != expected else []
                continue
            half = 0.51 if words.partition(" ")[0].endswith("%") else 0.0051
            alike = len(told) == len(expected)
            off = max(abs(one - two) for one, two in zip(told, expected, strict=True)) if alike else 1e9
            wrong += [(states[place], key, words, expected)] if off > half else []
    assert wrong == [] and lines > len(states)


def test_a_sample_of_views_says_what_a_direct_computation_says(site, layout):
    """The chapter's own models on the same students, without the cube."""
    shipped, views = layout
    content = cube_of(site, "rq1a")
    own = results_of(content, "own")
    held = covariates_by_outcome(shipped, "C_ENV", records="C_GRADE")
    random = np.random.default_rng(SEED)
    large = [
        place for place, group in enumerate(views.groups[: len(views.states)]) if len(group.frame) >= 120
    ]
    settings = dict(covariates=held, conf_level=0.95)
    for place in random.choice(large, 4, replace=False):
        direct = direct_effects(shipped, [views.groups[place]], outcomes=OUTCOMES, **settings)
        for row in direct.itertuples():
            assert own[place, f"direct||{row.term}"]["estimate"] == pytest.approx(
                1000 * row.estimate, abs=0.6
            )
        mediator = random.choice(shipped.codebook.mediators)
        through = mediated_effects(
            shipped, [views.groups[place]], mediators=[mediator], outcomes=OUTCOMES[1:], seed=1, **settings
        )
        for row in through[through["contrast"].isin(["before", "direct", "a", "b", "indirect"])].itertuples():
            found = own[place, f"{row.model}|{row.contrast}|{row.term}"]
            if row.status == "ok":
                assert found["estimate"] == pytest.approx(1000 * row.estimate, abs=0.6), row.row_id


def test_a_filter_moves_figures_tables_and_sentences_and_reset_brings_them_back(opened):
    tab = opened()
    page = tab.page
    before = page.locator("main").inner_text()
    page.evaluate(CHOOSE, {"race": "black"})
    assert "Black (n\xa0=\xa0400) beside everyone else" in page.locator("form.filter output").inner_text()
    exploratory = page.locator(".view-sentence").all_inner_texts()
    assert exploratory and all(text.startswith("Exploratory: ") for text in exploratory)
    assert any("adjusted for" in text for text in exploratory)
    for figure in page.locator("figure:has(svg[data-plot])").all():
        assert figure.locator("figcaption .view-title").inner_text().startswith("Exploratory: ")
        assert figure.locator("svg.wide desc").text_content().startswith("Black (n")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn === '{}'")
    assert page.locator("main").inner_text() == before
    assert tab.console == [] and tab.outside == []


def test_the_address_holds_the_view_and_back_leads_back(opened):
    tab = opened("?race=black&school=2&vs=white")
    page = tab.page
    assert "White, School 2" in page.locator("form.filter output").inner_text()
    page.get_by_label("Gender").select_option("female")
    page.wait_for_function("() => location.search.includes('gender=female')")
    page.go_back()
    page.wait_for_function("() => document.querySelector('select[name=gender]').value === ''")
    assert page.get_by_label("Race and ethnicity").input_value() == "black"
    page.go_forward()
    page.wait_for_function("() => document.querySelector('select[name=gender]').value === 'female'")
    link = page.locator("nav.sidebar a[href*='references']").first
    link.evaluate("(a) => a.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))")
    assert "race=black" in link.get_attribute("href")


def test_lines_of_tables_and_captions_speak_of_the_students_chosen(visit, served, site):
    page = visit(served).open("chapters/rq2-quality.html?race=black")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    content = cube_of(site, "rq2-quality")
    black = content["cube"]["race"].index(content["dims"][0]["values"].index("black"))
    for (place, key), told in results_of(content, "own").items():
        if place == black and key.startswith("mean rating|"):
            label = next(one["label"] for one in content["keys"] if one["key"] == key)
            line = page.locator("table tr", has=page.get_by_role("rowheader", name=label, exact=True)).first
            assert f"Black: {told['estimate'] / 1000:.2f} (" in line.inner_text()
    captions = page.locator("figure:has(.view) figcaption").all_inner_texts()
    assert captions and not any("All students" in one for one in captions)


def test_a_path_diagram_tells_the_coefficients_of_the_view(opened, layout):
    """Those of the chapter's own models of the same students, without the cube; reset brings the page's own back."""
    shipped, _ = layout
    page = opened("?race=black&vs=none").page
    diagram = page.locator("#fig-exhibit-20 svg.wide")
    keys = [line[2] for line in json.loads(diagram.get_attribute("data-plot"))["lines"]]
    model, _, term = keys[0].split("|")
    settings = dict(
        covariates=covariates_by_outcome(shipped, "C_ENV", records="C_GRADE"), conf_level=0.95, seed=1
    )
    black = [shipped.population("black")]
    rows = mediated_effects(shipped, black, mediators=[mediator_of(model)], outcomes=[term], **settings)
    expected = rows.set_index("contrast")["estimate"]
    texts = {key: diagram.locator(f"text.coef[data-key='{key}']") for key in keys}
    for key, text in texts.items():
        told = first_numbers([text.text_content()])[0]
        # thousandths travel with the page and hundredths are shown: half of each may be lost
        assert told == pytest.approx(expected[key.split("|")[1]], abs=0.0056)
    page.get_by_label("Compare with").select_option("white")
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn.includes('white')")
    assert all(" / " in text.text_content() for text in texts.values())
    diagram.press("End")
    assert re.match(r"b, Black: .*; White: ", page.locator("form.filter p[role=status]").text_content())
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn === '{}'")
    assert not any("/" in text.text_content() for text in texts.values())


def test_a_value_beyond_the_axis_is_an_arrow_and_no_mark(opened):
    """White students' tie with social comparison lies below the axis that everyone's figure has."""
    page = opened("?race=white&vs=none").page
    figure = page.locator("#fig-exhibit-12 svg.wide")
    plot = json.loads(figure.get_attribute("data-plot"))
    low, high = plot["x"][:2]
    told = first_numbers([line.text_content() for line in figure.locator(".view .value").all()])
    within = [one for one in told if one is not None and low <= one <= high]
    assert 0 < len(within) < len(told)
    assert figure.locator(".view .m").count() == len(within)


def test_two_groups_of_a_page_move_together(visit, served):
    tab = visit(served)
    page = tab.open("chapters/rq1c.html")
    assert page.get_by_label("Compare with").input_value() == "white"
    before = page.locator("main figure, main table").all_inner_texts()
    page.get_by_label("Gender").select_option("female")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    assert "Black, Girls" in page.locator("form.filter output").inner_text()
    assert "White, Girls" in page.locator("form.filter output").inner_text()
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => !document.querySelector('form.filter').dataset.drawn.includes('female')")
    assert page.locator("main figure, main table").all_inner_texts() == before and tab.console == []


def test_groups_that_chance_alone_may_spread_share_a_rank(visit, served):
    """Two estimates a tenth of an error apart hold no difference; two a hundred errors apart hold nothing else."""
    page = visit(served).open("chapters/explore.html")
    page.wait_for_selector(".explore[data-ready]", state="attached")
    told = "(groups) => lwoFilter.ranked(groups, 0.95).map((one) => [one.estimate, one.rank])"
    near = [{"estimate": 1.0, "error": 1}, {"estimate": 1.1, "error": 1}]
    far = [{"estimate": 1.0, "error": 1}, {"estimate": 101.0, "error": 1}]
    assert page.evaluate(told, near) == [[1.1, 1], [1.0, 1]]
    assert page.evaluate(told, far) == [[101.0, 1], [1.0, 2]]


def test_explore_sorts_finds_and_compares_by_keyboard(visit, served):
    tab = visit(served)
    page = tab.open("chapters/explore.html")
    page.wait_for_selector(".explore[data-ready]", state="attached")
    board = page.locator(".explore .board")
    page.get_by_label("Subgroups by").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    names = board.locator("tbody th").all_inner_texts()
    assert len(names) >= 3
    page.get_by_role("button", name="Subgroup", exact=True).focus()
    page.keyboard.press("Enter")
    shown = board.locator("tbody tr:not(:has(.withheld)) th").all_inner_texts()
    assert shown == sorted(shown) and board.locator("th[aria-sort=ascending]").inner_text() == "Subgroup"
    page.get_by_label("Find a subgroup").focus()
    page.keyboard.type(names[0].lower())
    assert set(board.locator("tbody th").all_inner_texts()) == {
        name for name in names if names[0].lower() in name.lower()
    }
    page.get_by_label("First group").select_option(label="Black")
    page.get_by_label("Second group").select_option(label="White")
    pair = page.locator(".explore .side-by-side")
    assert pair.bounding_box()["width"] > 600  # the table is as wide as the page's text
    assert "Black (n = 400)" in pair.inner_text() and ", p" in pair.inner_text()
    assert "first=" in page.url and tab.console == []


def test_a_page_whose_filter_does_not_load_has_no_dead_controls(visit, served):
    tab = visit(served)
    tab.page.route("**/filter.js", lambda route: route.abort())
    page = tab.open(PAGE)
    page.wait_for_load_state("load")
    assert page.locator("form.filter select").count() == 0
    assert "could not be loaded" in page.locator("form.filter output").inner_text()
    assert page.locator(f"{FIGURE} svg.wide").is_visible()


def test_a_choice_made_before_the_script_ran_counts(visit, served):
    tab = visit(served)
    tab.page.add_init_script(
        "new MutationObserver((_, seen) => { const el = document.querySelector('select[name=race]');"
        " if (el && el.options.length > 2) { el.value = 'black'; seen.disconnect(); } })"
        ".observe(document, { childList: true, subtree: true });"
    )
    page = tab.open(PAGE)
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    assert "Black (n" in page.locator("form.filter output").inner_text()


def test_an_unpublishable_view_says_why(opened, layout):
    _, views = layout
    hidden = next(
        state for state, shown in zip(views.lattice.states, views.lattice.published, strict=True) if not shown
    )
    page = opened().page
    page.evaluate(CHOOSE, dict(hidden))
    assert "not shown to protect another group" in page.locator("form.filter output").inner_text()
    assert first_numbers(page.evaluate(SHOWN, FIGURE)) == [None] * 7
    page.evaluate(CHOOSE, {"race": "asian", "school": "school_3", "grade_level": "12"})
    assert "not shown: fewer than 10 students" in page.locator("form.filter output").inner_text()
    page.evaluate(CHOOSE, {"ell": "yes", "school": "school_1"})
    assert "not combined" in page.locator("form.filter output").inner_text()
    page.get_by_text("Subgroups that are not shown").click()
    assert page.locator("details.unshown li").count() == len(views.lattice.states) - len(views.states)


def test_by_keyboard_alone_a_reader_chooses_compares_reads_and_takes_away(opened):
    tab = opened()
    page = tab.page
    race = page.get_by_label("Race and ethnicity")
    race.focus()
    page.keyboard.type("Bl")
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn")
    assert race.evaluate("(el) => el === document.activeElement")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "vs":
            break
    page.keyboard.type("Wh")
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn.includes('white')")
    chart = page.locator(f"{FIGURE} svg.chart.wide")
    chart.focus()
    page.keyboard.press("ArrowDown")
    assert "Black: 0." in page.locator("form.filter p[role=status]").inner_text()
    page.keyboard.press("ArrowDown")
    assert "White: 0." in page.locator("form.filter p[role=status]").inner_text()
    page.locator(f"{FIGURE} details.data summary").focus()
    page.keyboard.press("Enter")
    assert "adjusted for" in page.locator(f"{FIGURE} .scroll.view").inner_text()
    page.get_by_role("button", name="Download this view").focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "black-white.csv"
    page.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('form.filter output').textContent.includes('link to this view')"
    )


def test_downloads_say_whom_they_show_how_many_when_and_of_which_data(opened, tmp_path, layout):
    shipped, _ = layout
    page = opened("?race=black").page
    page.locator(f"{FIGURE} details.data summary").click()
    texts = {}
    for kind in ("CSV", "SVG", "PNG"):
        with page.expect_download() as saved:
            page.locator(f"{FIGURE} .view-files").get_by_role("button", name=kind).click()
        saved.value.save_as(tmp_path / kind)
        texts[kind] = (tmp_path / kind).read_bytes()
    csv = texts["CSV"].decode()
    assert "population,result" in csv and "Black,direct||env_peer_support" in csv and shipped.data_hash in csv
    svg = texts["SVG"].decode()
    assert (
        "Black (n" in svg
        and shipped.data_hash[:12] in svg
        and "<script" not in svg
        and "var(--" not in svg.replace("font", "")
    )
    assert texts["PNG"].startswith(b"\x89PNG")


def test_a_page_whose_results_do_not_load_says_so_and_keeps_its_own(visit, served):
    tab = visit(served)
    tab.page.route("**/cubes/*.js", lambda route: route.abort())
    page = tab.open(PAGE)
    before = page.locator(f"{FIGURE} svg.wide desc").text_content()
    page.get_by_label("Race and ethnicity").select_option("black")
    page.wait_for_function(
        "() => document.querySelector('form.filter output').textContent.includes('could not be loaded')"
    )
    assert page.locator(f"{FIGURE} svg.wide desc").text_content() == before


def test_without_script_the_bar_has_no_controls(visit, base):
    page = visit(base, java_script_enabled=False).open(PAGE)
    assert page.locator("form.filter output").is_visible()
    assert page.locator("form.filter select:visible").count() == 0


@pytest.mark.parametrize("page", FILTERED)
def test_a_page_and_its_cube_are_small(site, page):
    import gzip

    files = (
        f"chapters/{page}.html",
        f"site_libs/cubes/{page}.js",
        "site_libs/filter.js",
        "site_libs/filter.css",
    )
    sizes = [len(gzip.compress((site / path).read_bytes(), 9)) for path in files]
    print("compressed:", sizes)
    assert sum(sizes) <= 450_000


def test_no_filtered_page_breaks_wcag(visit, served):
    """What a filter adds to each page, on a desktop and on a phone; colours, which no width changes, also dark."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-playwright-python is not installed; `make test` does",
    ).Axe()
    broken, small = [], []
    for size in ("desktop", "phone"):
        tab = visit(served, size=size, reduced_motion="reduce")
        for path in [
            *(f"chapters/{page}.html?race=black&vs=white" for page in FILTERED),
            "chapters/explore.html",
        ]:
            page = tab.open(path)
            page.wait_for_selector("form.filter[data-drawn], .explore[data-ready]", state="attached")
            page.evaluate(LOOK)
            for scheme in ("light", "dark") if size == "desktop" else ("light",):
                page.emulate_media(color_scheme=scheme)
                rules = AXE if scheme == "light" else {"type": "rule", "values": CONTRAST}
                found = axe.run(
                    page, context="[data-look]", options={"runOnly": rules, "resultTypes": ["violations"]}
                )
                broken += [
                    (path, size, scheme, one["id"], one["nodes"][0]["html"][:160])
                    for one in found.response["violations"]
                ]
            page.emulate_media(color_scheme="light")
            boxes = page.evaluate(BOXES)
            small += [(path, size, box) for box in boxes if 0 < min(box[:2]) < 24]
    assert broken == [] and small == []


def test_nothing_scrolls_sideways_at_400_percent(visit, served):
    tab = visit(served)
    tab.page.set_viewport_size({"width": 320, "height": 256})
    page = tab.open(PAGE + "?race=black")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def small_cube(label: str) -> dict:
    """A cube of one result for everyone and two groups, all labels the one given."""
    key = "direct||y"
    own = {
        "places": [0, 1, 2], "keys": [0], "why": [None] * 3, "estimate": [500, 400, 600],
        "below": [100] * 3, "skew": [0] * 3, "n_obs": [90, 40, 50],
    }  # fmt: skip
    gap = {"places": [0], "keys": [0], "why": [None], "estimate": [100], "below": [99], "skew": [1]}
    return {
        "version": 2, "study": label, "synthetic": True, "data": "0" * 64, "date": "2018-10-05", "alpha": 50,
        "dims": [{"name": "race", "label": label, "values": ["", "a", "b"], "labels": ["All", label, label]}],
        "cube": {"race": [0, 1, 2], "n": [90, 40, 50]}, "beside": [1, 2], "reasons": [""], "pairs": [[1, -1], [2, -1]],
        "keys": [{"key": key, "label": label, "unit": "SD per SD", "estimator": "", "family": 0}],
        "own": [own], "rest": [own], "gap": [gap | {"p_value": [10], "p_bh": [20]}], "hidden": [[1]], "most": 3, "alone": {},
        "words": {"hidden": label, "few": label, "everyone": label}, "populations": {"all": {}},
        "styles": {"focal": {"race": ["a"]}, "reference": {"race": ["b"]}},
    }  # fmt: skip


def hostile_page(folder: Path) -> Path:
    """A page whose every label is markup."""
    from lib.show.cube import Cube

    content = small_cube("<img src=x onerror=globalThis.hurt=1></script><script>globalThis.hurt=1</script>")
    key = content["keys"][0]["key"]
    told = json.dumps({"name": "", "home": {}, "cube": "x", "src": "cube.js", "places": {}}).replace(
        "</", "<\\/"
    )
    bar = bar_html(Cube(content), {}).replace(
        "</form>", f'<script type="application/json">{told}</script></form>'
    )
    plot = json.dumps(
        {"kind": "dots", "x": [0, 1, 100, 300], "width": 400, "bottom": 60, "lines": [["y", [20], key]]}
    )
    chart = (
        "<figure><figcaption><strong>t</strong></figcaption><ul class='key'></ul>"
        f"<svg class='chart wide' viewBox='0 0 400 80' aria-labelledby='t d' data-plot='{plot}'>"
        "<title id='t'>t</title><desc id='d'>d</desc></svg>"
        "<details class='data' open><summary>s</summary><div class='scroll'><table></table></div></details></figure>"
    )
    cube = json.dumps(content).replace("</", "<\\/")
    (folder / "cube.js").write_text(f'(globalThis.lwoCubes = globalThis.lwoCubes || {{}})["x"] = {cube};')
    (folder / "filter.js").write_text(filter_script())
    (folder / "filter.css").write_text(filter_style())
    (folder / "page.html").write_text(
        "<!DOCTYPE html><html lang='en' class='js'><head><meta charset='utf-8'><title>t</title></head><body><main>"
        f"{bar}{chart}</main><script src='filter.js'></script></body></html>"
    )
    return folder


def test_hostile_labels_are_shown_as_text(visit, tmp_path):
    tab = visit(hostile_page(tmp_path).as_uri() + "/")
    page = tab.open("page.html?race=a")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    assert page.evaluate("[document.querySelectorAll('img').length, globalThis.hurt === undefined]") == [
        0,
        True,
    ]
    assert "<img src=x" in page.locator("figure .scroll.view").inner_text()


def test_filters_of_one_name_move_together_and_of_another_alone(visit, tmp_path):
    hostile_page(tmp_path)
    text = (tmp_path / "page.html").read_text("utf-8")
    form = re.search(r"<form.*?</form>", text, re.S)[0]
    other = form.replace('"name": ""', '"name": "second"')
    (tmp_path / "page.html").write_text(text.replace(form, form + form + other))
    page = visit(tmp_path.as_uri() + "/").open("page.html")
    page.locator("select[name=race]").first.select_option("a")
    page.wait_for_function("() => document.querySelectorAll('select[name=race]')[1].value === 'a'")
    assert page.locator("select[name=race]").nth(2).input_value() == ""
    page.locator("select[name=race]").nth(2).select_option("a")
    page.wait_for_function("() => location.search === '?race=a&second.race=a'")
