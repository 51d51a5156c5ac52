"""acro and pytauargus, written by others, against what the gate hides; see tests/disclosure_oracles.py for what applies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.disclosure_attacker import bounds, printed_table, relations
from tests.disclosure_oracles import Oracle, lacking
from tests.test_disclosure_complementary import TABLES, K, attack, protected


def needs(oracle: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(lacking(oracle)), reason=lacking(oracle) or "installed")


@pytest.fixture(scope="module")
def oracle():
    with Oracle() as asked:
        yield asked


@needs("pytauargus")
def test_tau_argus_recovers_a_count_hidden_alone(oracle):
    """The oracle is not blind: 44 in all, 40 of them shown."""
    students = pd.DataFrame({"race": ["a"] * 4 + ["b"] * 40, "school": ["x"] * 44})
    alone = frozenset({("race", "a")})
    seen = printed_table(students, ("race",), {alone: "fewer than 10"})
    assert oracle.bounds(seen, relations(seen, students[["race"]]), use_words=False) == {alone: (4, 4)}


@needs("pytauargus")
@pytest.mark.parametrize("seed", range(9))
def test_tau_argus_recovers_no_hidden_count(oracle, seed):
    students, counts, seen = protected(seed, [200, 250, 300][seed % 3], TABLES[seed % 3])
    adding_up = relations(seen, students)
    hidden, recovered = attack(counts, seen, adding_up, oracle.bounds)
    assert hidden and recovered == 0, f"{recovered} of {hidden} hidden counts recovered"
    assert oracle.bounds(seen, adding_up, use_words=False) == bounds(seen, adding_up, use_words=False)


@needs("acro")
@pytest.mark.parametrize("seed", range(3))
def test_acro_suppresses_the_cells_that_the_gate_hides_for_their_own_sake(oracle, seed):
    students, counts, _ = protected(seed, [200, 400, 900][seed], TABLES[0])
    small = {key for key, count in counts.items() if len(key) == 2 and count < K}
    assert oracle.suppressed(students, TABLES[0], k=K) == small


def test_a_missing_oracle_is_named(monkeypatch):
    assert "no_such_oracle is not installed" in lacking("no_such_oracle")


def test_printed_tables_hide_every_small_count():
    _, counts, seen = protected(0, 200, TABLES[0])
    assert all(isinstance(seen[key], str) for key, count in counts.items() if count < K)
    assert np.mean([isinstance(value, str) for value in seen.values()]) < 1
