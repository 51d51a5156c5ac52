"""What sentences claim agrees with their rows; read from the words alone, in a study with nothing and in other groups."""

from __future__ import annotations

import pytest

from benchmarks.claims import read
from benchmarks.in_process import CHEAP, run_page
from benchmarks.null_sentences import null_study, sentences
from lib.report.project import load_project
from lib.study.load import load_study
from tests.conftest import ROOT

SEED = 20181005


def row(name, estimate, low, high, **rest):
    """A path with its interval, of the shape that marks hold."""
    base = {
        "row_id": name,
        "model": "direct",
        "contrast": "",
        "status": "ok",
        "p_value": None,
        "p_holm": None,
    }
    return base | {"estimate": estimate, "conf_low": low, "conf_high": high} | rest


CLEAR, UNCLEAR, FALLING = row("a", 0.31, 0.2, 0.4), row("b", 0.05, -0.1, 0.2), row("c", -0.22, -0.3, -0.1)


def quoted(one, value=None, field=""):
    shown = one["estimate"] if value is None else value
    return (
        f'<data class="num" value="{shown}" data-row="{one["row_id"]}"{field}><a href="#x">{shown}</a></data>'
    )


@pytest.mark.parametrize(
    ("words", "one", "claims", "true"),
    [
        ("Engagement rises with collaboration ({}).", CLEAR, True, True),
        ("Engagement rises with collaboration ({}).", UNCLEAR, True, False),
        ("Engagement rises with collaboration ({}).", FALLING, True, False),
        ("Comparing falls ({}).", FALLING, True, True),
        ("No clear tie with engagement remains ({}).", UNCLEAR, False, True),
        ("No clear tie with engagement remains ({}).", CLEAR, False, False),
        ("The groups do not differ clearly ({}).", CLEAR, False, False),
        ("The groups differ ({}).", FALLING, True, True),
    ],
)
def test_a_claim_is_read_from_words_and_held_against_its_row(words, one, claims, true):
    (sentence,) = read(words.format(quoted(one)), [one])
    (claim,) = sentence.claims
    assert (claim.claims, claim.true) == (claims, true)


def counted(value, *rows):
    from lib.show.marks import row_anchor

    anchors = " ".join(row_anchor(one["row_id"]) for one in rows)
    return f'<data class="num" value="{value}" data-rows="{anchors}"><a href="#x">{value}</a></data>'


@pytest.mark.parametrize(("k", "true"), [(1, True), (2, False), (3, False)])
def test_a_count_is_the_number_of_rows_that_are_so(k, true):
    rows = [CLEAR, UNCLEAR, FALLING]
    (sentence,) = read(f"{counted(k, *rows)} of {counted(3, *rows)} scales rise with collaboration.", rows)
    assert [(claim.says, claim.true) for claim in sentence.claims] == [("up", true)]


def test_none_of_several_is_no_claim_and_false_where_one_is_clear():
    rows = [CLEAR, UNCLEAR]
    (sentence,) = read(f"None of {counted(2, *rows)} scales rise with collaboration.", rows)
    assert [(claim.claims, claim.true) for claim in sentence.claims] == [(False, False)]


def test_a_number_that_is_not_its_rows_is_found():
    (right,) = read(f"It rises by {quoted(CLEAR)}.", [CLEAR])
    (wrong,) = read(f"It rises by {quoted(CLEAR, value=0.41)}.", [CLEAR])
    assert not right.wrong_numbers and wrong.wrong_numbers


def test_sentences_on_a_study_with_nothing_agree_with_their_rows(tmp_path):
    """One null study and one chapter, drawn by a fixed seed; the campaign reads twenty and all of them."""
    found = sentences(run_page(load_project(ROOT).page("rq3-leaders"), null_study(SEED, tmp_path), CHEAP))
    tested = [one for one in found if one.tested]
    assert len(tested) >= 3 and not [one.words for one in found if one.wrong_numbers]
    assert [claim.words for one in tested for claim in one.claims if not claim.true] == []


@pytest.mark.parametrize(
    ("page", "given"),
    [
        ("rq2-frequency", {"population": "math"}),
        ("study", {"population": "focal"}),
    ],
)
def test_a_chapter_runs_again_for_another_population_and_its_sentences_change(page, given):
    study, asked = load_study(ROOT / "data"), load_project(ROOT).page(page)
    published = [one.words for one in sentences(run_page(asked, study, CHEAP))]
    again = [one.words for one in sentences(run_page(asked, study, CHEAP | given))]
    assert again and set(again) - set(published)
