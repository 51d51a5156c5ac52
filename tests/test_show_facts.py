"""Numbers that no student stands behind: settings, campaigns and the codebook, each bound to its source."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from lib.errors import BuildError, ShowError
from lib.report.campaigns import Campaign, campaign
from lib.show.codebook_tables import PARTS, codebook_table
from lib.show.facts import Settings, fact_html
from lib.show.prose import phrase
from tests.conftest import ROOT
from tests.disclosure_studies import CODEBOOK

RULES = Settings(CODEBOOK)


def said(template: str, **given: object) -> str:
    return phrase(template, **given).markdown


def test_a_setting_is_quoted_with_its_place_in_the_codebook():
    told = said("Fewer than {rules.k} students", rules=RULES)
    assert told == (
        f'Fewer than <data class="fact" value="{CODEBOOK.disclosure.k}" title="codebook.yml, disclosure: k">'
        f"{CODEBOOK.disclosure.k}</data> students"
    )
    words = re.sub("<[^>]+>", "", said("{r.m:words} of {r.max_cluster_share:percent}, {r.alpha}", r=RULES))
    assert words == "three of 80%, 0.05"
    assert f">{len(CODEBOOK.scales)}<" in said("{rules.scales}", rules=RULES)
    files = [re.sub("<[^>]+>", "", fact_html(n, "a file", "words file|files")) for n in (1, 2, 12)]
    assert files == ["one file", "two files", "12 files"]


def test_bounds_are_rounded_upward():
    assert ">0.0010<" in fact_html(0.00094, "a file", "^.4f")
    assert ">0.0009<" in fact_html(0.0009, "a file", "^.4f")
    assert ">93.3%<" in fact_html(0.933, "a file", ".1percent")


def test_what_is_no_setting_is_refused_with_the_nearest():
    with pytest.raises(ShowError, match="sets no 'caution'; did you mean 'caution_n'"):
        said("{rules.caution}", rules=RULES)
    with pytest.raises(ShowError, match="reads a codebook, not int"):
        Settings(4)
    with pytest.raises(ShowError, match="reads a codebook, not SimpleNamespace"):
        Settings(SimpleNamespace(disclosure=SimpleNamespace(k=4)))


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A project whose only campaign has known numbers."""
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "_quarto.yml").write_text("book: {}\n")
    conditions = {"a, b": {"cover": {"x": 0.93, "y": 0.95}}, "c": {"cover": {"x": 0.97}}}
    content = {"date": "2026-01-02", "commit": "abc", "seed": 7, "found": 5547, "conditions": conditions}
    (tmp_path / "benchmarks" / "results" / "trial.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    return campaign("trial")


def test_a_campaign_is_quoted_by_its_entries(stored):
    words = said("{run.found:,.0f} on {run.date} ({run.commit}, seed {run.seed})", run=stored)
    assert re.sub("<[^>]+>", "", words) == "5,547 on 2026-01-02 (abc, seed 7)"
    assert 'title="benchmarks/results/trial.json, found"' in words
    assert ">0.93<" in said("{x}", x=stored.at("conditions", "a, b", "cover", "x"))
    inside = stored.extremes("conditions", "*", "cover", "*")
    ends = re.sub("<[^>]+>", "", said("{i.lowest} to {i.highest} of {i.count}", i=inside))
    assert ends == "0.93 to 0.97 of 3"
    assert ">two<" in said("{them:words}", them=stored.at("conditions"))


def test_what_a_campaign_does_not_hold_is_refused(stored):
    with pytest.raises(BuildError, match="holds no result 'trail'; did you mean 'trial'"):
        Campaign("trail")
    with pytest.raises(BuildError, match="has no entry 'fond'; did you mean 'found'"):
        said("{run.fond}", run=stored)
    with pytest.raises(BuildError, match="no number under conditions / nothing"):
        stored.extremes("conditions", "nothing")


def test_every_campaign_of_the_project_says_when_on_which_commit_and_with_which_seed():
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", content["date"]) and re.fullmatch(
            r"\w{7,}", content["commit"]
        )
        assert "seed" in content or path.stem == "sem_speed", path.name


@pytest.fixture
def shown(monkeypatch):
    """Marks that were displayed."""
    found = []
    monkeypatch.setattr("lib.show.codebook_tables.emit", lambda mark, _: found.append(mark))
    return found


@pytest.mark.parametrize("what", PARTS)
def test_every_part_of_the_codebook_can_be_printed(what, shown):
    codebook_table(CODEBOOK, what, of="students", title="A title", caption="A caption.", label="tbl-part")
    assert shown[0].table.count("<tr") > 2 and shown[0].rows == ()


def test_a_scale_is_printed_with_its_items_and_which_are_reversed(shown):
    codebook_table(
        CODEBOOK, "scales", of="students", title="A title", caption="A caption.", label="tbl-scales"
    )
    table = shown[0].table
    asked = [scale for scale in CODEBOOK.scales.values() if scale.file == "students"]
    assert table.count("<li>") == sum(len(scale.items) for scale in asked)
    assert table.count("(reversed)") == sum(len(scale.reversed) for scale in asked)


def test_an_unknown_part_is_refused():
    given = {"title": "A title", "caption": "A caption.", "label": "tbl-part"}
    with pytest.raises(ShowError, match="no part 'colums'; did you mean 'columns'"):
        codebook_table(CODEBOOK, "colums", **given)
    with pytest.raises(ShowError, match="lists no columns of nothing"):
        codebook_table(CODEBOOK, "columns", of="nothing", **given)
    with pytest.raises(ShowError, match="reads a codebook, not str"):
        codebook_table("data", "columns", **given)
