"""Figures of released rows: estimates with intervals, before and after, percentages.

One mark language for all: an open diamond is a value printed in 2018, a filled mark one computed now,
a line its interval; a group is told apart by colour and shape together.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lib.disclosure.gate import Released, ReleasedRow
from lib.show.drawing import NAMES, begin, data_table, finish, forms, points
from lib.show.frame import interval_name
from lib.show.layout import Axis, Form, Line, axis_for, lines_of, place
from lib.show.mediated import mediated_alt, mediated_lines, mediated_specs, mediated_table
from lib.show.plate import Series, alt_text, emit_figure, key_item, printed_item, series_of
from lib.show.prose import Phrase, words_of
from lib.show.published import printed_values

__all__ = ["bars", "before_after", "dot_interval"]

Published = Mapping[str, float] | pd.DataFrame | None


def dot_interval(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    published: Published = None,
    compare: Released | None = None,
    domain: tuple[float, float] | None = None,
    conf_level: float | None = None,
) -> None:
    """Estimates as marks with their intervals as lines, one line for each term.

    Parameters
    ----------
    released : Released
        One row for each term and group; at most two groups, with those of ``compare``.
    title, caption : Phrase or str
        The finding in words; what is plotted. Unit, population and n are added from the rows.
    label, exhibit : str, int
        Anchor ``fig-...`` and the study's exhibit number; one of the two.
    published : mapping or DataFrame, optional
        Values printed in 2018 (``study.published``, or values by term), drawn as open diamonds.
    compare : Released, optional
        Rows of a second population.
    domain : (low, high), optional
        Ends of the axis; without it the axis holds zero and every interval.
    conf_level : float, optional
        Coverage of the intervals, for the words around the figure.

    Raises
    ------
    ShowError
        If something did not pass the gate, or two rows claim one mark.
    """
    series = series_of("dot_interval", released, compare)
    printed = printed_values(published, series.rows, exhibit=exhibit)
    lines = lines_of(series.rows, series.keys)
    axis = axis_for(lines, domain=domain, others=printed.values())
    alt = alt_text(words_of(title), series, printed)
    specs = {form.name: _dots(form, axis, lines, series, printed, alt) for form in forms(len(series.keys))}
    key = [
        key_item(style, name, interval=True) for style, name in zip(series.styles, series.labels, strict=True)
    ]
    key += [printed_item()] if printed else []
    key.append(key_item(None, f"line: {interval_name(conf_level).lower()}"))
    table = data_table(lines, series.labels, printed, conf_level=conf_level)
    emit_figure(
        series, specs, title=title, caption=caption, label=label, exhibit=exhibit, alt=alt, key=key, table=table,
        conf_level=conf_level,
    )  # fmt: skip


def before_after(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    published: Published = None,
    domain: tuple[float, float] | None = None,
    conf_level: float | None = None,
) -> None:
    """The path to each outcome before (hollow) and after (filled) a mediator is in the model.

    Parameters
    ----------
    released : Released
        Rows of ``lib.analysis.mediation``: for each outcome, mediator and population the contrasts
        ``before``, ``direct``, ``a``, ``b``, ``indirect``, ``total`` and ``share_explained``. With one
        mediator a line is an outcome; with one outcome a line is a mediator.
    title, caption, label, exhibit, published, domain, conf_level
        As of ``dot_interval``; printed values stand for the path before.

    Raises
    ------
    ShowError
        If something did not pass the gate, a path before or after is missing, or the rows hold several
        mediators of several outcomes.
    """
    series = series_of("before_after", released, None)
    printed = printed_values(published, series.rows, exhibit=exhibit)
    found = mediated_lines(series)
    axis = axis_for([*found.before, *found.after], domain=domain, others=found.printed(printed).values())
    alt = mediated_alt(words_of(title), series, found, printed)
    key = []
    for style, name in zip(series.styles, series.labels, strict=True):
        who = f"{name}, " if len(series.keys) > 1 else ""
        key += [key_item(style, f"{who}before", hollow=True), key_item(style, f"{who}after")]
    key += [printed_item("printed in 2018 (before)")] if found.printed(printed) else []
    emit_figure(
        series, mediated_specs(found, series, axis, printed, alt), title=title, caption=caption, label=label,
        exhibit=exhibit, alt=alt, key=key, table=mediated_table(found, series, printed), conf_level=conf_level,
        drawn=found.drawn,
    )  # fmt: skip


def bars(
    released: Released,
    *,
    title: Phrase | str,
    caption: Phrase | str = "",
    label: str = "",
    exhibit: int | None = None,
    compare: Released | None = None,
    domain: tuple[float, float] | None = None,
    conf_level: float | None = None,
) -> None:
    """Shares of categories as bars that end in their group's mark, with the interval where a row has one.

    Parameters are those of ``dot_interval``; the rows are in percent, or counts, in the order of the
    categories. The axis begins at zero.
    """
    series = series_of("bars", released, compare)
    lines = lines_of(series.rows, series.keys)
    axis = axis_for(lines, domain=domain)
    alt = alt_text(words_of(title), series, {})
    specs = {form.name: _bars(form, axis, lines, series, alt) for form in forms(len(series.keys))}
    key = [key_item(style, name) for style, name in zip(series.styles, series.labels, strict=True)]
    if any(row.conf_low == row.conf_low for row in series.rows):
        key.append(key_item(None, f"line: {interval_name(conf_level).lower()}"))
    table = data_table(lines, series.labels, {}, conf_level=conf_level)
    emit_figure(
        series, specs, title=title, caption=caption, label=label, exhibit=exhibit, alt=alt, key=key, table=table,
        conf_level=conf_level,
    )  # fmt: skip


def _dots(form: Form, axis: Axis, lines: list[Line], series: Series, printed: dict, alt: str) -> dict:
    placed = place(lines, form, printed=bool(printed))
    scene = begin(form, axis, placed)
    for group, style in enumerate(series.styles):
        name = NAMES[group]
        scene.data[name] = points(placed, group, _with_interval)
        scene.lines(
            f"interval_{name}", f"interval {style.css}", name, "low", "high", colour=style.colour, width=3
        )
        scene.filled(f"mark_{name}", name, style, field="x")
    finish(scene, placed, series.styles, printed)
    return scene.spec(alt)


def _bars(form: Form, axis: Axis, lines: list[Line], series: Series, alt: str) -> dict:
    placed = place(lines, form, printed=False)
    percent = any(row.unit == "percent" for row in series.rows)
    scene = begin(form, axis, placed, suffix="%" if percent else "")
    for group, style in enumerate(series.styles):
        name = NAMES[group]
        scene.data[name] = points(placed, group, lambda row: {"zero": 0} | _with_interval(row))
        look = {"colour": style.colour, "width": 12, "strokeOpacity": 0.3}
        scene.lines(f"bar_{name}", f"bar {style.css}", name, "zero", "x", **look)
        scene.lines(
            f"interval_{name}", f"interval {style.css}", name, "low", "high", colour=style.colour, width=3
        )
        scene.filled(f"mark_{name}", name, style, field="x")
    finish(scene, placed, series.styles, {})
    return scene.spec(alt)


def _with_interval(row: ReleasedRow) -> dict:
    """Estimate and interval; a row without one has a line of no length, which does not show."""
    low, high = (row.estimate if end != end else end for end in (row.conf_low, row.conf_high))
    return {"x": row.estimate, "low": low, "high": high}
