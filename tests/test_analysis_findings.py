"""Findings are decided as their rules say: verdicts known by construction, chance rates by enumeration."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest

from lib.analysis.equivalence import equivalence
from lib.analysis.estimates import estimates
from lib.analysis.findings import judge
from lib.analysis.multiplicity import benjamini_hochberg, holm
from lib.analysis.rule_functions import CALLS
from lib.errors import StudyError
from lib.study.rules import FUNCTIONS, read_rules

MINDS = (
    "ms_emotional_eng",
    "ms_behavioral_eng",
    "ms_task_value",
    "ms_mastery",
    "ms_academic_se",
    "ms_social_se",
)
LISTED = {"key_findings": [{"id": "x-1"}], "supporting_claims": []}
SELECT = 'select: {minds: {model: direct, population: all, term: "role:mindset"}}'


@pytest.fixture
def decide(study, tmp_path):
    """Judges rows by one rule, given as YAML."""

    def run(rule: str, rows: pd.DataFrame):
        (tmp_path / "rules.yml").write_text(
            "x-1:\n" + "\n".join("  " + line for line in rule.splitlines()), "utf-8"
        )
        return judge(read_rules(tmp_path, study.codebook, LISTED), rows, study.codebook)["x-1"]

    return run


def row(term: str, estimate: float, p: float = 0.001, **more) -> dict:
    """A direct path whose interval and error agree with its p-value only in sign."""
    away = p < 0.05
    ends = (
        sorted((0.01 * np.sign(estimate), 2 * estimate)) if away else (-abs(estimate) - 1, abs(estimate) + 1)
    )
    given = {
        "model": "direct",
        "population": "all",
        "term": term,
        "estimate": estimate,
        "p_value": p,
        "unit": "SD per SD",
    }
    return given | {"conf_low": ends[0], "conf_high": ends[1], "std_error": 0.05, "n_obs": 869} | more


def minds(values, p: float = 0.001) -> pd.DataFrame:
    return estimates([row(term, value, p) for term, value in zip(MINDS, values, strict=False)])


ALL_RISE = (
    SELECT
    + """
parts:
  - words: every mind-set rises
    holds: all(minds > 0 and p(minds) < alpha)
  - words: the median is at least {strong_min}
    holds: median(minds) >= strong_min
  - words: the largest is the last
    holds: largest(minds) == "ms_social_se"
    extra: true
"""
)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.5, 0.5, 0.5, 0.5, 0.5, 0.6), "holds"),
        ((0.6, 0.5, 0.5, 0.5, 0.5, 0.5), "holds"),  # the extra part does not decide
        ((0.3, 0.3, 0.3, 0.3, 0.3, 0.6), "partly"),  # all rise, but not strongly
        ((-0.5, 0.5, 0.5, 0.5, 0.5, 0.6), "partly"),  # five of six rise: more than half
        ((-0.5, -0.5, -0.5, 0.5, 0.5, 0.6), "fails"),  # three of six are not more than half
    ],
)
def test_a_finding_holds_partly_or_fails_by_its_parts(decide, values, verdict):
    assert decide(ALL_RISE, minds(values)).verdict == verdict


def test_what_met_a_part_and_what_did_not_is_told_by_row(decide):
    part = decide(ALL_RISE, minds((-0.5, 0.5, 0.5, 0.5, 0.5, 0.6))).parts[0]
    assert (part.k, part.n, part.missed) == (5, 6, ("direct|all|ms_emotional_eng",))


def test_a_descriptive_rule_says_so(decide):
    rule = (
        SELECT
        + "\ndescriptive: true\nparts: [{words: one is largest, holds: largest(minds) == 'ms_mastery'}]"
    )
    assert decide(rule, minds((0.1, 0.2, 0.3, 0.9, 0.1, 0.1))).verdict == "descriptive"


TWO_GROUPS = """select:
  focal: {model: direct, population: focal, term: "outcomes[0]"}
  reference: {model: direct, population: reference, term: "outcomes[0]"}
  gap: {model: direct, population: focal, group: reference, contrast: difference, term: "outcomes[0]"}
parts:
  - {words: there is a tie for the focal group, holds: focal > 0 and p(focal) < alpha, core: true}
  - {words: there is none for the reference group, holds: p(reference) >= alpha, nothing: reference, core: true}
  - {words: the difference is significant, holds: gap > 0 and p(gap) < alpha}
"""


@pytest.mark.parametrize(
    ("ps", "verdict"),
    [
        ((0.01, 0.30, 0.02), "holds"),
        ((0.01, 0.30, 0.40), "partly"),  # significant here and not there is not a difference
        ((0.01, 0.01, 0.02), "fails"),
        ((0.30, 0.30, 0.02), "fails"),
        ((0.01, 0.30, None), "cannot_test"),
    ],
)
def test_one_group_only_holds_when_the_difference_itself_is_tested(decide, ps, verdict):
    grade = "grade_math_or_ela"
    where = ({"population": "black"}, {"population": "white"})
    rows = [row(grade, 0.14, p, **place) for p, place in zip(ps, where, strict=False)]
    if ps[2] is not None:
        rows.append(row(grade, 0.1, ps[2], population="black", group="white", contrast="difference"))
    found = decide(TWO_GROUPS, estimates(rows))
    assert found.verdict == verdict
    assert "direct|white|grade_math_or_ela" in found.equivalence


def test_a_hidden_row_matters_only_where_the_verdict_hangs_on_it(decide):
    counted = SELECT + "\nparts: [{words: several rise, holds: count(minds > 0) >= several_min}]"
    table = minds((0.5,) * 6)
    table.loc[:1, ["status", "estimate"]] = ["hidden", np.nan]
    assert decide(counted, table).verdict == "holds"
    assert decide(ALL_RISE, table).verdict == "cannot_test"
    table["estimate"] = -table["estimate"]
    assert decide(counted, table).verdict == "cannot_test"  # the two hidden ones could be several


def test_a_share_that_is_none_is_not_met_and_one_of_opposite_signs_can_count_as_full(decide):
    rule = """select: {explained: {mediator: engagement, population: all, contrast: share_explained, term: "outcomes[0]"}}
parts: [{words: it is full, holds: %s}]"""
    share = row(
        "grade_math_or_ela",
        np.nan,
        model="mediation by engagement",
        contrast="share_explained",
        unit="percent",
    )
    share |= {
        "status": "inadmissible",
        "status_reason": "inconsistent mediation: indirect and direct differ in sign",
    }
    assert decide(rule % "explained >= full_min", estimates([share])).verdict == "fails"
    assert (
        decide(rule % "explained >= full_min or inconsistent(explained)", estimates([share])).verdict
        == "holds"
    )


def test_rows_that_are_not_comparable_are_not_compared(decide):
    table = minds((0.5,) * 6)
    table.loc[0, ["status", "estimate"]] = ["not_comparable", np.nan]
    assert decide(ALL_RISE, table).verdict == "not_comparable"


def test_rows_are_paired_by_what_differs_within_each_selection(decide):
    rule = """select:
  here: {model: direct, population: focal, term: "role:mindset"}
  there: {model: direct, population: all, term: "role:mindset"}
parts: [{words: they are alike, holds: most(abs(here - there)) <= similar_tol}]"""
    there = [row(term, 0.1 * place) for place, term in enumerate(MINDS, 1)]
    here = [one | {"population": "black", "estimate": one["estimate"] + 0.05} for one in reversed(there)]
    assert decide(rule, estimates([*there, *here])).verdict == "holds"


def test_means_by_mediator_are_over_what_every_mediator_has(decide):
    rule = """select: {explained: {mediator: mediators, population: all, contrast: share_explained, term: "role:mindset"}}
parts: [{words: personalization is largest, holds: 'largest(mean_by(explained, "mediator")) == "personalization"'}]"""

    def share(mediator: str, term: str, value: float) -> dict:
        one = row(term, value, model=f"mediation by {mediator}", contrast="share_explained", unit="percent")
        return one | ({"status": "inadmissible"} if np.isnan(value) else {})

    rows = [share("personalization", "ms_mastery", 60), share("personalization", "ms_social_se", 10)]
    rows += [share("env_peer_learning", "ms_mastery", 50), share("env_peer_learning", "ms_social_se", np.nan)]
    assert decide(rule, estimates(rows)).verdict == "holds"


# Benjamini and Hochberg (1995, section 3.2): 15 p-values, of which their method rejects four and Bonferroni's three
PUBLISHED_P = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


def test_corrected_p_values_reject_what_benjamini_and_hochberg_print():
    shuffled = np.random.default_rng(1).permutation(PUBLISHED_P)
    assert (benjamini_hochberg(shuffled) <= 0.05).sum() == 4
    assert set(shuffled[benjamini_hochberg(shuffled) <= 0.05]) == set(PUBLISHED_P[:4])
    assert (holm(shuffled) <= 0.05).sum() == 3
    assert holm(np.array([0.01, np.nan, 0.02]))[[0, 2]] == pytest.approx([0.02, 0.02])


def test_a_verdict_that_correction_changes_is_flagged(decide):
    one = (
        SELECT.replace('"role:mindset"', "ms_task_value")
        + "\nparts: [{words: it rises, holds: minds > 0 and p(minds) < alpha}]"
    )
    table = minds((0.5,) * 6)
    table["p_value"] = [0.9, 0.9, 0.03, 0.9, 0.9, 0.9]  # its domain holds two scales: 0.03 becomes 0.06
    found = decide(one, table)
    assert (found.verdict, found.corrected, found.holm, found.changed) == ("holds", "fails", "fails", True)


@pytest.mark.parametrize(
    ("estimate", "std_error", "outcome"),
    [
        (0.0, 0.05, "equivalent"),
        (0.0, 0.07, "inconclusive"),
        (0.3, 0.05, "different"),
        (0.01, 0.05, "equivalent"),
    ],
)
def test_a_null_claim_is_equivalent_when_its_interval_lies_within_the_margin(
    study, estimate, std_error, outcome
):
    # 1.645 * 0.05 = 0.082 and 1.645 * 0.07 = 0.115 beside the margin of 0.1 SD
    rows = estimates([row("absences", estimate, std_error=std_error)])
    assert list(equivalence(rows, study.codebook.thresholds).values()) == [outcome]


def test_the_chance_of_naming_the_largest_of_six_is_one_in_six(decide):
    rule = SELECT + "\ndescriptive: true\nparts: [{words: named, holds: largest(minds) == 'ms_social_se'}]"
    orders = list(permutations((0.1, 0.2, 0.3, 0.4)))
    named = rule.replace('"role:mindset"', str(list(MINDS[2:])))
    held = sum(
        decide(named, estimates([row(t, v) for t, v in zip(MINDS[2:], order, strict=True)])).held
        for order in orders
    )
    assert held / len(orders) == 1 / 4


def test_the_chance_of_naming_the_two_largest_of_four_is_one_in_six(decide):
    named = SELECT.replace('"role:mindset"', str(list(MINDS[2:])))
    rule = (
        named
        + '\ndescriptive: true\nparts: [{words: named, holds: \'largest(minds, 2) == {"ms_mastery", "ms_social_se"}\'}]'
    )
    orders = list(permutations((0.1, 0.2, 0.3, 0.4)))
    held = sum(
        decide(rule, estimates([row(t, v) for t, v in zip(MINDS[2:], order, strict=True)])).held
        for order in orders
    )
    assert held / len(orders) == 1 / 6


@pytest.mark.parametrize(
    ("holds", "chance"), [("all(minds > 0)", 1 / 16), ("share(minds > 0) > majority", 5 / 16)]
)
def test_the_chance_of_signs_is_that_of_coins(decide, holds, chance):
    named = SELECT.replace('"role:mindset"', str(list(MINDS[:4])))
    rule = named + f"\ndescriptive: true\nparts: [{{words: signs, holds: '{holds}'}}]"
    held = sum(decide(rule, minds(signs)).held for signs in product((-1, 1), repeat=4))
    assert held / 16 == chance


def test_every_function_that_rules_may_call_is_there():
    assert set(FUNCTIONS) == {*CALLS, "exists"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("median(minds)", "median(mind)"), "no selection or threshold 'mind'; did you mean 'minds'"),
        (
            ("strong_min\n", "strong_max\n"),
            "no selection or threshold 'strong_max'; did you mean 'strong_min'",
        ),
        (("{strong_min}", "{strong_mi}"), "no threshold 'strong_mi'; did you mean 'strong_min'"),
        (("{strong_min}", "0.4"), "a number is typed in the words"),
        (("population: all", "population: al"), "no population 'al'; did you mean 'all'"),
        (("role:mindset", "role:mindsets"), "no role 'mindsets'; did you mean 'mindset'"),
        (("model: direct", "model: direkt"), "no model 'direkt'; did you mean 'direct'"),
        (("median(minds)", "medain(minds)"), "no function 'medain'; did you mean 'median'"),
        (("median(minds)", "minds.values"), "Attribute is not allowed"),
        (("median(minds)", "median([m for m in minds])"), "ListComp is not allowed"),
        (("median(minds)", "median(minds"), "is not an expression"),
        (("extra: true", "ekstra: true"), "no entry 'ekstra'; did you mean 'extra'"),
        (('"ms_social_se"', "__import__"), "no selection or threshold '__import__'"),
    ],
)
def test_a_rule_outside_the_language_is_refused_with_the_nearest_name(decide, change, said):
    with pytest.raises(StudyError, match=r"rules.yml, x-1.*" + said.replace("(", r"\(")):
        decide(ALL_RISE.replace(*change), minds((0.5,) * 6))


def test_a_rule_for_no_finding_is_refused(study, tmp_path):
    (tmp_path / "rules.yml").write_text("x-2: {parts: []}\n", "utf-8")
    with pytest.raises(StudyError, match="'x-2', which findings.yml does not list; did you mean 'x-1'"):
        read_rules(tmp_path, study.codebook, LISTED)


def test_a_study_without_rules_has_none(study, tmp_path):
    assert read_rules(tmp_path, study.codebook, LISTED) is None


def test_selections_that_cannot_be_paired_are_named(decide):
    rule = """select:
  here: {model: direct, population: all, term: "role:mindset"}
  there: {model: direct, population: all, term: "role:environment"}
parts: [{words: never, holds: all(here > there)}]"""
    rows = [row(term, 0.5) for term in (*MINDS, "env_needs_met", "env_peer_support")]
    with pytest.raises(StudyError, match="two selections of 6 and 2 rows cannot be paired"):
        decide(rule, estimates(rows))
