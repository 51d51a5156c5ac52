"""The explore page: every publishable subgroup of another page's cube, side by side, in small panels and ranked."""

from __future__ import annotations

import html
from functools import cache

from lib.show.filter import joined
from lib.show.marks import Mark, emit

SCRIPTS = ("explore_ranks", "explore_panels", "explore_tables", "explore")
CONTROLS = (
    ("result", "Result"), ("set", "Subgroups by"), ("first", "First group"), ("second", "Second group"),
)  # fmt: skip

__all__ = ["explore_script", "explorer"]


def explorer(page: str) -> None:
    """Display controls, small panels, a ranking and two groups side by side.

    Parameters
    ----------
    page : str
        The page whose filter has the cube.
    """
    controls = "".join(f'<label>{words}<select name="{name}"></select></label>' for name, words in CONTROLS)
    body = (
        '<section class="explore" aria-label="Subgroups"><form class="filter" aria-label="What to look at">'
        f'<fieldset class="fields needs-js"><legend>What to look at</legend>{controls}'
        '<label>Find a subgroup<input type="search" name="find" autocomplete="off"></label></fieldset>'
        '<p class="status"><output>The subgroups are listed by a script; every estimate of the report is in its downloads.'
        '</output></p></form><div class="charts"></div>'
        '<h3>Ranked</h3><div class="scroll board" role="region" tabindex="0" aria-label="Subgroups, ranked"></div>'
        '<h3>Two groups</h3><div class="scroll side-by-side" role="region" tabindex="0" aria-label="Two groups">'
        "</div>"
        "</section>"
    )
    emit(Mark(kind="filter", table=body, filter={"explore": html.escape(page)}), body)


@cache
def explore_script() -> str:
    """The page's script, which follows that of the filters."""
    return joined(SCRIPTS)
