"""Which rows of a table the rules refuse, and why."""

from __future__ import annotations

import pandas as pd

from lib.analysis.estimates import TEXT_COLUMNS, estimates
from lib.disclosure.linked_rows import hidden_beside
from lib.disclosure.rules import coding_words, dominated, few, latent_few, lopsided, telling
from lib.study.load import Study

__all__ = ["refused", "with_one_more"]


def refused(rows: pd.DataFrame, printed: pd.Series, study: Study) -> dict[str, pd.Series]:
    """Rows that may not be shown, by reason: few, alike (few, but not told apart), thin, coded, beside; any."""
    settings = study.codebook.disclosure
    shown = (rows["status"] == "ok") & ~printed
    small = shown & few(rows, settings)
    thin = shown & ~small & latent_few(rows, settings)
    coded = coding_words(rows, settings).where(shown & ~small, "")
    lone = shown & ~small & ~thin & (coded == "")
    lone &= lopsided(rows, settings) | telling(rows, study.codebook) | dominated(rows, study)
    primary = small | thin | lone | (coded != "")
    beside, alike = pd.Series(False, index=rows.index), pd.Series(False, index=rows.index)
    if settings.complementary and primary.any():
        countable = rows.mask(thin | (rows["status"] != "ok"))
        beside, alike = hidden_beside(countable.assign(**rows[list(TEXT_COLUMNS)]), primary & ~thin, study)
    beside = lone | (beside & shown & ~thin)
    return {
        "few": small & ~alike, "alike": small & alike, "thin": thin, "coded": coded, "beside": beside,
        "any": primary | beside,
    }  # fmt: skip


def with_one_more(
    row: dict, rows: pd.DataFrame, printed: pd.Series, found: dict[str, pd.Series], study: Study
) -> tuple[pd.DataFrame, pd.Series, dict[str, pd.Series]]:
    """Rows and what is refused of them with a row for small groups together, if it costs no other row and may be shown."""
    if row["row_id"] in set(rows["row_id"]):
        return rows, printed, found
    more = pd.concat([rows, estimates([row])], ignore_index=True)
    own = pd.Series([*printed, False], index=more.index)
    new = refused(more, own, study)
    lost = new["any"] & ~pd.Series([*found["any"], False], index=more.index)
    return (rows, printed, found) if lost.any() else (more, own, new)
