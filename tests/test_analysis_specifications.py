"""Crossing choices, estimating specifications, judging them, and the tests beside a curve."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib.analysis.crossings import Aspect, balanced, cross
from lib.analysis.effects import direct_effects
from lib.analysis.joint_test import _permuted, joint_test, orders, weights
from lib.analysis.robustness import Robust, middle, robustness
from lib.analysis.sensitivity import robustness_value
from lib.analysis.specifications import Choice, Option, read_plan
from lib.analysis.specified_crossings import cross_family
from lib.analysis.specified_fits import Job, Paths, estimate
from lib.analysis.specified_moments import Columns
from lib.analysis.specified_rows import Cells
from lib.analysis.specified_scores import em_moments, treated
from lib.analysis.specified_store import storing
from lib.analysis.specified_sums import Sums
from lib.analysis.specified_targets import Target
from lib.disclosure.gate import release
from lib.errors import StudyError
from lib.sem.fit import fit
from lib.sem.quantities import estimate_effect
from lib.study.load import load_study

STUDY = load_study()
PLAN = read_plan(STUDY)


def options(*keys):
    return tuple(Option(key, key.title(), "because", {"letter": key}) for key in keys)


LETTERS = Choice("letter", "Letter", "estimate", options("a", "b", "c"))
DIGITS = Choice(
    "digit",
    "Digit",
    "estimate",
    (Option("one", "One", "why", {"digit": 1}), Option("two", "Two", "why", {"digit": 2})),
)


def test_crossings_are_counted():
    """Three letters by two digits: c with two cannot be, and b is the same under both digits."""

    def resolve(settings):
        if settings == {"letter": "c", "digit": 2}:
            return None, "cannot be"
        return (settings["letter"], settings["letter"] != "b" and settings["digit"]), ""

    found = cross((LETTERS, DIGITS), [Aspect(("letter", "digit"), resolve)], size=10, seed=1)
    assert (found.crossed, found.impossible, found.duplicates, found.distinct) == (6, {"cannot be": 1}, 1, 4)
    assert found.settings(0) == {"letter": "a", "digit": 1}


def test_a_draw_holds_every_option_equally_often_and_the_first_specification():
    every = np.array([(a, b, c) for a in range(6) for b in range(4) for c in range(2)])
    drawn = balanced(every, 24, seed=3)
    assert drawn[0].tolist() == [0, 0, 0] and len(np.unique(drawn, axis=0)) == 24
    assert [np.bincount(drawn[:, c]).tolist() for c in range(3)] == [[4] * 6, [6] * 4, [12] * 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "x", "settings": {"colums": []}}, "no setting 'colums'; did you mean 'columns'"),
        ({"label": "x", "settings": {"columns": ["gendr"]}}, "no column 'gendr'; did you mean 'gender'"),
        ({"label": "", "settings": {}}, "has no label"),
    ],
)
def test_a_plan_that_names_something_unknown_is_refused(change, message):
    option = {"label": change["label"], "reason": "why"} | change["settings"]
    choice = {
        "label": "Choice",
        "moves": "estimate",
        "options": {"one": option, "two": {"label": "b", "reason": "c"}},
    }
    content = {"seed": 1, "drawn": 2, "permutations": 3, "tested": 4, "choices": {"first": choice},
               "sets": {"scale": "C_ENV", "record": "C_GRADE"}}  # fmt: skip
    with pytest.raises(StudyError, match=message):
        read_plan(SimpleNamespace(ledger=lambda name: content, codebook=STUDY.codebook))


@pytest.fixture(scope="module")
def columns():
    return Columns(STUDY, PLAN)


@pytest.mark.parametrize("population", ["all", "focal"])
def test_a_specification_gives_what_the_engine_gives(columns, population):
    """The chapters' model from complete answers: path and standard errors to six places, those by class as well."""
    settings, outcome = {"set": "default", "missing": "complete"}, STUDY.codebook.outcomes[0]
    key = STUDY.population(population).key
    held = columns.held(key, settings, outcome)
    indicators = columns.indicators(settings)
    found = estimate(
        [Job(columns.sums(key, settings, (*indicators, outcome), held), len(indicators))],
        STUDY.codebook.disclosure,
    )
    expected = direct_effects(
        STUDY, [STUDY.population(key)], outcomes=[outcome], covariates={outcome: PLAN.sets["record"]}, conf_level=0.95,
        missing="listwise",
    ).iloc[0]  # fmt: skip
    assert found.estimate[0, 0] == pytest.approx(expected["estimate"], abs=1e-6)
    assert np.sqrt(found.cov[0, 0, 0]) == pytest.approx(expected["std_error"], abs=1e-6)
    frame = STUDY.population(key).frame
    data = pd.concat([frame[[*indicators, outcome]].astype(float), columns.covariates(key, {})[list(held)],
                      frame[[STUDY.codebook.cluster]]], axis=1)  # fmt: skip
    lines = [
        f"x =~ {' + '.join(indicators)}",
        f"x ~ {' + '.join(held)}",
        f"{outcome} ~ path*x + {' + '.join(held)}",
    ]
    clustered = fit("\n".join(lines), data, cluster=STUDY.codebook.cluster, information="expected")
    path = estimate_effect(clustered, "path", conf_level=0.95, standardized=True)
    assert np.sqrt(found.clustered[0, 0, 0]) == pytest.approx(path.std_error, rel=1e-4)


def test_moments_in_two_stages_are_those_of_maximum_likelihood():
    """Complete data: the sample's own. Two variables, the second missing at random: Anderson's (1957) closed form."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    y = 0.6 * x + rng.normal(size=400)
    mean, cov = em_moments(np.column_stack([x, y]))
    assert mean == pytest.approx([x.mean(), y.mean()]) and cov == pytest.approx(np.cov(x, y, bias=True))
    seen = x < 0.7
    mean, cov = em_moments(np.column_stack([x, np.where(seen, y, np.nan)]))
    slope = np.cov(x[seen], y[seen], bias=True)[0, 1] / x[seen].var()
    rest = y[seen].var() - slope**2 * x[seen].var()
    assert mean[1] == pytest.approx(y[seen].mean() + slope * (x.mean() - x[seen].mean()), abs=1e-6)
    assert cov[1, 1] == pytest.approx(rest + slope**2 * x.var(), abs=1e-6)


def test_a_choice_known_to_move_the_verdict_is_found():
    """One wild record carries a slope; drawing the ends in takes it away, whatever is done otherwise."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=300), pd.Series(rng.normal(size=300))
    x[0], y[0] = 8.0, 60.0
    choice = Choice("record", "Record", "estimate", options("raw", "winsorized"))
    other = Choice("half", "Half", "estimate", options("first", "all"))
    verdicts, drawn = [], []
    for a, how in enumerate(("raw", "winsorized")):
        for b, size in enumerate((200, 300)):
            rows = np.column_stack([x, treated(y, how)])[:size]
            sums = Sums(("x", "y"), size, rows.mean(0), np.cov(rows.T, bias=True), None, None)
            found = estimate([Job(sums, 0)], STUDY.codebook.disclosure)
            verdicts.append("holds" if found.estimate[0, 0] / np.sqrt(found.cov[0, 0, 0]) > 1.96 else "fails")
            drawn.append((a, b))
    crossing = SimpleNamespace(choices=(choice, other), drawn=np.array(drawn))
    robust = Robust("x", crossing, tuple(verdicts), tuple(verdicts), np.zeros((4, 3)), 0, None, "SD per SD")
    assert [(one.key, gap) for one, _, gap in robust.by_choice()] == [("record", 100.0), ("half", 0.0)]
    assert robust.share == 50.0


def test_the_share_averages_over_options_not_specifications():
    """Nine specifications hold with option a, the only one with b does not: 50 percent, not 90."""
    crossing = SimpleNamespace(choices=(LETTERS,), drawn=np.array([[0]] * 9 + [[1]]))
    verdicts = ("holds",) * 9 + ("fails",)
    assert Robust("x", crossing, verdicts, verdicts, np.zeros((10, 3)), 0, None, "").share == 50.0


def p_value(seed, slope):
    """A joint p-value of three measures of one exposure; 99 orders within two schools."""
    rng = np.random.default_rng(seed)
    school = np.repeat([0, 1], 40)
    exposure = rng.normal(size=80) + school
    indicators = exposure[:, None] + rng.normal(size=(80, 3))
    base = np.linalg.qr(np.column_stack([np.ones(80), school]))[0]
    y = slope * exposure + rng.normal(size=80) + school
    indicators = indicators - base @ (base.T @ indicators)
    keeper = SimpleNamespace(once=lambda key, make: make())
    order = orders(keeper, school, 99, seed)
    found = []
    for columns in ([0, 1, 2], [0], [1, 2]):
        score = indicators[:, columns] @ weights(
            np.cov(indicators[:, columns].T).reshape(len(columns), -1), "latent"
        )
        rows = np.column_stack([score, y, school - school.mean()])
        found.append(_permuted(rows, np.ones(1), 2, order))
    return joint_test(np.array(found)[None], np.ones(1)).p_value


def test_the_joint_test_keeps_its_level_and_finds_a_tie():
    """With nothing there, p <= .10 in about a tenth of 200 studies (4 to 17 percent); with a tie, the least p there is."""
    low = np.mean([p_value(seed, 0.0) <= 0.10 for seed in range(200)])
    assert 0.04 <= low <= 0.17
    assert p_value(1, 1.0) == 0.01


def test_a_run_that_was_stopped_goes_on_where_it_stopped(tmp_path):
    solved = []

    def solve(columns, crossing, group):
        if len(solved) == 2:
            raise KeyboardInterrupt
        solved.append(group[0].term)
        filled = Paths(
            np.full((1, 3), 0.5), np.ones((1, 3, 3)), np.ones((1, 3, 3)), np.ones(1), np.array(["ok"])
        )
        return {target: filled for target in group}

    crossing = SimpleNamespace(drawn=[0], settings=lambda k: {"missing": "complete"})
    given = SimpleNamespace(study=SimpleNamespace(data_hash="abc"), plan=SimpleNamespace(sets={}))
    groups = [(Target("all", "", term),) for term in "abc"]
    with pytest.raises(KeyboardInterrupt):
        for group in groups:
            storing(tmp_path, solve)(given, crossing, group)
    (tmp_path / "half.123.partial").write_bytes(b"cut short")
    again = []
    for group in groups:
        found = storing(tmp_path, lambda *a: again.append(a[2][0].term) or solve_again(a[2]))(
            given, crossing, group
        )
        assert found[group[0]].estimate.tolist() == [[0.5, 0.5, 0.5]]
    assert (solved, again) == (["a", "b"], ["c"])
    other = SimpleNamespace(study=SimpleNamespace(data_hash="other"), plan=SimpleNamespace(sets={}))
    storing(tmp_path, lambda *a: again.append("new data") or solve_again(a[2]))(other, crossing, groups[0])
    assert again == ["c", "new data"]


def solve_again(group):
    filled = Paths(np.full((1, 3), 0.5), np.ones((1, 3, 3)), np.ones((1, 3, 3)), np.ones(1), np.array(["ok"]))
    return {target: filled for target in group}


def test_the_middle_row_brings_its_own_interval():
    keys = pd.DataFrame({"term": list("abc")})
    numbers = {"estimate": np.array([[0.1], [-0.4], [0.3]]), "conf_low": np.array([[0.0], [-0.5], [0.2]]),
               "conf_high": np.array([[0.2], [-0.3], [0.4]])}  # fmt: skip
    cells = Cells(keys, numbers, np.full((3, 1), "ok", object), np.full((3, 1), "", object))
    assert middle(cells, np.array([1, -1, 1])).tolist() == [[0.3, 0.2, 0.4]]


def test_robustness_values_of_the_published_example():
    """Direct harm and attitudes to peace in Darfur: 13.9 and 7.6 percent (Cinelli & Hazlett, 2020, table 1)."""
    assert robustness_value(4.18, 783) == pytest.approx(0.139, abs=5e-4)
    assert robustness_value(4.18, 783, alpha=0.05) == pytest.approx(0.076, abs=5e-4)
    assert robustness_value(1.0, 783, alpha=0.05) == 0.0


def test_no_set_of_few_students_is_told_apart():
    """Every sample keeps everybody or leaves out k students or more, in each population that it is used for."""
    columns, limits = Columns(STUDY, PLAN), STUDY.codebook.disclosure
    crossing = cross_family(columns, STUDY.rules, "record")
    assert any("fewer than" in reason for reason in crossing.impossible)
    for place in range(len(crossing.drawn)):
        for population in ("all", STUDY.codebook.focal):
            out = (~columns.kept(population, crossing.settings(place))).sum()
            assert out == 0 or out >= limits.k


def test_another_study_without_a_plan_has_no_curves():
    bare = SimpleNamespace(ledger=lambda name: None, rules={})
    assert robustness(bare, conf_level=0.95, seed=1) == {}


def test_shares_of_specifications_are_no_shares_of_students():
    """99 percent of 216 specifications is shown as it is, where 99 percent of 216 students would be coded."""
    row = {"model": "robustness", "finding": "1a-1", "contrast": "share", "estimate": 99.0, "n_obs": 216,
           "unit": "percent of specifications"}  # fmt: skip
    shown = release(pd.DataFrame([row]), STUDY).rows.iloc[0]
    assert (shown["status"], shown["estimate"], shown["n_obs"]) == ("ok", 99.0, 216)
