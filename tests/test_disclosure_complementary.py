"""Complementary suppression: known cases, properties, and an attacker that shares no code with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.disclosure.complementary import protect
from lib.disclosure.counts import LinkedCounts, linked_counts, merge_levels
from lib.disclosure.feasible import feasible_intervals
from lib.errors import DisclosureError
from tests.disclosure_attacker import bounds, printed_table, relations
from tests.disclosure_studies import random_students

K = 10


def line(*counts: int) -> LinkedCounts:
    """One row of a table: cells, then their total."""
    n = len(counts)
    return LinkedCounts(
        keys=tuple(range(n + 1)), counts=np.array([*counts, sum(counts)]), relations=np.array([[1.0] * n + [-1]]),
        depth=np.array([0] * n + [1]), focal=np.zeros(n + 1), reference=np.zeros(n + 1),
    )  # fmt: skip


def test_a_lone_hidden_cell_takes_the_smallest_neighbour_with_it():
    counts = line(4, 80, 20)
    found = protect(counts, primary=counts.counts < K, k=K)
    assert found.hidden.tolist() == [True, False, True, False]
    assert feasible_intervals(counts, found.hidden).tolist() == [[0, 24], [0, 24]]


def test_two_small_cells_that_hide_each_other_need_no_third():
    counts = line(4, 7, 80)
    assert protect(counts, primary=counts.counts < K, k=K).hidden.tolist() == [True, True, False, False]


def test_two_small_cells_with_a_small_sum_need_a_third():
    counts = line(1, 2, 80, 12)
    assert protect(counts, primary=counts.counts < K, k=K).hidden.tolist() == [True, True, False, True, False]


def test_wording_is_uniform_where_fewer_than_ten_would_say_it_all():
    counts = line(9, 9, 80)
    found = protect(counts, primary=counts.counts < K, k=K)
    assert found.hidden.tolist() == [True, True, False, False]
    assert not found.worded_apart


def test_ties_go_to_the_smaller_gap_between_focal_and_reference():
    for focal, other in ((1, 2), (2, 1)):
        counts = line(4, 20, 20)
        groups = {"focal": np.zeros(4), "reference": np.zeros(4)}
        groups["focal"][[0, focal]] = [4, 20]
        groups["reference"][other] = 20
        linked = LinkedCounts(counts.keys, counts.counts, counts.relations, counts.depth, **groups)
        hidden = protect(linked, primary=counts.counts < K, k=K).hidden
        assert hidden[other] and not hidden[focal]


def test_relations_that_do_not_hold_are_refused():
    with pytest.raises(DisclosureError, match="relations"):
        LinkedCounts((0, 1), np.array([3, 4]), np.array([[1.0, -1.0]]), np.zeros(2), np.zeros(2), np.zeros(2))


def test_what_cannot_be_protected_is_an_error():
    counts = line(4, 20)
    with pytest.raises(DisclosureError, match="1 small"):
        protect(counts, primary=counts.counts < K, k=K, always_shown=np.array([False, True, True]))


def test_small_levels_are_merged_before_anything_is_hidden():
    assert merge_levels({"a": 40, "b": 6, "c": 7}, k=10) == {"a": ("a",), "b+c": ("b", "c")}
    assert merge_levels({"a": 40, "b": 30, "c": 7}, k=10, keep=("b",)) == {"b": ("b",), "a+c": ("a", "c")}
    assert merge_levels({"a": 40, "c": 7}, k=10, keep=("a",)) == {"a": ("a",)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=12), st.integers(2, 3))
def test_property_nothing_small_is_shown_and_no_safe_total_is_lost(cells, rows):
    cells = cells[: len(cells) // rows * rows]
    table = np.array(cells).reshape(rows, -1)
    frame = pd.DataFrame(
        [(f"r{r}", f"c{c}") for (r, c), n in np.ndenumerate(table) for _ in range(n)],
        columns=["row", "column"],
    )
    if len(frame) < K:
        return
    linked = linked_counts(frame, [("row", "column")])
    primary = linked.counts < K
    found = protect(linked, primary=primary, k=K)
    assert not (~found.hidden & (linked.counts < K)).any()
    intervals = feasible_intervals(linked, found.hidden)
    spans = (intervals[:, 1] - intervals[:, 0] + 1)[primary[found.hidden]]
    assert (spans >= K).all()
    for place in np.flatnonzero(found.hidden & ~primary):
        shown = found.hidden.copy()
        shown[place] = False
        again = feasible_intervals(linked, shown)
        widths = (again[:, 1] - again[:, 0] + 1)[primary[shown]]
        assert (widths < K).any(), "a count was hidden that protects nobody"


TABLES = (("race", "school"), ("race", "grade_level"), ("gender", "grade_level", "subject"))


def protected(seed: int, n: int, columns: tuple[str, ...]):
    """One random study's students, their true counts and the table as a reader sees it."""
    students = random_students(seed, n)[list(columns)]
    linked = linked_counts(students, [columns])
    primary = linked.counts < K
    found = protect(linked, primary=primary, k=K)
    words = {}
    for key, own, hidden in zip(linked.keys, primary, found.hidden, strict=True):
        if hidden:
            words[key] = "fewer than 10" if own and found.worded_apart else "to protect another group"
    counts = dict(zip(linked.keys, map(int, linked.counts), strict=True))
    return students, counts, printed_table(students, columns, words)


def attack(counts: dict, seen: dict, adding_up: list, bounds=bounds) -> tuple[int, int]:
    """Hidden counts of a printed table, and how many of them an attacker's bounds recover."""
    recovered = 0
    for use_words in (False, True):
        for key, (low, high) in bounds(seen, adding_up, use_words=use_words).items():
            narrow = counts[key] < K and not use_words and high - low + 1 < K
            recovered += low == high or narrow
    return sum(isinstance(value, str) for value in seen.values()), recovered


@pytest.mark.parametrize("seed", range(24))
def test_the_attacker_recovers_no_hidden_count(seed):
    n = [200, 400, 900, 2000][seed % 4]
    students, counts, seen = protected(seed, n, TABLES[seed % 2])
    hidden, recovered = attack(counts, seen, relations(seen, students))
    assert recovered == 0, f"{recovered} of {hidden} hidden counts recovered"


def test_the_attacker_recovers_a_count_hidden_alone():
    students = pd.DataFrame({"race": ["a"] * 4 + ["b"] * 40, "school": ["x"] * 44})
    seen = printed_table(students, ("race",), {frozenset({("race", "a")}): "fewer than 10"})
    assert bounds(seen, relations(seen, students[["race"]]), use_words=False) == {
        frozenset({("race", "a")}): (4, 4)
    }
