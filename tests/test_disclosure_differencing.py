"""Differencing, the lattice of filter states and the ledger of releases."""

from __future__ import annotations

import dataclasses
import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.disclosure.differencing import cells_of, derivable_sets, small_sets
from lib.disclosure.lattice import choose_lattice
from lib.disclosure.releases import read_releases, write_release
from lib.disclosure.span import Span, parallel
from lib.errors import DisclosureError
from lib.study.load import load_study
from tests.disclosure_attacker import in_real_span, in_span
from tests.disclosure_studies import CODEBOOK, random_students, study_of

K = 10
FIVE = ("race", "gender", "grade_level", "school", "subject")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=3, max_size=9))
def test_property_the_span_agrees_with_exact_fractions(vectors):
    *published, new, target = vectors
    span = Span(6)
    for vector in published:
        span.add(np.array(vector))
    assert span.rank == np.linalg.matrix_rank(np.array(published))
    assert span.holds(np.array(target)) == in_span(target, published)
    if not span.holds(np.array(new)) and any(target):
        comes = parallel(span.shadow(np.array(target))[None], span.shadow(np.array(new)))[0]
        assert comes == in_span(target, [*published, new])


def two_by_two(**sizes: int) -> pd.DataFrame:
    rows = [(key[0], key[1]) for key, n in sizes.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["race", "gender"])


def test_a_small_remainder_of_two_populations_is_found():
    cells = cells_of(two_by_two(af=30, am=30, bf=30, bm=4), ["race", "gender"])
    parts = [{"race": ["b"]}, {"race": ["b"], "gender": ["f"]}]
    assert derivable_sets(cells, parts, k=K) == ["race in b; gender in m"]
    assert derivable_sets(cells, parts[:1], k=K) == []


def test_a_sum_of_four_populations_is_found_where_no_pair_tells():
    cells = cells_of(two_by_two(af=40, am=40, bf=40, bm=4), ["race", "gender"])
    published = [{}, {"race": ["a"]}, {"gender": ["f"]}, {"race": ["a"], "gender": ["f"]}]
    for pair in combinations(published, 2):
        assert derivable_sets(cells, pair, k=K) == []
    assert derivable_sets(cells, published, k=K) == ["race in b; gender in m"]


def test_small_sets_are_those_of_a_search_over_students():
    students = random_students(3, 300)[["race", "gender", "grade_level", "school"]]
    masks = set()
    for depth in (1, 2, 3):
        for chosen in combinations(students, depth):
            subsets = []
            for column in chosen:
                levels = sorted(set(students[column]))
                every = [s for size in range(1, len(levels) + 1) for s in combinations(levels, size)]
                subsets.append([students[column].isin(one).to_numpy() for one in every])
            for parts in product(*subsets):
                inside = np.logical_and.reduce(parts)
                if 0 < inside.sum() < K:
                    masks.add(inside.tobytes())
    for _, group in students.groupby(list(students)):
        if len(group) < K:
            inside = np.zeros(len(students), dtype=bool)
            inside[group.index] = True
            masks.add(inside.tobytes())
    found = small_sets(cells_of(students, list(students)), k=K)
    assert len(found) == len(masks)


def sets_by_students(cells, sets: np.ndarray) -> np.ndarray:
    indicators = np.zeros((len(sets), len(cells.sizes) + 1))
    np.put_along_axis(indicators, sets, 1, axis=1)
    return indicators[:, :-1]


@pytest.mark.parametrize("seed", range(6))
def test_no_small_set_lies_in_the_span_of_the_chosen_states(seed):
    students = random_students(seed, [200, 400, 900][seed % 3])
    lattice = choose_lattice(study_of(students))
    cells = cells_of(students, FIVE + ("ell", "special_ed"))
    published = np.array([cells.indicator(lattice.rule(state)) for state in lattice.offered])
    targets = sets_by_students(cells, small_sets(cells, k=K))
    assert len(targets) and not in_real_span(targets, published).any()
    assert (published @ cells.sizes >= K).all()


def test_a_refused_state_would_have_revealed_a_small_set():
    students = random_students(1, 400)
    lattice = choose_lattice(study_of(students))
    cells = cells_of(students, FIVE + ("ell", "special_ed"))
    named = [population.where for population in CODEBOOK.populations.values()]
    offered = [lattice.rule(state) for state in lattice.offered]
    refused = [
        lattice.rule(s) for s, shown in zip(lattice.states, lattice.published, strict=True) if not shown
    ]
    published = np.array([cells.indicator(rule) for rule in offered])
    targets = sets_by_students(cells, small_sets(cells, k=K))
    assert len(refused) > 10 and named
    for rule in refused[:10]:
        assert in_real_span(targets, np.vstack([published, cells.indicator(rule)])).any()


def test_the_offer_holds_its_rules():
    lattice = choose_lattice(study_of(random_students(2, 900)))
    for state in lattice.states:
        columns = {column for column, _ in state}
        assert len(columns) <= 3
        if columns & {"ell", "special_ed"}:
            assert len(columns) == 1 or columns - {"ell", "special_ed"} == {"race"}
    assert (lattice.students[:, 0] >= K).all()
    assert 0 <= lattice.kept_share <= 1 and all(0 <= share <= 1 for share in lattice.hidden_shares)


def test_small_levels_are_merged_and_said():
    students = random_students(5, 500)
    students["subject"] = ["math"] * 250 + ["ela"] * 244 + ["none"] * 6
    lattice = choose_lattice(study_of(students))
    assert lattice.levels["subject"] == {"math": ("math",), "ela+none": ("ela", "none")}
    assert lattice.merged == ("subject: ela and none are shown together",)


def test_the_ledger_names_populations_and_holds_no_count(tmp_path):
    study = study_of(random_students(2, 900), tmp_path)
    path = write_release(study, "spring", [{}, {"race": ("black",)}, {"race": ["black"]}])
    content = json.loads(path.read_text())
    assert content["populations"] == [{"race": ["black"]}, {}]
    assert not any(isinstance(value, (int, float)) for key, value in content.items() if key != "version")
    assert read_releases(study) == {"spring": [{"race": ("black",)}, {}]}
    with pytest.raises(DisclosureError, match="in the ledger already"):
        write_release(study, "spring", [{}])


def test_a_release_that_reveals_a_set_together_with_an_earlier_one_is_refused(tmp_path):
    students = two_by_two(**{"af": 40, "am": 40, "bf": 40, "bm": 4})
    students["race"] = students["race"].map({"a": "black", "b": "white"})
    study = study_of(students, tmp_path)
    write_release(study, "one", [{"race": ["white"]}])
    with pytest.raises(
        DisclosureError, match=r"1 groups of fewer than 10 .* \(one\); leave out gender=f & race=white"
    ):
        write_release(study, "two", [{"race": ["white"], "gender": ["f"]}])
    write_release(study, "three", [{"gender": ["f"]}])


def test_a_broken_ledger_is_named(tmp_path):
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "old.json").write_text("[]")
    with pytest.raises(DisclosureError, match="releases/old.json"):
        read_releases(study_of(random_students(2, 100), tmp_path))


def test_an_earlier_release_narrows_what_may_follow():
    sizes = {("9", "female"): 65, ("9", "male"): 5, ("10", "female"): 80, ("11", "male"): 100}
    rows = [(*key, "black") for key, n in sizes.items() for _ in range(n)]
    study = study_of(pd.DataFrame(rows, columns=["grade_level", "gender", "race"]))
    offer = {"columns": ("grade_level",), "max_depth": 1, "chapters": []}
    state = (("grade_level", "9"),)
    assert state in choose_lattice(study, released=[], **offer).offered
    earlier = [{"grade_level": ("9",), "gender": ("female",)}]
    assert state not in choose_lattice(study, released=earlier, **offer).offered


def test_k_is_a_setting():
    study = study_of(random_students(4, 600))
    study.codebook = dataclasses.replace(CODEBOOK, disclosure=dataclasses.replace(CODEBOOK.disclosure, k=20))
    assert (choose_lattice(study).students[:, 0] >= 20).all()


def test_the_offer_of_the_shipped_study_keeps_four_fifths_of_its_states():
    lattice = choose_lattice(load_study(Path(__file__).parent.parent / "data"))
    assert lattice.kept_share >= 0.8
