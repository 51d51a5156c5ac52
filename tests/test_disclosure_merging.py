"""Small groups are put together before anything is hidden (D4), where counts and shares add up."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lib.disclosure.gate as gate
from lib.analysis.estimates import estimates
from tests.disclosure_attacker import bounds
from tests.disclosure_studies import STUDY

K, M = 10, 3
FEW, PROTECTS = "not shown: fewer than 10 students", "not shown to protect another group"
RACES = ("black", "white", "hispanic", "asian", "multiracial")


def counts(sizes: dict[str, int], *, total: bool = True, dimension: str = "group") -> pd.DataFrame:
    base = {"model": "count", "population": "", "unit": "students"}
    rows = [base | {dimension: f"race={race}", "estimate": n, "n_obs": n} for race, n in sizes.items()]
    everyone = base | {"population": "all"} if dimension == "population" else base
    n = sum(sizes.values())
    return estimates([everyone | {"estimate": n, "n_obs": n}] * total + rows)


def shown(table: pd.DataFrame) -> dict[str, float]:
    rows = gate.release(table, STUDY).rows
    return rows[rows["status"] == "ok"].set_index("group")["estimate"].to_dict()


@pytest.mark.parametrize("total", [True, False])
def test_two_small_groups_are_counted_together_after_their_own_lines(total):
    table = counts({"black": 40, "asian": 6, "white": 30, "multiracial": 7}, total=total)
    released = gate.release(table, STUDY)
    assert released.rows["group"].tolist()[total:] == [
        "race=black", "race=asian", "race=white", "race=multiracial", "race=asian|multiracial",
    ]  # fmt: skip
    assert [row.status_reason for row in released if row.group in ("race=asian", "race=multiracial")] == [
        FEW
    ] * 2
    together = released.row(group="race=asian|multiracial")
    assert (together.estimate, together.n_obs, together.shown) == (13, 13, True)
    assert released.codebook.label(together.group) == "Asian, Two or more races together"
    assert (
        "Counted together, since each alone is too small to be shown: Asian, Two or more races."
        in released.notes
    )
    again = gate.release(released.rows, STUDY)
    pd.testing.assert_frame_equal(again.rows, released.rows)
    assert again.notes == released.notes


def test_groups_too_small_together_stay_hidden_and_a_lone_one_has_nobody_to_join():
    assert "race=asian|multiracial" not in shown(counts({"black": 40, "asian": 4, "multiracial": 3}))
    assert set(shown(counts({"black": 40, "white": 30, "asian": 4}, total=False))) == {
        "race=black",
        "race=white",
    }


def test_fewer_than_ten_is_not_said_where_the_sum_would_then_tell_both():
    """Nine and nine: eighteen together, and neither more than nine."""
    released = gate.release(counts({"black": 40, "asian": 9, "multiracial": 9}, total=False), STUDY)
    assert released.row(group="race=asian|multiracial").estimate == 18
    assert released.row(group="race=asian").status_reason == PROTECTS


def test_levels_named_by_the_term_are_put_together_too():
    table = counts({"black": 40, "asian": 6, "multiracial": 7}, dimension="term")
    assert gate.release(table, STUDY).row(term="race=asian|multiracial").estimate == 13


def shares(parts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    base = {"model": "share", "population": "all", "term": "a", "unit": "percent"}
    return estimates(
        [
            base | {"group": f"race={race}", "estimate": 100 * part / n, "n_obs": n}
            for race, (part, n) in parts.items()
        ]
    )


def test_shares_of_small_groups_are_those_of_the_groups_together():
    """Five of nine and six of nine are eleven of eighteen; seven others would be too few to tell apart."""
    rest = {"black": (25, 50), "white": (20, 40)}
    assert "race=asian|multiracial" not in shown(shares(rest | {"asian": (5, 9), "multiracial": (6, 9)}))
    three = {"hispanic": (4, 9), "asian": (4, 8), "multiracial": (5, 9)}
    together = gate.release(shares(rest | three), STUDY).row(group="race=hispanic|asian|multiracial")
    assert (together.estimate, together.n_obs) == (50, 26)


def test_levels_of_a_crossed_table_and_of_answers_stay_apart():
    lines = [
        counts({"black": 40, "asian": 6, "multiracial": 7}, total=False).assign(population=name, row_id="")
        for name in ("math", "ela")
    ]
    crossed = estimates(pd.concat(lines))
    assert len(gate.release(crossed, STUDY)) == len(crossed)
    teachers = counts({"asian": 6, "multiracial": 7}).assign(unit="teachers", row_id="")
    assert len(gate.release(estimates(teachers), STUDY)) == 3  # one teacher may stand in both
    answers = counts({"1": 6, "2": 7}).assign(row_id="")
    answers["group"] = answers["group"].str.replace("race", "frequency")
    assert len(gate.release(estimates(answers), STUDY)) == 3


def as_seen(rows: pd.DataFrame) -> tuple[dict, list]:
    """The lines of a table of counts as a reader sees them, and which add up to which."""
    seen = {
        row.group: int(row.estimate) if row.status == "ok" else row.status_reason for row in rows.itertuples()
    }
    single = [name for name in seen if name and "|" not in name]
    joined = {
        name: [f"race={one}" for one in name.partition("=")[2].split("|")] for name in seen if "|" in name
    }
    return seen, list(joined.items()) + ([("", single)] if "" in seen else [])


sizes_of_races = st.fixed_dictionaries(
    dict.fromkeys(RACES, st.one_of(st.integers(0, 12), st.integers(0, 60)))
)


@settings(max_examples=6, deadline=None)
@given(sizes_of_races, st.booleans(), st.randoms(use_true_random=False))
def test_property_counts_together_show_nobody_and_lose_nothing(sizes, total, random):
    table = counts(sizes, total=total)
    rows = gate.release(table, STUDY).rows
    seen, adding_up = as_seen(rows)
    told = [value for value in seen.values() if isinstance(value, int)]
    assert all(value >= K for value in told)
    assert not total or sum(sizes.values()) < K or isinstance(seen[""], int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "small_groups_together", lambda *_: ())
        assert set(shown(table)) <= {name for name, value in seen.items() if isinstance(value, int)}
    if told:
        for use_words in (False, True):
            for name, (low, high) in bounds(seen, adding_up, use_words=use_words).items():
                small = name and sizes[name.partition("=")[2]] < K
                assert low < high and (use_words or not small or high - low + 1 >= K)
    gate.release(counts({"black": 40, "asian": 6, "white": 30, "multiracial": 7}), STUDY)
    shuffled = table.sample(frac=1, random_state=random.randrange(1000))
    other = gate.release(shuffled, STUDY).rows.set_index("row_id").loc[rows["row_id"]].reset_index()
    pd.testing.assert_frame_equal(other, rows)


@settings(max_examples=6, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(RACES, st.tuples(st.integers(0, 20), st.integers(1, 20)))))
def test_property_shares_together_stand_on_enough(parts):
    rows = gate.release(shares({race: (min(pair), max(pair)) for race, pair in parts.items()}), STUDY).rows
    told = rows[rows["status"] == "ok"]
    counted = (told["estimate"] * told["n_obs"] / 100).round()
    assert (told["n_obs"] >= K).all() and (counted >= M).all() and (told["n_obs"] - counted >= M).all()
    joined = told["group"].str.contains("|", regex=False)
    assert (counted[joined] >= K).all() and (told["n_obs"] - counted)[joined].ge(K).all()
