"""Filters on a page: the bar with its data, and the files that it loads.

The cube is a classic script of its own, fetched when a reader first touches the bar, so that it works from a
folder as it does from a server.
"""

from __future__ import annotations

import json
from pathlib import Path

from lib.report.filter_places import places
from lib.show.explore import explore_script
from lib.show.filter import STYLE, filter_script, filter_style

LIBS = "site_libs"
SCRIPT = "filter.js"
EXPLORE = "explore.js"


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
        "inline": f"cube-{page}", "places": places(given, marks), "who": given["who"], "people": given["people"],
    }  # fmt: skip
    return _with_files(mark["table"].replace("</form>", f"{_data(data)}</form>"), up, SCRIPT)


def _data(data: dict) -> str:
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f'<script type="application/json">{told}</script>'


def _with_files(body: str, up: str, *scripts: str) -> str:
    """HTML between its style sheet and its scripts."""
    tags = "".join(f'\n<script src="{up}{LIBS}/{name}" defer></script>' for name in scripts)
    return f'<link rel="stylesheet" href="{up}{LIBS}/{STYLE}">\n{body}{tags}'


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
