"""The lattice of filter states, and which of them may be published (DISCLOSURE.md, D6 and "Filters").

A state is a conjunction of levels. States are taken by size, the largest first, so that the most
student-weighted states stay; a state is left out when publishing it would reveal a small set. Among
states of one size the one whose students belong to the group that has lost more so far goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from lib.disclosure.counts import merge_levels
from lib.disclosure.differencing import Cells, Release, Rule, cells_of, small_sets
from lib.disclosure.members import among_respondents, members
from lib.disclosure.releases import released_populations
from lib.study.codebook import Codebook, DisclosureSettings
from lib.study.load import Study

State = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Lattice:
    """Filter states that hold k students or more, and whether each is published.

    Attributes
    ----------
    states : tuple of State
        Pairs (column, level) in the offer's order; the empty state is every respondent. A merged
        level joins its levels with ``+``.
    published : ndarray of bool, shape (states,)
    levels : dict
        Offered levels of each column: merged level -> levels of the data.
    students : ndarray, shape (states, 3)
        Students, focal students and reference students in each state. Not for publication.
    """

    states: tuple[State, ...]
    published: np.ndarray
    levels: dict[str, dict[str, tuple[str, ...]]]
    students: np.ndarray = field(repr=False)

    @property
    def offered(self) -> tuple[State, ...]:
        """States that may be published."""
        return tuple(state for state, shown in zip(self.states, self.published, strict=True) if shown)

    @property
    def kept_share(self) -> float:
        """Student-weighted share of the states with k students or more that are published."""
        return float(self.students[self.published, 0].sum() / self.students[:, 0].sum())

    @property
    def hidden_shares(self) -> tuple[float, float]:
        """Student-weighted share of states hidden for the focal and for the reference group."""
        lost = self.students[~self.published, 1:].sum(axis=0) / np.maximum(
            self.students[:, 1:].sum(axis=0), 1
        )
        return float(lost[0]), float(lost[1])

    @property
    def merged(self) -> tuple[str, ...]:
        """Sentences on levels that were merged because they hold too few students (D4)."""
        return tuple(
            f"{column}: {' and '.join(old)} are shown together"
            for column, levels in self.levels.items()
            for old in levels.values()
            if len(old) > 1
        )

    def rule(self, state: State) -> dict[str, tuple[str, ...]]:
        """Levels of the data that a state selects."""
        return {column: self.levels[column][level] for column, level in state}


def choose_lattice(
    study: Study,
    *,
    columns: Sequence[str] | None = None,
    max_depth: int | None = None,
    released: Iterable[Rule] | None = None,
    chapters: Iterable[Rule] | None = None,
) -> Lattice:
    """Choose the filter states of a study that may be published together.

    Parameters
    ----------
    study : Study
    columns : sequence of str, optional
        Columns that may be combined freely; without it the codebook's offer (``filter_columns``,
        ``filter_alone``).
    max_depth : int, optional
        Most columns in a state; without it ``max_filters``.
    released : iterable of rule
        Populations of earlier releases: what they reveal is lost and no longer protected; without it
        those of the study's ledger and of its own printed report.
    chapters : iterable of rule, optional
        Populations that the chapters publish, counted before any state; without it the codebook's named
        populations.

    Returns
    -------
    Lattice
    """
    settings = study.codebook.disclosure
    inside = members(study)
    students = study.students.loc[inside].reset_index(drop=True)
    earlier = released_populations(study) if released is None else released
    released = [among_respondents(rule, study.codebook) for rule in earlier]
    names = tuple(columns) if columns is not None else (*settings.filter_columns, *settings.filter_alone)
    named = [population.where for population in study.codebook.populations.values()]
    rules = named if chapters is None else list(chapters)
    defining = {*names, *(column for rule in [*released, *rules] for column in rule)}
    cells = cells_of(students, sorted(defining))
    release = Release(cells, small_sets(cells, k=settings.k, columns=settings.differencing_columns))
    for rule in released:
        release.publish(cells.indicator(rule))
    release.concede()
    levels = {name: _offered_levels(name, cells, study.codebook) for name in names}
    for rule in rules:
        _publish_if_safe(release, cells.indicator(rule), settings)
    combos = _combinations(settings, columns, max_depth)
    states, indicators = _states(cells, levels, combos)
    groups = [cells.weights(members(study, key)[inside]) for key in ("focal", "reference")]
    sizes = np.column_stack([indicators @ weights for weights in (cells.sizes, *groups)])
    allowed = sizes[:, 0] >= settings.k
    indicators, sizes = indicators[allowed], sizes[allowed]
    published = _greedy(release, indicators, sizes)
    return Lattice(
        tuple(state for state, ok in zip(states, allowed, strict=True) if ok), published, levels, sizes
    )


def _offered_levels(column: str, cells: Cells, codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels offered for a filter column, small ones merged (D4): new level -> levels of the data."""
    by_level = cells.levels[column].groupby(cells.levels[column]).indices
    counts = {level: int(cells.sizes[places].sum()) for level, places in by_level.items() if level}
    groups = [codebook.populations[key].where for key in (codebook.focal, codebook.reference)]
    keep = tuple(level for where in groups for level in where.get(column, ()))
    return merge_levels(counts, k=codebook.disclosure.k, keep=keep)


def _combinations(
    settings: DisclosureSettings, columns: Sequence[str] | None, depth: int | None
) -> list[tuple]:
    free = columns if columns is not None else settings.filter_columns
    deepest = depth if depth is not None else settings.max_filters
    combos = [chosen for size in range(min(deepest, len(free)) + 1) for chosen in combinations(free, size)]
    if columns is None:
        for name, beside in settings.filter_alone.items():
            combos += [(name,), *((name, other) for other in beside)]
    return combos


def _states(cells: Cells, levels: dict, combos: list[tuple]) -> tuple[list[State], np.ndarray]:
    """Every non-empty state of the combinations with its indicator, shape (states, cells)."""
    selectors = {
        (column, new): cells.indicator({column: old})
        for column, merged in levels.items()
        for new, old in merged.items()
    }
    states, indicators = [], []
    for columns in combos:
        partial: list[tuple[State, np.ndarray]] = [((), np.ones(len(cells.sizes), dtype=bool))]
        for column in columns:
            partial = [
                ((*state, (column, new)), inside & selectors[column, new])
                for state, inside in partial
                for new in levels[column]
                if (inside & selectors[column, new]).any()
            ]
        states += [state for state, _ in partial]
        indicators += [inside for _, inside in partial]
    return states, np.array(indicators)


def _publish_if_safe(release: Release, indicator: np.ndarray, settings: DisclosureSettings) -> bool:
    if release.cells.size(indicator) < settings.k or len(release.reveals(indicator)):
        return False
    release.publish(indicator)
    return True


def _greedy(release: Release, indicators: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Publish states by size; ties go to the group that has lost the larger share so far."""
    published = np.zeros(len(sizes), dtype=bool)
    totals = np.maximum(sizes[:, 1:].sum(axis=0), 1)
    lost = np.zeros(2)
    waiting = sorted(range(len(sizes)), key=lambda place: -sizes[place, 0])
    start = 0
    while start < len(waiting):
        tied = [place for place in waiting[start:] if sizes[place, 0] == sizes[waiting[start], 0]]
        start += len(tied)
        while tied:
            behind = int(lost[1] > lost[0])
            place = max(tied, key=lambda place: (sizes[place, 1 + behind], -place))
            tied.remove(place)
            if len(release.reveals(indicators[place])):
                lost += sizes[place, 1:] / totals
            else:
                release.publish(indicators[place])
                published[place] = True
    return published
