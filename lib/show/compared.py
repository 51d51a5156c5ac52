"""Words on estimates that stand beside one another: two groups and their difference, two ways of estimating."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from lib.disclosure.gate import Released, ReleasedRow
from lib.errors import ShowError
from lib.show.marks import require_rows
from lib.show.prose import Phrase, phrase
from lib.show.wording import choose, listing
from lib.show.words import is_shown

__all__ = ["crossing", "hanging", "significant_here", "two_groups", "widest"]

NOT_ALONE = "That a tie is significant in one group and not in the other is not a difference between them."


def significant_here(first: ReleasedRow, second: ReleasedRow, *, alpha: float) -> bool:
    """Whether just one of two shown rows has a p-value below ``alpha``."""
    return is_shown(first) and is_shown(second) and (first.p_value < alpha) != (second.p_value < alpha)


def two_groups(first: ReleasedRow, second: ReleasedRow, gap: ReleasedRow, *, alpha: float) -> Phrase:
    """What two groups' estimates and their difference say; a difference in significance alone is called none.

    Parameters
    ----------
    first, second : ReleasedRow
        The estimate of either group.
    gap : ReleasedRow
        First minus second, with the test of the difference.
    alpha : float
        Level at which the groups' own p-values are read.
    """
    own = phrase(
        "Among {first.population} it is {first:.2f} ({first.interval}, {first.p}), among {second.population} "
        "{second:.2f} ({second.interval}, {second.p}).",
        first=first,
        second=second,
    )
    apart = f" {NOT_ALONE}" if significant_here(first, second, alpha=alpha) else ""
    tested = choose(
        gap,
        positive="The difference of {row:.2f} ({row.interval}, {row.p}) is clear of zero.",
        negative="The difference of {row:.2f} ({row.interval}, {row.p}) is clear of zero.",
        unclear=f"The difference of {{row:.2f}} ({{row.interval}}, {{row.p}}) is not clear of zero.{apart}",
    )
    return phrase("{own} {tested}", own=own, tested=tested)


def crossing(released: Released | Iterable[ReleasedRow], *, alpha: float) -> tuple[ReleasedRow, ...]:
    """Rows of the terms whose p-values lie on both sides of ``alpha``, one row for each term."""
    found = _by_term(require_rows(released, "crossing"))
    return tuple(
        rows[0]
        for rows in found.values()
        if len({row.p_value < alpha for row in rows if row.p_value == row.p_value}) > 1
    )


def widest(released: Released | Iterable[ReleasedRow]) -> tuple[ReleasedRow, ReleasedRow]:
    """The two estimates of one term that lie furthest apart, the larger first.

    Raises
    ------
    ShowError
        If no term has two estimates.
    """
    pairs = [
        pair for rows in _by_term(require_rows(released, "widest")).values() for pair in combinations(rows, 2)
    ]
    if not pairs:
        raise ShowError("no term has two estimates to set beside each other; give rows of both kinds")
    furthest = max(pairs, key=lambda pair: abs(pair[0].estimate - pair[1].estimate))
    return tuple(sorted(furthest, key=lambda row: row.estimate, reverse=True))


def hanging(released: Released | Iterable[ReleasedRow], *, alpha: float, on: str) -> Phrase:
    """How far two ways of estimating lie apart, and which verdicts hang on the choice between them.

    Parameters
    ----------
    released : Released or iterable of ReleasedRow
        Every term's rows, one for each way.
    alpha : float
        Level at which p-values are read.
    on : str
        The choice in words, such as ``this choice``.
    """
    rows = require_rows(released, "hanging")
    if not any(len(found) > 1 for found in _by_term(rows).values()):
        return phrase(f"No estimate can be given in two ways, so nothing can be said of {on}.")
    (one, other), moved = widest(rows), crossing(rows, alpha=alpha)
    apart = phrase(
        "The estimates that lie furthest apart are those for {one.term} ({one:.2f} and {other:.2f}).",
        one=one,
        other=other,
    )
    if not moved:
        return phrase(f"{{apart}} No verdict hangs on {on}.", apart=apart)
    return phrase(f"{{apart}} The verdict on {{each}} hangs on {on}.", apart=apart, each=listing(moved))


def _by_term(released: Iterable[ReleasedRow]) -> dict[str, list[ReleasedRow]]:
    found: dict[str, list[ReleasedRow]] = {}
    for row in released:
        if is_shown(row):
            found.setdefault(row.term, []).append(row)
    return found
