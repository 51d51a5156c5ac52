"""Every value of published.csv is accounted for, and what data can give equals it after rounding as printed."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from lib.analysis.reproduction import reproduce, rounded_as
from lib.errors import StudyError
from lib.report.results import joined_results

# Values the report itself contradicts: 175 students at least in a school that holds 149 respondents (I-03), and
# 34 percent between 0.73 and 0.57 (I-02)
AT_ODDS = {"P038", "P039", "P124"}


@pytest.fixture(scope="module")
def values(built, study):
    """What the built report gives for every printed value, by id."""
    before = os.getcwd()
    os.chdir(study.folder.parent)
    try:
        rows = joined_results("findings", study).rows
    finally:
        os.chdir(before)
    return {one.key: one for one in reproduce(study, rows, ledger=study.ledger("reproduced"))}


def test_every_printed_value_is_accounted_for_in_order(values, study):
    assert list(values) == study.published["id"].tolist()
    assert len(values) == 197


def test_what_these_data_give_equals_what_was_printed(values):
    differ = {key: (one.printed, one.text) for key, one in values.items() if one.verdict == "differs"}
    assert {key: pair for key, pair in differ.items() if key not in AT_ODDS} == {}
    missing = [key for key, one in values.items() if one.reason.startswith(("no result", "not shown"))]
    assert missing == []


def test_values_at_odds_with_the_report_itself_are_named_by_their_inconsistency(values):
    assert {values[key].reason for key in AT_ODDS if values[key].verdict == "differs"} <= {"I-02", "I-03"}


@pytest.mark.parametrize(
    ("value", "printed", "text"),
    [
        (0.685, "0.69", "0.69"),
        (87.5, "88", "88"),
        (-0.2249, "-0.22", "-0.22"),
        (0.12499999999, "0.13", "0.13"),
        (46.03, "46", "46"),
    ],
)
def test_values_round_as_on_paper(value, printed, text):
    assert rounded_as(value, printed) == text


def test_a_printed_value_that_nobody_accounts_for_is_refused(study):
    ledger = study.ledger("reproduced")
    with pytest.raises(StudyError, match="does not account for 1 printed values, such as P005"):
        kept = [entry for entry in ledger["values"] if entry["ids"] != ["P005"]]
        reproduce(study, pd.DataFrame(), ledger={"values": kept})
    with pytest.raises(StudyError, match="names 'P999', which published.csv does not hold"):
        reproduce(
            study, pd.DataFrame(), ledger={"values": [*ledger["values"], {"ids": ["P999"], "reason": "none"}]}
        )
