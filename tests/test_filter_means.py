"""Means and shares by subgroup are what the chapters' own functions say of the same students."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.analysis.contrasts import Clusters, difference
from lib.analysis.estimates import compared_contrast
from lib.analysis.frequencies import answer_shares, cut
from lib.analysis.ratings import mean_ratings, raters
from lib.analysis.subgroup_invariance import means_alike
from lib.analysis.subgroup_means import adjusted_means, rating_means
from lib.analysis.subgroup_shares import share_means
from lib.disclosure.lattice import choose_lattice
from lib.show.cube import cube, lay_out
from tests.cube_numbers import results_of

SEED = 8
VIEWS, STATES = 80, 60
SCALES = ["hq_respectful", "hq_exclusion"]


@pytest.fixture(scope="module")
def layout(study):
    """The shipped study's lattice with its single columns and a sample of its other states."""
    whole = choose_lattice(study)
    drawn = np.random.default_rng(SEED).random(len(whole.states)) < STATES / len(whole.states)
    kept = [at for at, state in enumerate(whole.states) if len(state) < 2 or drawn[at]]
    part = replace(
        whole, states=tuple(whole.states[at] for at in kept), published=whole.published[kept],
        students=whole.students[kept],
    )  # fmt: skip
    return lay_out(study, part)


@pytest.fixture(scope="module")
def terms(study):
    return [cut(study, "frequency", at_least="weekly_min"), cut(study, "length", at_least="length_long_min")]


@pytest.fixture(scope="module")
def content(study, layout, terms):
    functions = [
        partial(rating_means, terms=SCALES, conf_level=0.95),
        partial(share_means, terms=terms, conf_level=0.95),
        partial(adjusted_means, terms=SCALES, covariates="C_RACE", conf_level=0.95),
    ]
    return cube(study, functions, lattice=layout.lattice).content


def cells(content: dict, layout, name: str) -> dict[tuple[str, str], dict]:
    """What the cube shows, by the key of a group and of a result."""
    return {
        (
            layout.groups[place if name == "own" else layout.beside[place]].key,
            key,
        ): told
        for (place, key), told in results_of(content, name).items()
    }


def sampled(content: dict, layout, name: str, model: str):
    """A sample of what the cube shows of one model: group, term and the cube's numbers."""
    shown = cells(content, layout, name)
    groups = {group.key: group for group in layout.groups}
    keys = [key for key in shown if key[1].startswith(f"{model}|")]
    for place in np.random.default_rng(SEED).permutation(len(keys))[:VIEWS]:
        key, result = keys[place]
        yield groups[key], result.rpartition("|")[2], shown[key, result]


@pytest.mark.parametrize("name", ["own", "rest"])
def test_means_of_a_sample_of_views_are_those_of_the_chapter(study, layout, content, name):
    for group, term, found in sampled(content, layout, name, "mean rating"):
        row = mean_ratings(raters(study, "students", population=group), [term], conf_level=0.95).iloc[0]
        if row["status"] != "ok":
            assert found["estimate"] is None
            continue
        assert found["estimate"] == pytest.approx(1000 * row["estimate"], abs=0.51), (group.key, term)
        bounds = [found["conf_low"], found["conf_high"]]
        if np.isnan(row["conf_low"]):
            assert bounds == [None, None]
        else:
            assert bounds == pytest.approx([1000 * row["conf_low"], 1000 * row["conf_high"]], abs=0.51)


@pytest.mark.parametrize("name", ["own", "rest"])
def test_shares_of_a_sample_of_views_are_those_of_the_chapter(study, layout, content, name):
    compared = 0
    for group, term, found in sampled(content, layout, name, "share"):
        row = answer_shares(raters(study, "students", population=group), [term], conf_level=0.95).iloc[0]
        if found["estimate"] is not None:
            told = [found["estimate"], found["conf_low"], found["conf_high"]]
            wanted = row[["estimate", "conf_low", "conf_high"]].to_numpy(float)
            assert told == pytest.approx(1000 * wanted, abs=0.51), (group.key, term)
            assert found["n_obs"] == row["n_obs"]
            compared += 1
    assert compared > VIEWS / 4


def test_differences_count_classes_once_although_both_groups_sit_in_them(study, layout):
    """The chapter's own regression with CR2 errors on both groups."""
    pairs = np.random.default_rng(SEED).choice(len(layout.pairs), 20, replace=False)
    chosen = [layout.pairs[place] for place in pairs]
    rows = rating_means(study, layout.groups, chosen, terms=["hq_respectful"], conf_level=0.95)
    rows = rows[rows["group"] != ""].set_index(["population", "group"])
    compared = 0
    for one, two in chosen:
        first, second = layout.groups[one], layout.groups[two]
        frame = pd.concat([first.frame, second.frame])
        inside = pd.Series(frame.index.isin(first.frame.index), frame.index)
        expected = difference(
            frame["hq_respectful"].astype(float), inside, Clusters("class", frame["class_id"]),
            held=frame[[]], codebook=study.codebook, conf_level=0.95,
        )  # fmt: skip
        found = rows.loc[(first.key, second.key)]
        if found["status"] == "ok":
            compared += 1
            for what in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
                assert found[what] == pytest.approx(expected[what], abs=1e-9), (what, first.key)
        else:
            assert np.isnan(expected.get("p_value", np.nan)) or found["status"] == "not_comparable"
    assert compared >= 5


def test_adjusted_means_leave_in_what_divides_the_groups(study, layout):
    """Frisch and Waugh (1933): with slopes of everyone, the adjusted gap of two halves is their coefficient's."""
    import statsmodels.formula.api as smf

    keys = {group.key: place for place, group in enumerate(layout.groups)}
    pair = (keys["gender=female"], keys["gender=male"])
    rows = adjusted_means(
        study, layout.groups, [pair], terms=["hq_exchange"], covariates="C_RACE", conf_level=0.95
    )
    gap = rows[rows["group"] != ""].iloc[0]
    frame = study.population("all").frame
    frame = frame[frame["gender"].isin(["female", "male"])]
    both = smf.ols(
        "hq_exchange ~ C(gender, Treatment('male')) + C(school) + C(grade_level) + C(ell) + C(special_ed) + C(subject)",
        data=frame.astype(
            {name: object for name in ("gender", "school", "grade_level", "ell", "special_ed", "subject")}
        ),
    ).fit()
    coefficient = both.params.filter(like="female").iloc[0]
    assert gap["estimate"] == pytest.approx(coefficient, abs=0.01)


def test_hedges_g_is_the_adjusted_difference_in_pooled_sd_of_answers(study, layout):
    """Hedges (1981) with the SD of answers within the two groups, from the students' table."""
    keys = {group.key: place for place, group in enumerate(layout.groups)}
    pairs = [(keys["race=black"], keys["race=white"]), (keys["gender=female"], keys["gender=male"])]
    settings = dict(terms=SCALES, conf_level=0.95)
    rows = adjusted_means(study, layout.groups, pairs, covariates="C_RACE", **settings)
    tests = rows["model"].str.endswith(" equivalence")
    gaps, found = (rows[(rows["contrast"] == name) & ~tests] for name in ("difference", "hedges_g"))
    named = ["population", "group", "term"]
    both = found.merge(gaps, on=named, suffixes=("", "_gap"), validate="one_to_one")
    assert len(both) == 4 and set(both["unit"]) == {"SD"} and both["p_value"].isna().all()
    groups = {group.key: group.frame for group in layout.groups}
    for row in both[both["status"] == "ok"].itertuples():
        sides = [groups[side][row.term].astype(float).dropna() for side in (row.population, row.group)]
        df = sum(map(len, sides)) - 2
        spread = np.sqrt(sum((len(side) - 1) * side.var() for side in sides) / df)
        scaled = (1 - 3 / (4 * df - 1)) / spread
        for name in ("estimate", "std_error", "conf_low", "conf_high"):
            assert getattr(row, name) == pytest.approx(scaled * getattr(row, f"{name}_gap"), abs=1e-9)
    small = rows[tests].merge(found, on=named, suffixes=("", "_g"), validate="one_to_one")
    assert len(small) == (both["status"] == "ok").sum()
    margin = study.codebook.thresholds["sesoi"]
    for row in small.itertuples():  # Schuirmann (1987): the larger p of two one-sided tests
        sides = [(row.estimate_g + side * margin) / row.std_error_g for side in (1, -1)]
        expected = max(stats.t.sf(sides[0], row.df_g), stats.t.cdf(sides[1], row.df_g))
        assert row.p_value == pytest.approx(expected, abs=1e-9)
    barred = both[(both["population"] == "race=black") & (both["term"] == "hq_exclusion")].iloc[0]
    assert barred["status"] == "not_comparable" and np.isnan(barred["estimate"])
    assert "hedges_g" not in set(rating_means(study, layout.groups, pairs, **settings)["contrast"])


def test_means_are_not_compared_where_a_scale_does_not_measure_alike(study, content, layout):
    why = means_alike(study, ["race", "gender"], SCALES, alpha=0.05)
    assert why["race"]["hq_exclusion"].startswith("not comparable")
    assert why["gender"]["hq_exclusion"] == "" == why["race"]["hq_respectful"]
    states = [layout.groups[place].key for place in range(len(layout.states))]
    pair = content["pairs"].index([states.index("race=black"), states.index("race=white")])
    found = results_of(content, "gap")[pair, "mean rating||hq_exclusion"]
    assert found["estimate"] is None
    assert "differs between these groups" in content["reasons"][found["why"]]


def test_nothing_is_compared_of_which_one_side_is_hidden(content, layout):
    shown = {key for key, cell in cells(content, layout, "own").items() if cell["estimate"] is not None}
    shown |= {key for key, cell in cells(content, layout, "rest").items() if cell["estimate"] is not None}
    for (place, result), found in results_of(content, "gap").items():
        if found["estimate"] is not None:
            model, contrast, term, *_ = result.split("|")
            compared = f"{model.removesuffix(' equivalence')}|{compared_contrast(contrast)}|{term}"
            assert all((layout.groups[side].key, compared) in shown for side in layout.pairs[place])


def test_a_family_holds_only_tests_that_were_adjusted_together(content):
    """The page says for how many comparisons a p-value was adjusted: it counts those of the family."""
    families: dict[int, set] = {}
    for entry in content["keys"]:
        model, contrast, _, *way = entry["key"].split("|")
        families.setdefault(entry["family"], set()).add((model, contrast, *way))
    assert {("share", "", "two proportions, Newcombe interval")} in families.values()
    assert all(len(told) == 1 for told in families.values()), families


def test_a_share_of_everyone_else_tells_no_share_of_a_small_group(content, layout):
    """Together with everyone's it would: the two add up."""
    shown = {group for group, key in cells(content, layout, "own") if key.startswith("share||")}
    others = {group for group, key in cells(content, layout, "rest") if key.startswith("share||")}
    assert others and {group.removeprefix("rest of ") for group in others} <= shown


def test_no_two_results_have_one_label(content):
    """Ratings and adjusted means are of the same scales: a list of results has to tell them apart."""
    labels = {entry["key"]: entry["label"] for entry in content["keys"]}
    assert len(set(labels.values())) == len(labels)
    assert labels["mean rating||hq_respectful"] == "Responsive, respectful interactions"
    assert labels["adjusted mean||hq_respectful"] == "Responsive, respectful interactions, adjusted mean"
