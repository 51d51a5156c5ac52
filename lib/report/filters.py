"""Filters on a page: the bar with its data, and the files that it loads.

The cube is a classic script of its own, fetched when a reader first touches the bar, so that it works from a
folder as it does from a server.
"""

from __future__ import annotations

import json
from pathlib import Path

from lib.report.marks import published_rows
from lib.show.explore import explore_script
from lib.show.filter import STYLE, filter_script, filter_style
from lib.show.marks import row_anchor

LIBS = "site_libs"
SCRIPT = "filter.js"
EXPLORE = "explore.js"
DIFFERENCE = "difference"
GAPS = {"group difference": "adjusted mean"}  # whose difference rows of another model are


def filter_html(mark: dict, marks: list[dict], *, page: str, up: str) -> str:
    """A page's filter bar: HTML, what it needs to know, and its script.

    Parameters
    ----------
    mark : dict
        The marked filter.
    marks : list of dict
        All marks of the page: their rows tell which number of the page is which result.
    page : str
        The page's name.
    up : str
        From the page to the site's top, such as ``../``.
    """
    given = mark["filter"]
    if "explore" in given:
        other = given["explore"]
        data = {"cube": other, "src": f"{up}{LIBS}/cubes/{other}.js"}
        return _with_files(
            mark["table"].replace("</section>", f"{_data(data)}</section>"), up, SCRIPT, EXPLORE
        )
    data = {
        "name": given["name"], "home": given["home"], "cube": page, "src": f"{up}{LIBS}/cubes/{page}.js",
        "inline": f"cube-{page}", "anchors": anchors(given, marks), "who": given["who"], "people": given["people"],
    }  # fmt: skip
    return _with_files(mark["table"].replace("</form>", f"{_data(data)}</form>"), up, SCRIPT)


def _data(data: dict) -> str:
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f'<script type="application/json">{told}</script>'


def _with_files(body: str, up: str, *scripts: str) -> str:
    """HTML between its style sheet and its scripts."""
    tags = "".join(f'\n<script src="{up}{LIBS}/{name}" defer></script>' for name in scripts)
    return f'<link rel="stylesheet" href="{up}{LIBS}/{STYLE}">\n{body}{tags}'


def anchors(given: dict, marks: list[dict]) -> dict[str, str]:
    """The result that stands at each place of the page, for rows of those whom the page shows.

    ``key`` is a result of the page's own population; ``b:key`` one of those beside them, ``gap:key`` the difference.
    """
    content, home = given["cube"], dict(given["home"])
    keys = {entry["key"]: entry["estimator"] for entry in content["keys"]}
    tested = {content["keys"][place]["key"] for block in content["gap"] for place in block["keys"]}
    level = home.pop("vs", None)
    values = {dim["name"]: dim["values"] for dim in content["dims"]}
    other = {name: level if level in values[name] else value for name, value in home.items()}
    own = {name for name, where in content["populations"].items() if where == home}
    beside = {name for name, where in content["populations"].items() if level and where == other}
    found = {}
    for row_id, row in published_rows(marks).items():
        contrast, model, side = row["contrast"], row["model"], ""
        if row["group"]:
            if (
                row["population"] not in own
                or row["group"] not in beside
                or not contrast.startswith(DIFFERENCE)
            ):
                continue
            contrast, side = contrast.removeprefix(DIFFERENCE).strip(), "gap:"
            model = GAPS.get(model, model)
        elif row["population"] in beside:
            side = "b:"
        elif row["population"] not in own:
            continue
        key = f"{model}|{contrast}|{row['term']}"
        alike = level is not None or keys.get(key) == row["estimator"]  # both groups enter one model there
        if key in (tested if side == "gap:" else keys) and alike:
            found[row_anchor(row_id)] = side + key
    return found


def write_filters(marks: list[dict], page: str, stage: Path) -> None:
    """Write the files of a page's filters below the stage's ``site_libs``."""
    if not any(mark["kind"] == "filter" for mark in marks):
        return
    cubes = cubes_of(marks, page)
    libs = stage / LIBS
    (libs / "cubes").mkdir(parents=True, exist_ok=True)
    (libs / SCRIPT).write_text(filter_script(), "utf-8")
    (libs / STYLE).write_text(filter_style(), "utf-8")
    (libs / EXPLORE).write_text(explore_script(), "utf-8")
    for name, cube in cubes.items():
        (libs / "cubes" / f"{name}.js").write_text(cube_script(cube, name), "utf-8")


def cube_script(cube: dict, page: str) -> str:
    """A cube as a classic script."""
    told = json.dumps(cube, ensure_ascii=False, separators=(",", ":"))
    return f"(globalThis.lwoCubes = globalThis.lwoCubes || {{}})[{json.dumps(page)}] = {told};\n"


def inline_cube(cube: dict, page: str) -> str:
    """A cube as data within a page that stands alone."""
    told = json.dumps(cube, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f'<script type="application/json" id="cube-{page}">{told}</script>'


def cubes_of(marks: list[dict], page: str) -> dict[str, dict]:
    """The cube of a page's filter, by the page's name; empty where it has none."""
    found = [
        mark["filter"]["cube"] for mark in marks if mark["kind"] == "filter" and "cube" in mark["filter"]
    ]
    return {page: found[0]} if found else {}
