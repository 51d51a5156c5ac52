"""How numbers and names are written: true minus signs, fixed decimals, p to three places, labels.

Rounding follows rule D17 of DISCLOSURE.md and is the same in figures, tables and sentences.
"""

from __future__ import annotations

import math

from lib.analysis.estimates import THEME, mediator_of
from lib.disclosure.gate import COUNTED_UNITS, ReleasedRow
from lib.errors import ShowError

MINUS = "\N{MINUS SIGN}"
COUNTED = COUNTED_UNITS
DECIMALS = {"percent": 0, "percent of values": 0, "percent of states": 1} | dict.fromkeys(COUNTED, 0)
DECIMALS |= {"factors": 0, "chi-square": 1, "ratio": 1} | dict.fromkeys(
    ("CFI", "TLI", "RMSEA", "SRMR", "change in CFI", "change in RMSEA", "change in SRMR", "change in R2"), 3
)
UNIT_WORDS = {"SD per SD": "SD per SD", "SD": "SD", "points": "scale points", "percent": "percent"}
STATUS_WORDS = {
    "not_converged": "not estimated: the model did not converge",
    "inadmissible": "not estimated: the solution is not admissible",
    "not_comparable": "not comparable between these groups",
    "hidden": "not shown to protect another group",
    "too_few": "not shown: too few students",
}
STATISTICS = {
    "chisq": "Chi-square", "df": "Degrees of freedom", "pvalue": "p", "cfi": "CFI", "tli": "TLI",
    "rmsea": "RMSEA", "srmr": "SRMR", "alpha": "Alpha", "omega": "Omega", "delta_cfi": "Change in CFI",
    "delta_rmsea": "Change in RMSEA", "delta_srmr": "Change in SRMR", "a": "a", "b": "b", "before": "Before",
    "direct": "Direct", "indirect": "Indirect", "total": "Total", "share_explained": "Share of the total",
    "difference": "Difference", "mean": "Mean", "percent": "Percent", "count": "Count",
    "values": "Values", "not shown": "Not shown", "synthetic only": "Synthetic only", "states": "Filter states",
    "largest difference": "Largest difference", "fewest": "Fewest in a school", "most": "Most in a school",
    "enrolled": "Enrolled (printed in 2018)", "standardized difference": "Standardized difference",
    "hedges_g": "Difference in SD (Hedges' g)", "cox_index": "Difference in SD (Cox's index)",
}  # fmt: skip
SMALL_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

__all__ = [
    "MINUS", "domain_label", "estimate_text", "interval_text", "is_shown", "label_of", "lower_first", "n_text",
    "number", "p_text", "population_label", "reason", "small_number", "term_label", "value_text",
]  # fmt: skip


def number(value: float, spec: str = ".2f") -> str:
    """A number in words a reader expects: −0.22 with a minus sign, never −0.00."""
    try:
        text = format(value, spec)
    except ValueError as error:
        raise ShowError(f"{spec!r} is no number format; use one such as '.2f', '.0f' or ','") from error
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        text = text[1:]
    return text.replace("-", MINUS)


def small_number(value: float) -> str:
    """A count in running text: words up to ten, figures above."""
    return SMALL_NUMBERS[int(value)] if 0 <= value <= 10 and value == int(value) else number(value, ",.0f")


def p_text(p: float) -> str:
    """A p-value to three places: ``.034``, ``<.001``."""
    if p < 0.001:
        return "<.001"
    return ">.999" if p > 0.999 else f"{p:.3f}"[1:]


def is_shown(row: ReleasedRow) -> bool:
    """Whether the row has an estimate that may be drawn and written."""
    return row.status == "ok" and not math.isnan(row.estimate)


def reason(row: ReleasedRow) -> str:
    """Why a row has no number, in words (rule D12)."""
    return row.status_reason or STATUS_WORDS.get(row.status, "not available")


def has_interval(row: ReleasedRow) -> bool:
    """Whether the row carries an interval."""
    return not (math.isnan(row.conf_low) or math.isnan(row.conf_high))


def default_spec(row: ReleasedRow) -> str:
    """Number format of a row's estimate, from its unit."""
    return ",.0f" if row.unit in COUNTED else f".{DECIMALS.get(row.unit, 2)}f"


def estimate_text(row: ReleasedRow) -> str:
    """A shown row's estimate: ``0.69``, ``46%``, ``870``; a hidden row's reason."""
    if not is_shown(row):
        return reason(row)
    return number(row.estimate, default_spec(row)) + ("%" if row.unit == "percent" else "")


def interval_text(row: ReleasedRow, between: str = " to ") -> str:
    """A row's interval, ``0.65 to 0.73``; empty where there is none."""
    if not (is_shown(row) and has_interval(row)):
        return ""
    spec = default_spec(row)
    return f"{number(row.conf_low, spec)}{between}{number(row.conf_high, spec)}"


def value_text(row: ReleasedRow) -> str:
    """Estimate and interval as at the right of a figure: ``0.69 [0.65, 0.73]``."""
    interval = interval_text(row, ", ")
    return f"{estimate_text(row)} [{interval}]" if interval else estimate_text(row)


def rounded_n(row: ReleasedRow) -> float:
    """Number of units behind a row; a model's is rounded to 10 (rule D17)."""
    step = row.codebook.disclosure.round_n
    counted = row.unit in COUNTED or row.model == THEME
    counted |= row.unit == "percent" and not mediator_of(row.model)
    return row.n_obs if counted else round(row.n_obs / step) * step


def n_text(row: ReleasedRow) -> str:
    """Number of units behind a row, as printed; empty where it is not known."""
    return "" if math.isnan(row.n_obs) else number(rounded_n(row), ",.0f")


def caution(row: ReleasedRow) -> str:
    """What a reader must know of a shown value (rule D13), or empty."""
    return row.status_reason if is_shown(row) else ""


def label_of(key: str, codebook: object) -> str:
    """Label of a construct, column, level, population or statistic; of ``y ~ x``, that of ``y``.

    Keys joined by ``" & "`` are worded one after the other; ``column>=level`` is that level "or more", and
    ``below x`` a distance from another construct.
    """
    if key.startswith("below "):
        return f"Below {lower_first(label_of(key.removeprefix('below '), codebook), codebook)}"
    if " & " in key:
        return ", ".join(label_of(part, codebook) for part in key.split(" & "))
    for sign, beyond in (("<=", "or less"), (">=", "or more")):
        if sign in key:
            return _cut_label(*key.split(sign), beyond, codebook)
    key = key.split("~")[0].strip()
    return STATISTICS.get(key) or (codebook.label(key).removesuffix(".") if key else "")


def _cut_label(column: str, level: str, beyond: str, codebook: object) -> str:
    """Words for all answers on one side of a level, itself among them."""
    words, levels = codebook.label(f"{column}={level}"), list(codebook.columns[column].levels)
    outermost = level in (levels[0], levels[-1])
    return words if outermost or words.endswith(beyond) else f"{words} {beyond}"


def term_label(row: ReleasedRow) -> str:
    """Reader's label of a row's term."""
    return label_of(row.term, row.codebook)


def domain_label(key: str, codebook: object) -> str:
    """Label of the domain a scale belongs to; "Outcomes" for an outcome column, else empty."""
    key = key.split("~")[0].strip()
    if key in codebook.outcomes:
        return "Outcomes"
    scale = codebook.scales.get(key)
    return codebook.label(scale.domain) if scale and scale.domain else ""


def population_label(row: ReleasedRow) -> str:
    """Reader's label of a row's population."""
    return label_of(row.population, row.codebook)


def lower_first(label: str, codebook: object) -> str:
    """A label inside a sentence: lower case, but proper names and abbreviations stay as they are."""
    first = label.split(" ")[0].split("-")[0]
    named = {codebook.label(key).split(" ")[0] for key in (codebook.focal, codebook.reference)}
    if first in named | {"English"} or (len(first) > 1 and first[1].isupper()):
        return label
    return label[:1].lower() + label[1:]
