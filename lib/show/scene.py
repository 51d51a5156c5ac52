"""Vega-Lite specifications, made with Altair from plain lists of positions and texts.

A layer holds only what it draws. Data sets are named, so that a filter can replace them on the page;
layers are named, and ``usermeta`` gives each the CSS class that its marks carry as inline SVG.
"""

from __future__ import annotations

import altair as alt

from lib.show.groups import DIAMOND, EDGE, INK, MUTED, RULE, SURFACE, GroupStyle
from lib.show.layout import Axis, Form
from lib.show.words import number

FONT = "Segoe UI, Ubuntu, Noto Sans, DejaVu Sans, sans-serif"

__all__ = ["Scene"]


class Scene:
    """A chart under construction: one plot, layers added from back to front."""

    def __init__(self, form: Form, axis: Axis, height: float):
        self.form, self.axis, self.height = form, axis, height
        self.layers: list[alt.Chart] = []
        self.data: dict[str, list[dict]] = {}
        self.classes: dict[str, str] = {}
        self.plot: dict = {}

    def grid(self, *, bottom: float, suffix: str = "") -> None:
        """Grid lines, a stronger one at zero, and the axis's numbers; every other one if there are many."""
        ticks = self.axis.ticks()
        places = max(0, min(2, 2 if self.axis.step < 0.1 or self.axis.step == 0.25 else 1))
        spec = ".0f" if self.axis.step >= 1 else f".{places}f"
        every = 2 if self.form.narrow and len(ticks) > 5 else 1
        kept = [tick for tick in ticks if round(tick / self.axis.step) % every == 0]
        texts = [{"x": tick, "text": number(tick, spec) + suffix} for tick in kept]
        ends = {"y": alt.value(4), "y2": alt.value(bottom)}
        for name, colour, wide, chosen in (
            ("grid", RULE, 1, [tick for tick in ticks if tick != 0]),
            ("zero", EDGE, 1.5, [tick for tick in ticks if tick == 0]),
        ):
            self._add(name, name, [{"x": tick} for tick in chosen], x=self.x("x"), **ends)._rule(colour, wide)
        self._add(
            "axis",
            "axis",
            texts,
            x=self.x("x"),
            y=alt.value(bottom + 18),
            text=alt.Text("text", type="nominal"),
        )._text("middle", MUTED, 13)

    def texts(self, name: str, css: str, values: list[dict], *, x: float, align: str, **look: object) -> None:
        """Words at a fixed x; ``values`` hold ``y`` and ``text``. ``look``: colour, size, bold."""
        self._add(
            name, css, values, x=alt.value(x), y=self.y("y"), text=alt.Text("text", type="nominal")
        )._text(align, **look)

    def lines(
        self, name: str, css: str, source: str, low: str, high: str, *, colour: str, width: float, **look
    ) -> None:
        """Horizontal lines between two fields of a data set."""
        self._add(name, css, source, x=self.x(low), x2=alt.X2(high), y=self.y("y"))._rule(
            colour, width, **look
        )

    def marks(self, name: str, css: str, source: str, *, field: str, path: str, **look: object) -> None:
        """A shape at a field of a data set. ``look``: fill, stroke, strokeWidth."""
        added = self._add(name, css, source, x=self.x(field), y=self.y("y"))
        added.layers[-1] = added.layers[-1].mark_point(shape=path, size=4, opacity=1, **look)

    def filled(self, name: str, source: str, style: GroupStyle, *, field: str) -> None:
        """The computed value of a group."""
        look = {"fill": style.colour, "stroke": SURFACE, "strokeWidth": 1.5}
        self.marks(name, style.filled, source, field=field, path=style.path, **look)

    def hollow(self, name: str, source: str, style: GroupStyle, *, field: str) -> None:
        """A group's value before a mediator is in the model."""
        look = {"fill": SURFACE, "stroke": style.colour, "strokeWidth": 2.25}
        self.marks(name, style.hollow, source, field=field, path=style.path, **look)

    def printed(self, values: list[dict]) -> None:
        """Open diamonds: values printed in 2018; ``values`` hold ``x`` and ``y``."""
        self.data["printed"] = values
        look = {"fill": SURFACE, "stroke": INK, "strokeWidth": 2}
        self.marks("printed", "m-printed", "printed", field="x", path=DIAMOND, **look)

    def x(self, field: str) -> alt.X:
        """A field on the plot's axis."""
        scale = alt.Scale(
            domain=[self.axis.low, self.axis.high],
            range=[self.form.left, self.form.right],
            nice=False,
            zero=False,
        )
        return alt.X(field, type="quantitative", scale=scale, axis=None)

    def y(self, field: str) -> alt.Y:
        """A field in pixels from the top."""
        scale = alt.Scale(domain=[0, self.height], range=[0, self.height], nice=False, zero=False)
        return alt.Y(field, type="quantitative", scale=scale, axis=None)

    def spec(self, description: str) -> dict:
        """The finished Vega-Lite specification, not checked against the schema here: that takes most of the
        time of a figure, and the tests do it."""
        chart = alt.layer(*self.layers).properties(
            width=self.form.width,
            height=self.height,
            padding=0,
            autosize="none",
            background="transparent",
            description=description,
            usermeta={"classes": self.classes, "plot": self.plot},
            datasets=self.data,
        )
        return chart.configure(aria=False, font=FONT, view=alt.ViewConfig(stroke=None, fill=None)).to_dict(
            validate=False
        )

    def _add(self, name: str, css: str, source: str | list[dict], **encoding: object) -> Scene:
        if isinstance(source, list):
            self.data[name] = source
            source = name
        chart = alt.Chart(alt.NamedData(name=source), name=name).mark_point().encode(**encoding)
        self.layers.append(chart)
        self.classes[name] = css
        return self

    def _rule(self, colour: str, width: float, **look: object) -> None:
        self.layers[-1] = self.layers[-1].mark_rule(stroke=colour, strokeWidth=width, **look)

    def _text(self, align: str, colour: str = INK, size: float = 14, bold: bool = False) -> None:
        weight = "bold" if bold else "normal"
        self.layers[-1] = self.layers[-1].mark_text(
            align={"middle": "center"}.get(align, align),
            baseline="alphabetic",
            fill=colour,
            fontSize=size,
            fontWeight=weight,
        )
