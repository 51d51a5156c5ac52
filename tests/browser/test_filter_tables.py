"""Tables in a view: every cell says what the cube holds of the students chosen, or that it is about others."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.browser.test_filters import FILTERED, NUMBER
from tests.cube_numbers import cube_of, results_of

VIEWS = 6
SEED = 8
NOT_COMPUTED = "not computed for other students"
CELLS = """async (views) => {
  const [bar] = lwoFilter.bars;
  await bar.need();
  const places = JSON.parse(bar.form.querySelector("script").textContent).places;
  const cells = [...document.querySelectorAll('main :is(td, tr):is([id^="row-"], [data-at])')]
    .filter((el) => !el.closest("details.data"));
  const told = (el) => (el.tagName === "TR" ? [...el.querySelectorAll("td")] : [el])
    .flatMap((td) => td.querySelector(".view-cell")
      ? [...td.querySelectorAll(".view-cell")].map((line) => line.textContent)
      : [td.textContent]);
  const look = () => cells.map((el) => {
    const id = el.dataset.at || el.id, table = el.closest("figure").id;
    return { place: places[`${table} ${id}`] ?? places[id] ?? "", lines: told(el) };
  });
  const found = [look()];
  for (const view of views) {
    bar.set(view, "shared");
    bar.settle();
    found.push(look());
  }
  return found;
}"""


def views_of(content: dict, home: dict) -> list[dict]:
    """Some views with students to look at, each beside nobody, or beside those of the page's second group."""
    dims = content["dims"]
    states = [
        {dim["name"]: dim["values"][code] for dim, code in zip(dims, codes, strict=True) if code}
        for codes in zip(*(content["cube"][dim["name"]] for dim in dims), strict=True)
    ]
    large = sorted(
        range(len(states)), key=lambda place: -content["cube"]["n"][place] if states[place] != home else 0
    )
    chosen = np.random.default_rng(SEED).choice(large[: len(large) // 4], VIEWS, replace=False)
    return [states[place] for place in chosen]


def place_of(content: dict, state: dict) -> int | None:
    codes = [dim["values"].index(state.get(dim["name"], "")) for dim in content["dims"]]
    found = list(zip(*(content["cube"][dim["name"]] for dim in content["dims"]), strict=True))
    return found.index(tuple(codes)) if tuple(codes) in found else None


def expected(content: dict, own: dict, gaps: dict, view: dict, place: dict) -> dict | None:
    """The cube's numbers for a part of the students of a view, or the difference of two parts; None without any."""
    sides = [place_of(content, view | place[name]) for name in ("of", "less") if name in place]
    taken = next(iter(place["of"])) in view and view | place["of"] != view
    if None in sides or taken or (len(sides) == 2 and set(place["of"]) & set(view)):
        return None
    if len(sides) == 1:
        return own.get((sides[0], place["key"]))
    flip = sides not in content["pairs"]
    pair = content["pairs"].index(sides[::-1] if flip else sides)
    cell = gaps.get((pair, place["key"]))
    if cell is None or cell["estimate"] is None or not flip:
        return cell
    turned = {"estimate": cell["estimate"], "conf_low": cell["conf_high"], "conf_high": cell["conf_low"]}
    return cell | {name: None if end is None else -end for name, end in turned.items()}


def agree(text: str, cell: dict | None) -> bool:
    """Whether words give a cell's numbers, or a reason where it has none."""
    if cell is None or cell["estimate"] is None:
        return not re.search(r"\d\.\d\d|\d%", text)
    told = [float(one.replace("\N{MINUS SIGN}", "-")) for one in re.findall(NUMBER, text.replace(",", " "))]
    ends = () if cell["conf_low"] is None else (cell["conf_low"], cell["conf_high"])
    wanted = [end / 1000 for end in (cell["estimate"], *ends)]
    half = 0.51 if "%" in text or "." not in text else 0.0051
    return all(abs(one - two) <= half for one, two in zip(told, wanted, strict=False)) and len(told) >= len(
        wanted
    )


@pytest.mark.parametrize("page", FILTERED)
def test_every_cell_is_of_the_students_chosen_or_of_others(visit, served, site, page):
    """No cell keeps a number of the page's own students without saying so."""
    content = cube_of(site, page)
    own, gaps = results_of(content, "own"), results_of(content, "gap")
    tab = visit(served)
    opened = tab.open(f"chapters/{page}.html")
    opened.wait_for_function("() => globalThis.lwoFilter && lwoFilter.bars")
    home = json.loads(opened.locator("form.filter script").text_content())["home"]
    level = {"vs": home["vs"]} if "vs" in home else {"vs": "none"}
    views = views_of(content, {name: value for name, value in home.items() if name != "vs"})
    before, *found = opened.evaluate(CELLS, [view | level for view in views])
    wrong, compared = [], 0
    for view, cells in zip(views, found, strict=True):
        state = place_of(content, view)
        for was, cell in zip(before, cells, strict=True):
            place, text = cell["place"], " ".join(cell["lines"])
            if place == "=":
                fine = cell["lines"] == was["lines"]
            elif place == "":
                fine = text == NOT_COMPUTED
            elif isinstance(place, dict):
                numbers = expected(content, own, gaps, view, place)
                fine = agree(cell["lines"][0].partition(": ")[2], numbers)
                compared += fine and numbers is not None
            elif place.startswith(("b:", "gap:")):
                fine = "vs" in home and cell["lines"] != was["lines"]
            else:
                fine = agree(cell["lines"][0].partition(": ")[2], own.get((state, place)))
                compared += fine
            wrong += [] if fine else [(view, place, cell["lines"])]
    assert wrong == [] and compared > 0 and tab.console == []


def test_a_table_says_whom_it_shows_and_what_stays_says_so(visit, served):
    tab = visit(served)
    page = tab.open("chapters/rq2-frequency.html?race=black")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    moved = page.locator("figure:has(.view-cell) figcaption").all_inner_texts()
    assert moved and all("Exploratory: Black" in text for text in moved)
    stays = page.locator("figure:has(.view-same)")
    assert stays.count() and not stays.locator(".view-cell, .view").count()
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => document.querySelector('form.filter').dataset.drawn === '{}'")
    assert not page.locator(".view-cell, .view-same").count()
    assert "Exploratory" not in " ".join(page.locator("figcaption").all_inner_texts())


def test_a_caption_names_no_students_but_those_of_the_view(visit, served):
    page = visit(served).open("chapters/rq1c.html?race=black&vs=white&gender=female")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    captions = page.locator("figure:has(.view-cell, .view) figcaption").all_inner_texts()
    assert len(captions) > 10 and all("Black, Girls (n" in text for text in captions)
    assert not [text for text in captions if re.search("(Black|White) students", text)]


def test_of_estimators_side_by_side_only_that_of_the_views_moves(visit, served):
    """Views count students; the columns that count classes, or complete students, say that they are not computed."""
    page = visit(served).open("chapters/rq1c.html?race=black&vs=white&gender=female")
    page.wait_for_selector("form.filter[data-drawn]", state="attached")
    for row in page.locator("#tbl-choices-rq1c tbody tr:has(td)").all():
        classes, students, complete = row.locator("td").all_inner_texts()
        assert classes == complete == NOT_COMPUTED and "p\N{NO-BREAK SPACE}" in students
