"""The filter bar in a live notebook: an ipywidgets widget with the script of the pages.

``widget.value`` holds the levels chosen, such as ``{"race": "black", "vs": "white"}``; setting it moves the bar,
and ``widget.observe(function, "value")`` calls a function when a reader does.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import anywidget
import traitlets

from lib.errors import ShowError
from lib.show.cube import Cube
from lib.show.filter import bar_html, filter_script, filter_style
from lib.show.filter_figure import figure_html

__all__ = ["SubgroupFilter"]

BOARD = '<div class="board" role="region" tabindex="0" aria-label="Results of the students chosen"></div>'


class SubgroupFilter(anywidget.AnyWidget):
    """A filter bar over a cube, with a figure and a table of what it shows.

    Parameters
    ----------
    views : Cube
        Made by ``lib.show.cube.cube``.
    population : str
        Whom the bar opens with: a named population that is a published state.
    on_change : callable, optional
        Called with the new ``value`` whenever it changes.

    Raises
    ------
    ShowError
        If ``views`` is no cube, or the population is no state of it.
    """

    _esm = filter_script() + "\nexport default { render: globalThis.lwoFilter.render };\n"
    _css = filter_style()
    value = traitlets.Dict().tag(sync=True)
    cube = traitlets.Dict().tag(sync=True)
    html = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, views: Cube, *, population: str = "all", on_change: Callable[[dict], None] | None = None
    ):
        if not isinstance(views, Cube):
            raise ShowError(
                f"SubgroupFilter shows a cube made by lib.show.cube.cube, not {type(views).__name__}"
            )
        home = views.content["populations"].get(population)
        if home is None:
            known = ", ".join(views.content["populations"])
            raise ShowError(f"no state of the cube is the population {population!r}; it has {known}")
        given = {"name": "", "home": home, "places": {}, "drawn": True}
        told = json.dumps(given, ensure_ascii=False).replace("</", "<\\/")
        bar = bar_html(views, home).replace(
            "</form>", f'<script type="application/json">{told}</script></form>'
        )
        super().__init__(value=dict(home), cube=views.content, html=bar + figure_html(views.content) + BOARD)
        if on_change:
            self.observe(lambda change: on_change(change["new"]), "value")

    @property
    def state(self) -> str:
        """The students chosen in the words of the bar, without those beside them."""
        dims = {
            dim["name"]: dict(zip(dim["values"], dim["labels"], strict=True)) for dim in self.cube["dims"]
        }
        words = [labels[self.value[name]] for name, labels in dims.items() if self.value.get(name) in labels]
        return ", ".join(words) or self.cube["words"]["everyone"]
