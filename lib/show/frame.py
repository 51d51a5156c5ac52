"""What stands around a figure or table: name, caption, notes, and the view in JupyterLab."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import pandas as pd

from lib.disclosure.gate import ReleasedRow
from lib.disclosure.rules import is_theme, units_behind
from lib.errors import ShowError
from lib.show.marks import plain
from lib.show.prose import Phrase, words_of
from lib.show.words import COUNTED, UNIT_WORDS, is_shown, label_of, number, rounded_n

EQUALS = "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"

__all__ = [
    "caption_of",
    "given_caption",
    "interval_name",
    "jupyter_html",
    "n_name",
    "name_of",
    "notes_html",
    "sample",
    "scroll",
]


def name_of(kind: str, label: str, exhibit: int | None) -> str:
    """The anchor of an output: the label given, or ``fig-exhibit-12`` from its number.

    Raises
    ------
    ShowError
        If there is neither, or the label does not begin with ``fig-`` or ``tbl-`` as its kind asks.
    """
    name = label or (f"{kind}-exhibit-{exhibit}" if exhibit is not None else "")
    if not re.fullmatch(rf"{kind}-[a-z0-9-]+", name):
        raise ShowError(
            f"{name or 'no label'!r} is no anchor; give exhibit= or a label such as '{kind}-sample'"
        )
    return name


def sample(rows: Iterable[ReleasedRow]) -> str:
    """Who stands behind the rows and how many: ``All students, n = 870; Black students, n = 400``."""
    counts: dict[tuple[str, ...], list[float]] = {}
    rows = list(rows)
    for row in rows:
        codebook = row.codebook
        who = (row.population, row.group) if row.group in codebook.populations else (row.population,)
        found = counts.setdefault(who, [])
        if is_shown(row) and row.n_obs == row.n_obs and row.unit not in COUNTED:
            found.append(rounded_n(row))
    counted = f" {_counted(rows)}".rstrip()
    parts = []
    for who, found in counts.items():
        words = " and ".join(label_of(population, codebook) for population in who)
        if found:
            low, high = min(found), max(found)
            several = "" if low == high else f" to {number(high, ',.0f')}"
            words = f"{words}, {EQUALS}{number(low, ',.0f')}{several}{counted}".lstrip(", ")
        parts.append(words)
    return "; ".join(filter(None, parts))


def _counted(rows: list[ReleasedRow]) -> str:
    """What n counts, where that is one thing and not students: of remarks on a theme, who was listened to."""
    if not rows:
        return ""
    table = pd.DataFrame([row.values for row in rows])
    remarks = is_theme(table) & table["unit"].isin(COUNTED)
    units = set(units_behind(table.assign(unit=table["unit"].mask(remarks, ""))))
    return units.pop() if len(units) == 1 and units != {"students"} else ""


def n_name(rows: Iterable[ReleasedRow]) -> str:
    """Heading of a table's column of n: ``n``, or ``n (teachers)`` where it counts something else than students."""
    counted = _counted(list(rows))
    return f"n ({counted})" if counted else "n"


def interval_name(conf_level: float | None) -> str:
    """``95% interval``, or ``Interval`` where the coverage is not given."""
    return f"{number(100 * conf_level, '.3g')}% interval" if conf_level else "Interval"


def given_caption(caption: Phrase | str) -> Phrase:
    """The author's part of a caption.

    Raises
    ------
    ShowError
        If there is none: unit and sample are added from the rows, but not what is shown.
    """
    words = words_of(caption)
    if not words.markdown.strip():
        raise ShowError(
            'a figure or table has no caption; add caption="..." with what it shows and what is held constant'
        )
    return words


def caption_of(caption: Phrase, rows: Iterable[ReleasedRow], *, conf_level: float | None = None) -> str:
    """The caption given, then what it leaves unsaid of unit and interval, and the sample, from the rows."""
    rows = list(rows)
    given = caption.markdown.strip()
    given += "." if given and given[-1] not in ".!?" else ""
    units = dict.fromkeys(UNIT_WORDS.get(row.unit, row.unit) for row in rows if row.unit)
    unsaid = [unit for unit in units if unit.split(" ")[0].lower() not in given.lower()]
    parts = [f"in {', '.join(unsaid)}"] if unsaid else []
    if "interval" not in given and conf_level and any(row.conf_low == row.conf_low for row in rows):
        parts.append(f"with {interval_name(conf_level)}")
    words = ", ".join(parts)
    who = sample(rows)
    return " ".join(
        filter(None, [given, f"{words[:1].upper()}{words[1:]}." if words else "", f"{who}." if who else ""])
    )


def scroll(table: str, name: str) -> str:
    """A table in a box that scrolls sideways, named and reachable by keyboard."""
    label = html.escape(name, quote=True)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{table}</div>'


def notes_html(notes: Iterable[str]) -> str:
    """Notes under a table or figure, as JupyterLab shows them."""
    return "".join(f'<p class="notes">{html.escape(note, quote=False)}</p>' for note in notes)


def jupyter_html(*, title: str, caption: str, body: str, notes: Iterable[str] = ()) -> str:
    """A figure or table in JupyterLab, on a light ground in either of its themes."""
    return (
        '<figure style="max-width: 46rem; margin: 0; padding: 1rem; background: #fff; color: #18232b">'
        f"<figcaption><strong>{html.escape(plain(title))}</strong><br>{html.escape(plain(caption))}</figcaption>"
        f"{body}{notes_html(notes)}</figure>"
    )
