"""The filter bar of a chapter: native controls over the states of a cube.

On a page, ``filter.js`` moves the chapter's figures, tables and computed sentences; without a script the bar says
whom the chapter shows and its controls are not there.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from lib.show.cube import Cube, Rows, cube
from lib.show.marks import Mark, emit
from lib.study.load import Study

ROOM = Path(__file__).parent
SCRIPTS = (  # each takes what it needs from those before it
    "filter_dom", "filter_numbers", "filter_cube", "filter_view", "filter_marks", "filter_walk", "filter_paths",
    "filter_figure", "filter_files", "filter_caption", "filter_table", "filter_places", "filter_sentences", "filter_cells",
    "filter_controls", "filter_redraw", "filter_status", "filter_bar", "filter_address", "filter_widget",
    "filter_page",
)  # fmt: skip
STYLE = "filter.css"

RESULTS = "LWO_RESULTS"  # set by lib.report for the chapters it runs
NO_BAR = "This page shows the students it was run for; it has no filter for others."

__all__ = ["bar_html", "filter_script", "filter_style", "subgroup_filter"]


def subgroup_filter(
    study: Study,
    functions: Sequence[Rows],
    *,
    population: str = "all",
    beside: str = "",
    offered: bool = True,
    still: str = "",
    name: str = "",
) -> None:
    """Display the bar with which a reader chooses students, with the results of every subgroup behind it.

    Parameters
    ----------
    study : Study
    functions : sequence of function(study, groups, pairs) -> DataFrame
        Rows of the results that the chapter shows, of any students; as of ``lib.show.cube.cube``.
    population : str
        Whom the chapter's own figures show: a population of the codebook, or ``focal`` or ``reference``.
    beside : str
        Whom they show next to it, where that is another level of the same column.
    offered : bool
        Whether the page has a bar at all.
    still : str
        What of the chapter is not about students, in a sentence.
    name : str
        Filters of one name move together; another name has a state of its own in the address.
    """
    views = cube(study, functions) if offered else None
    home = _home(views.content, population, beside) if views and views.content["keys"] else None
    if home is None:
        emit(Mark(kind="note", markdown=NO_BAR), f"<p><small>{NO_BAR}</small></p>")
        return
    bar = bar_html(views, home, name=name, still=still)
    people = [study.codebook.label(_key(study, one)) for one in (population, beside) if one]
    given = {"cube": views.content, "home": home, "name": name, "people": people}
    mark = Mark(kind="filter", table=bar, filter=given | {"who": " and ".join(people)})
    emit(mark, bar)
    if live():
        from IPython.display import display

        from lib.show.filter_widget import SubgroupFilter

        display(SubgroupFilter(views, population=population))


def _home(content: dict, population: str, beside: str) -> dict[str, str] | None:
    """The view that the chapter's own figures are, None where it is no state of the cube."""
    own, other = (content["populations"].get(name) for name in (population, beside or "all"))
    if own is None or not beside:
        return own
    differing = [column for column, level in own.items() if (other or {}).get(column, level) != level]
    return own | {"vs": other[differing[0]]} if len(differing) == 1 and len(own) == len(other) else None


def _key(study: Study, population: str) -> str:
    """A named population, ``focal`` and ``reference`` resolved."""
    book = study.codebook
    return {"focal": book.focal, "reference": book.reference}.get(population, population)


def live() -> bool:
    """Whether a reader sits at the notebook: a chapter that is run for the report has a folder for its results."""
    return RESULTS not in os.environ and "ipykernel" in sys.modules


def bar_html(views: Cube, home: dict[str, str], *, name: str = "", still: str = "") -> str:
    """The bar as HTML; every label is escaped."""
    content = views.content
    lists = "".join(_select(dim, home.get(dim["name"], "")) for dim in content["dims"])
    who = _who(content, home)
    buttons = "".join(
        f'<button type="button" data-do="{act}">{words}</button>'
        for act, words in (("link", "Copy link to this view"), ("csv", "Download this view (CSV)"))
    )
    told = "".join(f'<p class="still">{html.escape(words, quote=False)}</p>' for words in (still,) if words)
    return (
        f'<form class="filter" data-filter="{html.escape(name)}" aria-label="Choose students">'
        f'<fieldset class="fields needs-js"><legend>Choose students</legend>{lists}'
        f'<label>Compare with<select name="vs"><option value="">Everyone else</option>'
        f'<option value="none">Nobody</option>{_beside(content, home)}</select></label>'
        '<button type="reset">Reset</button></fieldset>'
        f'<p class="status"><output>{html.escape(who, quote=False)}: the results of this chapter.</output></p>{told}'
        f'<p class="tools needs-js">{buttons}</p>'
        '<details class="unshown needs-js"><summary>Subgroups that are not shown</summary><div></div></details></form>'
    )


def _beside(content: dict, home: dict[str, str]) -> str:
    """The option of those whom the chapter's own figures show next to the students chosen."""
    labels = [
        dim["labels"][dim["values"].index(home["vs"])]
        for dim in content["dims"]
        if home.get("vs") in dim["values"] and dim["name"] in home
    ]
    return "".join(
        f'<option value="{html.escape(home["vs"])}" data-level selected>{html.escape(label, quote=False)}</option>'
        for label in labels[:1]
    )


def _select(dim: dict, chosen: str) -> str:
    options = "".join(
        f'<option value="{html.escape(value)}"{" selected" * (value == chosen)}>{html.escape(label, quote=False)}</option>'
        for value, label in zip(dim["values"], dim["labels"], strict=True)
    )
    label = html.escape(dim["label"], quote=False)
    return f'<label>{label}<select name="{html.escape(dim["name"])}">{options}</select></label>'


def _who(content: dict, home: dict[str, str]) -> str:
    named = [
        dim["labels"][dim["values"].index(home[dim["name"]])]
        for dim in content["dims"]
        if dim["name"] in home
    ]
    who = ", ".join(named) or content["words"]["everyone"]
    beside = [
        dim["labels"][dim["values"].index(home["vs"])]
        for dim in content["dims"]
        if home.get("vs") in dim["values"]
    ]
    return f"{who} and {beside[0]}" if beside else who


@cache
def filter_script() -> str:
    """All of the filter's script, as one classic script."""
    return joined(SCRIPTS)


def joined(scripts: Sequence[str]) -> str:
    """Scripts by their names, one after the other."""
    return "".join((ROOM / "filter_js" / f"{name}.js").read_text("utf-8") for name in scripts)


@cache
def filter_style() -> str:
    """The bar's style sheet."""
    return (ROOM / STYLE).read_text("utf-8")
