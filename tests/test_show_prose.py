"""Sentences: formats, binding, hidden values, refusals, and wording that follows the interval."""

import html
import re

import pandas as pd
import pytest

from lib.errors import ShowError
from lib.show.compared import hanging
from lib.show.marks import row_anchor
from lib.show.prose import Phrase, note, phrase, prose
from lib.show.wording import choose, choose_count, count_rows, direction, listing, ranked
from tests.show_rows import classroom, mediation, released, row


def words(markdown: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markdown))


def test_a_number_is_bound_to_its_row_and_carries_a_true_minus():
    shown = classroom()
    comparison = shown.row(term="env_social_comparison")
    text = phrase("falls by {it:.2f}", it=comparison).markdown
    assert words(text) == "falls by −0.22"
    assert f'href="#{row_anchor(comparison.row_id)}"' in text
    assert f'value="-0.22" data-row="{comparison.row_id}"' in text


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{it}", "0.69"),
        ("{it:.3f}", "0.690"),
        ("{it.size:.1f}", "0.7"),
        ("{it.interval}", "0.65 to 0.73"),
        ("{it.p}", "p\xa0<\xa0.001"),
        ("{it.n}", "870"),  # model n to 10 (D17)
        ("{it.term}", "perceived peer support"),
        ("{it.label}", "Perceived peer support"),
        ("{it.population}", "all students"),
    ],
)
def test_what_a_field_says_of_a_row(field, expected):
    assert words(phrase(field, it=classroom().row(term="env_peer_support")).markdown) == expected


def test_shares_counts_and_p_values_are_written_as_the_field_writes_them():
    shown = released(
        row("frequency=weekly", 46.4, 43.1, 49.7, unit="percent", n_obs=861, model="share"),
        row("students", 1234, float("nan"), float("nan"), unit="students", n_obs=1234, model="count"),
        row("grade_math_or_ela", 0.12, 0.01, 0.23, p_value=0.0341),
    )
    rows = list(shown)
    assert words(phrase("{share} of {share.n}", share=rows[0]).markdown) == "46% of 861"
    assert words(phrase("{count}", count=rows[1]).markdown) == "1,234"
    assert words(phrase("{it.p}", it=rows[2]).markdown) == "p\xa0=\xa0.034"
    assert "−0.00" not in phrase("{it}", it=released(row("absences", -0.001, -0.1, 0.1)).row()).markdown


def test_the_n_of_a_share_from_a_model_is_rounded_as_the_model_is():
    share = mediation().row(term="ms_social_se", contrast="share_explained")  # 867 students
    assert words(phrase("{it.n}", it=share).markdown) == "870"


def test_a_hidden_row_is_worded_and_its_number_is_nowhere():
    hidden = classroom(hide="env_peer_support").row(term="env_peer_support")
    text = phrase("{it.term}: {it:.2f}, {it.interval}, {it.p}, {it.n}", it=hidden).markdown
    assert words(text).count("not shown: fewer than 10 students") == 4
    assert "0.69" not in text
    assert (
        "not shown: fewer than 10 students"
        in choose(hidden, positive="up", negative="down", unclear="no").markdown
    )


@pytest.mark.parametrize("given", [0.69, 3, pd.DataFrame({"x": [1]}), None, [1.0], {"x": 1}, "0.69 SD"])
@pytest.mark.parametrize("function", [prose, note, phrase])
def test_what_did_not_pass_the_gate_is_refused(function, given):
    with pytest.raises(ShowError):
        function("rises by {it}", it=given)


def test_labels_with_digits_come_from_the_codebook_only():
    shown = classroom("school_1").row(term="env_needs_met")
    assert "School 1" in phrase("{who}: {it}", who="Students of School 1", it=shown).markdown
    with pytest.raises(ShowError, match="no label of the codebook"):
        phrase("{who}: {it}", who="Students of School 9", it=shown)


def test_a_typed_decimal_is_refused():
    with pytest.raises(ShowError, match="typed in the template"):
        phrase("rises by 0.69 SD")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.3, "positive"), (-0.3, -0.1, "negative"), (-0.1, 0.3, "unclear"),
        # ends that the gate rounds to zero
        (0.0003, 0.2, "positive"), (-0.2, -0.0003, "negative"), (-0.0003, 0.2, "unclear"),
    ],
)  # fmt: skip
def test_wording_follows_the_interval(low, high, expected):
    one = released(row("absences", (low + high) / 2, low, high)).row()
    chosen = choose(one, positive="positive {row}", negative="negative {row}", unclear="unclear {row}")
    assert direction(one) == expected
    assert words(chosen.markdown).startswith(expected)


def test_rows_are_counted_and_hidden_rows_are_not_misses():
    count = count_rows(classroom(hide="env_needs_met"), where="positive")
    assert words(count.render("k_of_n", "words")) == "five of six (one not shown)"
    assert words(phrase("{n.k_of_n}", n=count_rows(classroom(), where="positive")).markdown) == "6 of 7"
    assert (
        words(phrase("{n}", n=count_rows(classroom(), where=lambda row: row.estimate > 0.6)).markdown) == "3"
    )
    with pytest.raises(ShowError, match="unknown condition"):
        count_rows(classroom(), where="significant")


def test_wording_follows_a_count():
    some = choose_count(
        count_rows(classroom(), where="positive"), every="all", some="{count:words}", none="none"
    )
    assert words(some.markdown) == "six"
    few = classroom().where(term=["env_needs_met"])
    assert (
        choose_count(count_rows(few, where="negative"), every="all", some="some", none="none").markdown
        == "none"
    )


def test_rows_are_named_in_a_list_in_their_order():
    first = ranked(classroom())[:3]
    assert words(listing(first, each="{row.term} ({row})").markdown) == (
        "perceived peer support (0.69), learning from and with peers (0.66) "
        "and personal learning needs are met (0.63)"
    )
    assert [one.term for one in ranked(classroom(), by="size")][-1] == "env_social_comparison"
    assert listing([]).markdown == "none"


def test_prose_displays_one_mark_with_the_rows_it_quotes(displayed):
    one = classroom().row(term="env_peer_support")
    inner = phrase("{it.term}", it=one)
    prose("{inner} rises by {it}.", it=one, inner=inner)
    mark, shown = displayed[0]
    assert mark["kind"] == "prose" and [record["row_id"] for record in mark["rows"]] == [one.row_id]
    assert mark["rows"][0]["std_error"] is None  # NaN is null in JSON
    assert mark["markdown"] in shown["text/html"]


@pytest.fixture
def displayed(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, raw: outputs.append((data.pop("application/vnd.lwo+json"), data)),
    )
    return outputs


def test_a_phrase_takes_no_format():
    with pytest.raises(ShowError, match="no format"):
        phrase("{it:.2f}", it=Phrase("words"))


@pytest.mark.parametrize(
    ("p_values", "ending"),
    [
        ((0.03, 0.08), "The verdict on perceived peer support hangs on this choice."),
        ((0.03, 0.04), "No verdict hangs on this choice."),
    ],
)
def test_two_ways_of_estimating_are_set_beside_each_other(p_values, ending):
    ways = [
        row("env_peer_support", value, 0.0, 1.0, p_value=p, estimator=way)
        for value, p, way in zip((0.69, 0.61), p_values, ("one", "other"), strict=True)
    ]
    said = words(hanging(released(*ways), alpha=0.05, on="this choice").markdown)
    assert said.endswith(ending) and "perceived peer support (0.69 and 0.61)" in said


def test_one_way_alone_is_said_to_be_one():
    said = hanging(released(row("env_peer_support", 0.69, 0.6, 0.8)), alpha=0.05, on="this choice").markdown
    assert said.startswith("No estimate can be given in two ways")
