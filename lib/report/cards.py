"""What a number's card says: where the number comes from."""

from __future__ import annotations

from types import SimpleNamespace

from lib.disclosure.gate import NUMBER_COLUMNS
from lib.show.marks import row_anchor
from lib.show.words import estimate_text, interval_text, n_text, population_label, term_label
from lib.study.codebook import Codebook


def card(record: dict, codebook: Codebook) -> dict[str, str]:
    """The card of one published row.

    Parameters
    ----------
    record : dict
        A row of a mark; None stands for a number that is not there.
    codebook : Codebook
        Labels.

    Returns
    -------
    dict
        ``what, estimate, interval, n, model, to``; ``to`` is the row's place on the page.
    """
    numbers = {name: float("nan") for name in NUMBER_COLUMNS if record[name] is None}
    row = SimpleNamespace(**record | numbers, codebook=codebook, shown=record["status"] == "ok")
    unit = "" if row.unit == "percent" or not row.shown else f" {row.unit}"
    who = population_label(row)
    return {
        "what": f"{term_label(row)}, {who}" if who else term_label(row),
        "estimate": estimate_text(row) + unit,
        "interval": interval_text(row),
        "n": n_text(row),
        "model": "; ".join(filter(None, [row.model, row.estimator])),
        "to": "#" + row_anchor(row.row_id),
    }
