"""Figures, tables and diagrams: what is drawn, said and tabled, and what never is."""

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys

import altair as alt
import pandas as pd
import pytest

import lib.show
from lib.errors import ShowError
from lib.show.diagrams import path_diagram, theory_diagram
from lib.show.figures import bars, before_after, dot_interval
from lib.show.layout import Axis, axis_for
from lib.show.marks import row_anchor
from lib.show.prose import phrase, prose
from lib.show.published import printed_values
from lib.show.svg import svg
from lib.show.tables import definitions, table
from lib.show.wording import count_rows
from tests.show_rows import CLASSROOM, CODEBOOK, STUDY, classroom, mediation, released, row

REASON = "not shown: fewer than 10 students"
CHAPTER_MODULES = ("diagrams", "figures", "prose", "tables", "wording")
TITLES = {"title": "What is seen", "caption": "What it shows.", "exhibit": 12}


@pytest.fixture
def displayed(monkeypatch):
    outputs = []

    def display(data, raw):
        mark = data.pop("application/vnd.lwo+json")
        json.dumps(mark, allow_nan=False)  # a number that is not there is never NaN in a mark
        outputs.append((mark, data))

    monkeypatch.setattr("IPython.display.display", display)
    return outputs


def public_functions():
    names = {module.name for module in pkgutil.iter_modules(lib.show.__path__)}
    assert set(CHAPTER_MODULES) <= names
    found_functions = []
    for name in CHAPTER_MODULES:
        module = importlib.import_module(f"lib.show.{name}")
        for member in module.__all__:
            found = getattr(module, member)
            if inspect.isfunction(found):
                found_functions.append(pytest.param(found, id=f"{name}.{member}"))
    return found_functions


@pytest.mark.parametrize("function", public_functions())
@pytest.mark.parametrize(
    "given", [pd.DataFrame({"student": [1], "score": [3.5]}), STUDY, 0.69], ids=["frame", "study", "number"]
)
def test_every_public_function_refuses_what_did_not_pass_the_gate(function, given, displayed):
    needed = {
        name: "{x}"
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    needed |= {"label": "fig-x"} if "label" in inspect.signature(function).parameters else {}
    with pytest.raises(ShowError):
        function(given, **needed)
    assert displayed == []


def drawn_values(spec: dict) -> list:
    return [value for rows in spec["datasets"].values() for point in rows for value in point.values()]


def test_a_hidden_row_is_never_drawn_and_worded_everywhere(displayed):
    dot_interval(classroom(hide="env_peer_support"), **TITLES)
    table(classroom(hide="env_peer_support"), caption="What it shows.", title="T", label="tbl-x")
    figure, listed = (mark for mark, _ in displayed)
    for form in ("wide", "narrow"):
        assert 0.69 not in drawn_values(figure["spec"][form])
        assert REASON in drawn_values(figure["spec"][form])
        assert len(figure["spec"][form]["datasets"]["a"]) == len(CLASSROOM) - 1
        assert REASON in svg(figure["spec"][form], width=form, title="", alt="", id="x")
    assert f"Perceived peer support: {REASON}" in figure["alt"]
    for mark in (figure, listed):
        assert f'<td class="withheld"><span>{REASON}</span></td>' in mark["table"]
        assert "0.69" not in json.dumps(mark)
        assert mark["notes"]


@pytest.mark.parametrize("form", ["wide", "narrow"])
def test_a_spec_holds_only_the_columns_it_draws_and_satisfies_the_schema(form, displayed):
    dot_interval(
        classroom("black"), compare=classroom("white"), published={"env_peer_support": 0.5}, **TITLES
    )
    before_after(mediation(), **TITLES)
    bars(released(row("frequency=4", 46, 43, 49, unit="percent")), **TITLES)
    for mark, _ in displayed:
        spec = mark["spec"][form]
        alt.LayerChart.from_dict(spec, validate=True)
        used: dict[str, set[str]] = {}
        for layer in spec["layer"]:
            fields = {channel["field"] for channel in layer["encoding"].values() if "field" in channel}
            used.setdefault(layer["data"]["name"], set()).update(fields)
        for name, rows in spec["datasets"].items():
            assert {key for point in rows for key in point} <= used[name], name


def test_alt_text_states_every_value_and_the_printed_ones(displayed):
    dot_interval(classroom(), published={"env_peer_support": 0.68}, **TITLES)
    alt_text = displayed[0][0]["alt"]
    for value in (
        "0.69 (0.65 to 0.73), printed 0.68",
        "0.34",
        "−0.22 (−0.29 to −0.15)",
        "0.58",
        "0.66",
        "0.55",
        "0.63",
    ):
        assert value in alt_text


def test_marks_stand_where_the_axis_puts_their_values(displayed):
    dot_interval(classroom(), domain=(-0.5, 0.9), published={"env_peer_support": 0.69}, **TITLES)
    drawn = svg(displayed[0][0]["spec"]["wide"], width="wide", title="t", alt="a", id="x")
    left, right = 252, 548  # ends of the plot: -0.5 and 0.9
    expected = left + (0.69 + 0.5) / 1.4 * (right - left)
    at = [float(x) for x in re.findall(r'<path class="m all"[^>]*translate\(([\d.]+),', drawn)]
    assert at[0] == pytest.approx(expected, abs=0.01)
    assert float(re.search(r'class="m-printed"[^>]*translate\(([\d.]+),', drawn)[1]) == pytest.approx(
        expected, abs=0.01
    )


def test_a_group_has_its_own_colour_and_its_own_shape(displayed):
    dot_interval(classroom("black"), compare=classroom("white"), **TITLES)
    drawn = svg(displayed[0][0]["spec"]["wide"], width="wide", title="t", alt="a", id="x")
    shapes = {
        group: set(re.findall(rf'<path class="m {group}" d="([^"]+)"[^>]* fill="([^"]+)"', drawn))
        for group in ("black", "white")
    }
    assert all(len(found) == 1 for found in shapes.values())
    assert not {part for pair in shapes["black"] for part in pair} & {
        part for pair in shapes["white"] for part in pair
    }


def test_inline_svg_is_clean_and_named(displayed):
    dot_interval(classroom(), **TITLES)
    drawn = svg(
        displayed[0][0]["spec"]["wide"],
        width="wide",
        title="**A** & b",
        alt="1 < 2",
        id="fig-x-wide",
    )
    assert drawn.startswith('<svg class="chart dots wide" viewBox="0 0 700 ')
    assert 'role="img" aria-labelledby="fig-x-wide-t fig-x-wide-d"' in drawn
    assert '<title id="fig-x-wide-t">A &amp; b</title><desc id="fig-x-wide-d">1 &lt; 2</desc>' in drawn
    assert not re.search(r'\sstyle=|<script|<image|\swidth="\d|aria-role|class="mark-', drawn)
    assert "var(--g-all, #46535d)" in drawn and 'class="label"' in drawn


def test_each_row_of_the_data_table_is_the_target_of_its_numbers(displayed):
    shown = classroom()
    dot_interval(shown, **TITLES)
    one = shown.row(term="env_social_comparison")
    line = re.search(rf'<tr id="{row_anchor(one.row_id)}">.*?</tr>', displayed[0][0]["table"])[0]
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)
    assert cells == ["Social comparison concerns", "−0.22", "−0.29 to −0.15", "&lt;.001", "870"]
    assert '<th scope="row">' in line
    assert f'#{row_anchor(one.row_id)}"' in phrase("{it}", it=one).markdown


def test_a_figure_or_table_without_a_caption_is_refused():
    for show in (dot_interval, bars, table):
        with pytest.raises(ShowError, match="has no caption; add caption="):
            show(classroom(), title="What is seen", exhibit=12)


def test_caption_says_population_n_unit_and_coverage(displayed):
    dot_interval(
        classroom("black", n_obs=402), compare=classroom("white", n_obs=217), conf_level=0.9, **TITLES
    )
    assert (
        displayed[0][0]["caption"]
        == "What it shows. In SD per SD, with 90% interval. Black students, n\xa0=\xa0400; White students, n\xa0=\xa0220."
    )


SHARE = "collaboration -> social self-efficacy, mediator learning from and with peers"


def test_printed_values_are_found_by_the_words_of_the_study():
    published = pd.DataFrame(
        [
            ("all students", "collaboration -> perceived peer support", "std_beta", "0.69", "12"),
            ("all students", "collaboration -> social comparison concerns", "sign", "-1", "12"),
            ("all students", "collaboration -> social comparison concerns", "std_beta", "-0.22", "12"),
            ("Black students", "collaboration -> grades, prior grades controlled", "std_beta", "0.14", ""),
            ("White students", "collaboration with social self-efficacy", "r_or_std_beta", "0.73", "30;31"),
            ("all students", SHARE, "pct_explained", "72", "19"),
        ],
        columns=["group", "measure", "statistic", "value", "exhibit"],
    )  # fmt: skip
    shown = released(
        row("env_peer_support", 0.7, 0.6, 0.8),
        row("env_social_comparison", -0.2, -0.3, -0.1),
        row("grade_math_or_ela", 0.1, 0.0, 0.2, population="black"),
        row("ms_social_se", 0.7, 0.6, 0.8, population="white", contrast="before"),
        row("ms_social_se", 0.3, 0.2, 0.4, population="white", contrast="direct"),
        row(
            "ms_social_se",
            70,
            60,
            80,
            contrast="share_explained",
            unit="percent",
            model="mediation by env_peer_learning",
        ),
    )
    found = printed_values(published, shown, exhibit=12)
    assert [found.get(one.row_id) for one in shown] == [0.69, -0.22, 0.14, 0.73, None, 72.0]


def test_before_and_after_draws_both_values_and_tables_all_paths(displayed):
    before_after(mediation(), published={"ms_social_se": 0.61}, **TITLES)
    mark = displayed[0][0]
    data = mark["spec"]["wide"]["datasets"]
    assert [(pair["before"], pair["after"]) for pair in data["a"]] == [(0.61, 0.33), (0.48, 0.24)]
    assert data["value_a"][0]["text"] == "0.61 to 0.33"
    assert (
        "before 0.61" in mark["alt"]
        and "after 0.33" in mark["alt"]
        and "share of the total 46%" in mark["alt"]
    )
    for heading in ("Before, c", "After, c′", "Indirect, ab", "Share of the total"):
        assert heading in mark["table"]
    assert "printed 0.61" in mark["table"]


def test_before_and_after_words_a_hidden_path(displayed):
    before_after(mediation(hide="ms_social_se"), **TITLES)
    mark = displayed[0][0]
    assert 0.33 not in drawn_values(mark["spec"]["wide"])
    data = mark["spec"]["wide"]["datasets"]
    assert [(pair["before"], pair["after"]) for pair in data["a"]] == [(0.48, 0.24)]
    assert REASON in drawn_values(mark["spec"]["wide"]) and f"after: {REASON}" in mark["alt"]


def test_one_outcome_with_several_mediators_is_drawn_by_mediator(displayed):
    rows = [*mediation(mediator="engagement"), *mediation(mediator="self_efficacy")]
    before_after(released(*(one.values for one in rows if one.term == "ms_social_se")), **TITLES)
    labels = [point["text"] for point in displayed[0][0]["spec"]["wide"]["datasets"]["label"]]
    assert labels == ["Engagement", "Self-efficacy"]
    with pytest.raises(ShowError, match="choose one mediator"):
        before_after(released(*(one.values for one in rows)), **TITLES)
    with pytest.raises(ShowError, match="no row with contrast 'direct'"):
        before_after(mediation().where(contrast="before"), **TITLES)


def test_bars_begin_at_zero_and_end_at_the_share(displayed):
    shown = released(
        row("frequency=4", 46.0, 43.0, 49.0, unit="percent"),
        row("frequency=1", 10.0, 8.0, 12.0, unit="percent"),
    )
    bars(shown, **TITLES)
    data = displayed[0][0]["spec"]["wide"]["datasets"]
    assert [(point["zero"], point["x"]) for point in data["a"]] == [(0, 46.0), (0, 10.0)]
    assert data["value_a"][0]["text"] == "46% [43, 49]"


def test_a_share_near_its_end_reads_alike_in_figure_table_alt_text_sentence_and_rows(displayed):
    """D5: 1 percent of 850 is coded, everywhere in the same words, and stands nowhere as a number."""
    share = {"unit": "percent", "model": "share", "n_obs": 850}
    shown = released(
        row("frequency=1", 0.94, 0.5, 1.8, **share), row("frequency=4", 46.0, 43.0, 49.0, **share)
    )
    for draw in (bars, dot_interval, table):
        draw(shown, **TITLES)
    prose("In one class period: {rare}.", rare=shown.row(term="frequency=1"))
    figure, other, tabled, sentence = (mark for mark, _ in displayed)
    coded = "at most 1 percent"
    assert all(coded in text for text in (figure["alt"], other["alt"], tabled["table"], sentence["markdown"]))
    for mark in (figure, other):
        assert coded in mark["table"] and coded in json.dumps(mark["spec"]["wide"])
    for mark, data in displayed:
        hidden = next((one for one in mark["rows"] if one["term"] == "frequency=1"), None)
        assert hidden is None or (hidden["estimate"], hidden["status_reason"]) == (None, coded)
        assert "0.94" not in json.dumps(mark) + json.dumps(data)


def test_a_path_diagram_shows_each_coefficient_and_words_hidden_ones(displayed):
    path_diagram(
        mediation().where(term="ms_social_se"), caption="What it shows.", title="T & more", exhibit=20
    )
    path_diagram(
        mediation(hide="ms_social_se").where(term="ms_social_se"),
        caption="What it shows.",
        title="T",
        exhibit=20,
    )
    shown, hidden = (mark["svg"]["narrow"] for mark, _ in displayed)
    for coefficient in (">0.61<", ">0.64<", ">0.44<", ">0.33<"):
        assert coefficient in shown
    assert ">0.33<" not in hidden and "fewer than 10" in hidden
    assert "Personalization" in shown and " style=" not in shown
    assert '<title id="fig-exhibit-20-narrow-t">T &amp; more</title>' in shown


def test_the_theory_is_drawn_from_the_codebook(displayed):
    theory_diagram(CODEBOOK, caption="What it shows.", title="T", exhibit=2, moderator="race")
    theory_diagram(CODEBOOK, caption="What it shows.", title="T", exhibit=14, through="environment")
    chain, two = (mark for mark, _ in displayed)
    assert all(
        word in chain["alt"] for word in ("High-quality collaboration", "Self-efficacy", "Course grades")
    )
    assert two["svg"]["wide"].count('class="path via"') == 3 and two["rows"] == []


def test_definitions_come_from_the_codebook_by_domain(displayed):
    definitions(CODEBOOK, "environment", caption="What it shows.", title="T", exhibit=9)
    body = displayed[0][0]["table"]
    assert body.count('scope="rowgroup"') == 3 and body.count('<th scope="row">') == len(CLASSROOM)


def test_a_wide_table_has_a_cell_for_each_row_and_refuses_two_in_one(displayed):
    rows = [*classroom("black"), *classroom("white", shift=0.1)]
    both = released(*(one.values for one in rows))
    table(
        both,
        caption="What it shows.",
        title="T",
        label="tbl-x",
        columns="population",
        show=("estimate", "interval"),
    )
    body = displayed[0][0]["table"]
    assert '<th scope="col" class="n">White students</th>' in body
    assert all(f'id="{row_anchor(one.row_id)}"' in body for one in rows)
    with pytest.raises(ShowError, match="two rows claim one cell"):
        table(both, caption="What it shows.", title="T", label="tbl-x", columns="unit")


def test_a_shown_value_that_needs_caution_says_so(displayed):
    few = released(
        row("env_peer_support", 1.2, 1.1, 1.3, unit="points", n_obs=40, model="mean", estimator="OLS")
    )
    dot_interval(few, **TITLES)
    assert few.row().caution  # fewer than 62 students (D13)
    for part in ("alt", "table"):
        assert "interpret with caution" in displayed[0][0][part]


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.69, -0.22), Axis(-0.4, 0.8, 0.2)), ((0.05, 0.12), Axis(0.0, 0.2, 0.05))],
)
def test_an_axis_holds_zero_and_ends_on_its_grid(values, expected):
    found = axis_for([], domain=None, others=values)
    assert found.low <= 0 <= found.high and found.low <= min(values) and found.high >= max(values)
    assert found.step in (0.02, 0.05, 0.1, 0.2)
    assert {round(end / found.step, 6) % 1 for end in (found.low, found.high)} == {0.0}
    assert axis_for([], domain=(1, 4)).ticks()[0] == 1 and expected.ticks()[0] == expected.low


def test_a_figure_needs_a_name_a_title_and_rows(displayed):
    with pytest.raises(ShowError, match="is no anchor"):
        dot_interval(classroom(), caption="What it shows.", title="T")
    with pytest.raises(ShowError, match="no rows"):
        dot_interval(classroom().where(term="absences"), **TITLES)
    with pytest.raises(ShowError, match="at most 2 groups"):
        dot_interval(
            released(*(row("absences", 0.1, 0, 0.2, population=name) for name in ("all", "black", "white"))),
            **TITLES,
        )
    with pytest.raises(ShowError, match="same term, same group"):
        dot_interval(classroom(), compare=classroom(), **TITLES)


def test_titles_take_computed_words(displayed):
    rising = count_rows(classroom(), where="positive")
    dot_interval(
        classroom(),
        caption="What it shows.",
        title=phrase("{k.k_of_n:words} scales rise", k=rising),
        exhibit=12,
    )
    assert re.sub(r"<[^>]+>", "", displayed[0][0]["title"]) == "Six of seven scales rise"
    prose("{k.k_of_n:words} rise. {k:words} do.", k=rising)
    assert re.sub(r"<[^>]+>", "", displayed[1][0]["markdown"]) == "Six of seven rise. Six do."


def test_a_table_sets_the_printed_value_beside_the_computed_one(displayed):
    counts = released(
        row("students", 861, float("nan"), float("nan"), unit="students", model="count"),
        row("grade_math_or_ela", 0.14, 0.09, 0.19),
    )
    words = {"students": "Students"}
    table(
        counts, caption="What it shows.", title="T", label="tbl-x", published={"students": 861}, labels=words
    )
    table(
        counts,
        caption="What it shows.",
        title="T",
        label="tbl-x",
        published={"students": 861},
        labels=words,
        columns="population",
    )
    long, wide = (mark["table"] for mark, _ in displayed)
    assert '<th scope="col" class="n">Printed 2018</th>' in long
    assert '<td class="n">861</td></tr>' in long and '<td class="n">not printed</td>' in long
    assert '861<br><span class="printed">printed 861</span>' in wide


def test_a_group_without_tokens_of_the_site_keeps_its_colour_and_shape(displayed):
    shown = [
        row("frequency=4", 46, 43, 49, unit="percent", population=name, model="share")
        for name in ("math", "ela")
    ]
    bars(released(*shown), **TITLES)
    drawn = svg(displayed[0][0]["spec"]["wide"], width="wide", title="t", alt="a", id="x")
    marks = re.findall(r'<path class="(third|fourth)" d="([^"]+)"[^>]* fill="(var\(--g-[^"]+)"', drawn)
    assert (
        len({css for css, _, _ in marks})
        == len({d for _, d, _ in marks})
        == len({fill for *_, fill in marks})
        == 2
    )


def test_showing_needs_no_slow_library():
    code = "import sys, lib.show.diagrams, lib.show.figures, lib.show.tables, lib.show.wording; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "altair" in loaded
    assert not loaded & {
        "semopy",
        "statsmodels",
        "pingouin",
        "pandera",
        "scipy.stats",
        "vl_convert",
        "great_tables",
    }
