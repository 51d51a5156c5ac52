"""Numbers in sentences that no student stands behind: the settings of a codebook.

A fact is read from its source by name and never given by value, so that no result comes past the gate.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sized

from lib.errors import ShowError
from lib.show.marks import require_codebook
from lib.show.prose import Words
from lib.show.words import number, small_number
from lib.study.codebook import Codebook, nearest

__all__ = ["Settings", "fact_html"]


class Settings(Words):
    """What a codebook sets, as fields of a template.

    ``{rules.k}`` is a number of the disclosure rules, ``{rules.alpha}`` a threshold, ``{rules.scales}`` how many
    scales there are; ``{rules.k:words}`` writes small numbers in words and ``{rules.majority:percent}`` shares in
    percent.

    Parameters
    ----------
    codebook : Codebook
        The study's.
    """

    rows = ()

    def __init__(self, codebook: Codebook):
        self._codebook = require_codebook(codebook, "Settings")

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of one setting."""
        codebook = self._codebook
        rules = {key: value for key, value in vars(codebook.disclosure).items() if _is_number(value)}
        counts = {key: len(value) for key, value in vars(codebook).items() if _is_counted(value)}
        known = {
            **{key: (value, "entries of codebook.yml") for key, value in counts.items()},
            **{
                key: (value, f"codebook.yml, thresholds: {key}") for key, value in codebook.thresholds.items()
            },
            **{key: (value, f"codebook.yml, disclosure: {key}") for key, value in rules.items()},
        }
        if attribute not in known:
            raise ShowError(f"the codebook sets no {attribute!r}{nearest(attribute, known)}")
        return fact_html(*known[attribute], spec)


def fact_html(value: object, source: str, spec: str = "") -> str:
    """A number or text of a fact with where it is from.

    Formats are those of numbers (``.2f``), ``words`` for small counts, ``words file|files`` with what is counted,
    ``percent`` or ``.1percent`` for shares, and ``^.4f`` to round a bound upward.
    """
    if not _is_number(value):
        return html.escape(str(value), quote=False)
    if spec.startswith("words "):
        one, _, many = spec.removeprefix("words ").partition("|")
        return f"{fact_html(value, source, 'words')} {one if value == 1 else many}"
    if spec == "words":
        text = small_number(value)
    elif spec.endswith("percent"):
        text = f"{number(100 * value, (spec.removesuffix('percent') or '.0') + 'f')}%"
    elif spec.startswith("^"):
        decimals = int(spec.strip("^.f") or 0)
        text = number(math.ceil(round(value * 10**decimals, 6)) / 10**decimals, spec[1:])
    else:
        text = number(value, spec or (",.0f" if value == int(value) else ".3g"))
    named = html.escape(source, quote=True)
    return f'<data class="fact" value="{value:.10g}" title="{named}">{html.escape(text, quote=False)}</data>'


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_counted(value: object) -> bool:
    return isinstance(value, Sized) and not isinstance(value, str)
