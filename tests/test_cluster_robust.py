"""CR2 standard errors and Satterthwaite degrees of freedom are clubSandwich's; too few clusters are refused."""

import json

import pandas as pd
import pytest

from lib.analysis.cluster_robust import least_squares_cr2
from lib.errors import ModelError
from tests.conftest import ROOT

REFERENCE = ROOT / "tests" / "reference"
EXACT = 1e-8  # two programs, the same closed formulas


@pytest.fixture(scope="module")
def chicks() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "cluster_robust.csv").assign(constant=1.0)


@pytest.fixture(scope="module")
def clubsandwich() -> dict:
    return json.loads((REFERENCE / "cluster_robust.json").read_text())


def fitted(chicks: pd.DataFrame, *columns: str):
    return least_squares_cr2(chicks["weight"], chicks[["constant", *columns]], chicks["chick"])


@pytest.mark.parametrize(
    ("model", "columns"),
    [("plain", ("time", "diet2", "diet3", "diet4")), ("singular", ("time", "diet2", "lone")), ("mean", ())],
)
def test_agrees_with_clubsandwich(chicks, clubsandwich, model, columns):
    fit, other = fitted(chicks, *columns), clubsandwich[model]
    for place, name in enumerate(["constant", *columns]):
        row = fit.contrast({name: 1}, conf_level=0.95)
        for quantity in ("estimate", "std_error", "df", "p_value"):
            values = other[quantity] if isinstance(other[quantity], list) else [other[quantity]]
            assert row[quantity] == pytest.approx(values[place], rel=EXACT), (name, quantity)


def test_a_contrast_of_two_coefficients_agrees_with_clubsandwich(chicks, clubsandwich):
    other = clubsandwich["contrast"]
    row = fitted(chicks, "time", "diet2", "diet3", "diet4").contrast(
        {"diet2": 1, "diet3": -1}, conf_level=0.95
    )
    assert row["estimate"] == pytest.approx(other["estimate"], rel=EXACT)
    assert row["std_error"] == pytest.approx(other["std_error"], rel=EXACT)
    assert row["df"] == pytest.approx(other["df"], rel=EXACT)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((other["low"], other["high"]), rel=EXACT)
    assert row["n_clusters"] == 50


def test_rows_with_a_missing_value_are_left_out(chicks):
    holed = chicks.copy()
    holed.loc[holed["chick"] == 8, "weight"] = float("nan")
    without = chicks[chicks["chick"] != 8]
    assert fitted(holed, "time").contrast({"time": 1}, conf_level=0.95) == pytest.approx(
        fitted(without, "time").contrast({"time": 1}, conf_level=0.95)
    )


def test_too_few_clusters_and_dependent_columns_are_refused(chicks):
    few = chicks[chicks["chick"] <= 12]
    with pytest.raises(ModelError, match="need 20 clusters and there are 12"):
        fitted(few, "time")
    with pytest.raises(ModelError, match="3 columns of the regression are linearly dependent"):
        fitted(chicks.assign(again=chicks["time"]), "time", "again")
    with pytest.raises(ModelError, match="no coefficient 'diet'"):
        fitted(chicks, "time").contrast({"diet": 1}, conf_level=0.95)
