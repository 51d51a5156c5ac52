"""The model language, what a model means, and what the engine refuses."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lib.errors import ModelError
from lib.sem.fit import fit
from lib.sem.syntax import parse_model, read_expression

N = 400


@pytest.fixture(scope="module")
def students() -> pd.DataFrame:
    """One latent with five indicators, two covariates, an outcome, classes and two groups."""
    rng = np.random.default_rng(20181005)
    covariate = rng.normal(size=(N, 2))
    latent = 0.3 * covariate[:, 0] + rng.normal(size=N)
    table = pd.DataFrame({f"item_{k}": latent * (0.8 + 0.1 * k) + rng.normal(size=N) for k in range(1, 6)})
    return table.assign(
        age=covariate[:, 0],
        grade=covariate[:, 1],
        outcome=0.5 * latent + 0.2 * covariate[:, 1] + rng.normal(size=N),
        race=rng.choice(["black", "white"], N),
        classroom=rng.integers(0, 40, N),
        school=rng.integers(0, 4, N),
    )


MODEL = "latent =~ item_1 + item_2 + item_3 + item_4 + item_5"
PATHS = MODEL + "\nlatent ~ a*age\noutcome ~ b*latent + c*age + grade\nindirect := a*b"


def test_every_form_of_the_language_is_read():
    model = parse_model(
        """
        # a comment
        f =~ x1 + NA*x2 + c(a1, a2)*x3 +
             start(0.5)*x4 ; g =~ x5 + .5*x6   ! another
        y1 + y2 ~ 0*1 + b*f
          + -1*z
        y1 ~~ c(0.5, NA)*y2
        b*1
        """.replace("b*1", "y3 ~ m*1")
        + "ind := a1*b - exp(a2)/2^2; a1 == 2*b + 1"
    )
    terms = {(t.lhs, t.op, t.rhs): t for t in model.terms}
    assert np.isnan(terms["f", "=~", "x2"].values[0])
    assert terms["f", "=~", "x3"].labels == ("a1", "a2")
    assert terms["f", "=~", "x4"].starts == (0.5,)
    assert terms["g", "=~", "x6"].values == (0.5,)
    assert terms["y2", "~1", ""].values == (0.0,)
    assert terms["y1", "~", "z"].values == (-1.0,)
    assert terms["y1", "~~", "y2"].values[0] == 0.5
    assert terms["y3", "~1", ""].labels == ("m",)
    assert model.definitions[0][0] == "ind"
    assert len(model.constraints) == 1


def test_two_mentions_of_a_term_are_one_parameter():
    term = parse_model("y ~ a*x + start(0.3)*x").terms[0]
    assert (term.labels, term.starts) == (("a",), (0.3,))


def test_arithmetic_follows_the_usual_precedence():
    value = read_expression("-a^2 + 2*b/4 - (a - b)*sqrt(c)").evaluate({"a": 3.0, "b": 2.0, "c": 16.0})
    assert value == -9 + 1 - 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f = x", "line 1, column 3: found '=', expected a name, a number or an operator"),
        ("f =~ x1 + ", "line 1, column 10: found the end of the statement, expected a variable"),
        ("y ~ x\nf =~ x1 x2", "line 2, column 9: found 'x2', expected '+' or the end of the statement"),
        ("~ x", "line 1, column 1: found '~', expected a variable before '~'"),
        ("f =~ 2", "line 1, column 6: found '2', expected a variable"),
        ("y ~ x; a := b +", "line 1, column 16: found the end of the statement, expected a label, a number"),
        ("y ~ half(2)*x", "line 1, column 5: found 'half', expected c(...) or start(...)"),
        ("y x", "expected one of the operators =~ ~ ~~ ~1 := =="),
        ("", "holds no formula"),
    ],
)
def test_a_syntax_error_names_line_column_and_what_was_expected(text, said):
    with pytest.raises(ModelError) as error:
        parse_model(text)
    assert said in str(error.value)


def bad(students: pd.DataFrame, **columns) -> pd.DataFrame:
    return students.assign(**columns)


@pytest.mark.parametrize(
    ("said", "model", "change", "options"),
    [
        ("'item_7', which the data do not have; did you mean 'item_5'?", MODEL + " + item_7", {}, {}),
        ("'item_2' does not vary", MODEL, {"item_2": 3.0}, {}),
        (
            "'item_4' is an exact combination of other variables",
            MODEL,
            {"item_4": lambda d: d.item_1 + d.item_2},
            {},
        ),
        (
            "covariance matrix is not positive definite; leave it out",
            MODEL,
            {"item_5": lambda d: 2 * d.item_1},
            {},
        ),
        (
            "has 3 usable rows for a model of 5 variables",
            MODEL,
            {"race": ["x"] * 3 + ["y"] * (N - 3)},
            {"group": "race"},
        ),
        (
            "4 clusters are too few for cluster-robust standard errors (at least 20)",
            MODEL,
            {},
            {"cluster": "school"},
        ),
        ("not identified: 4 free parameters for 3 moments", "latent =~ item_1 + item_2", {}, {}),
        ("the data hold no information on", "f =~ NA*item_1 + item_2 + item_3 + item_4", {}, {}),
        ("'item_3' is not numeric (400 of 400 rows hold text)", MODEL, {"item_3": "agree"}, {}),
        ("'item_3' is infinite in 400 of 400 rows", MODEL, {"item_3": np.inf}, {}),
        ("has 2 modifiers but there are 1 groups", "outcome ~ c(a1, a2)*age", {}, {}),
        ("group_equal is given but the model has no groups", MODEL, {}, {"group_equal": ("loadings",)}),
        ("group_equal does not know slopes", MODEL, {}, {"group": "race", "group_equal": ("slopes",)}),
        ("group_partial names no parameter", MODEL, {}, {"group": "race", "group_partial": ("item_9~1",)}),
        ("'race' has 1 group(s)", MODEL, {"race": "black"}, {"group": "race"}),
        ("missing='pairwise' is not known", MODEL, {}, {"missing": "pairwise"}),
        ("a variable cannot depend on itself", "outcome ~ outcome", {}, {}),
        ("uses 'z', which labels no parameter", "outcome ~ a*age\nb := a*z", {}, {}),
        ("is not linear", "outcome ~ a*age + b*grade\na*b == 1", {}, {}),
        ("contradict each other", "outcome ~ a*age + b*grade\na == b + 1\na == b", {}, {}),
        ("a bootstrap needs seed=", MODEL, {}, {"bootstrap": 10}),
        (
            "hardly ever answered together",
            MODEL,
            {
                "item_1": lambda d: d.item_1.where(d.index < 200),
                "item_2": lambda d: d.item_2.where(d.index >= 200),
            },
            {"missing": "fiml"},
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_do(students, said, model, change, options):
    with pytest.raises(ModelError) as error:
        fit(model, bad(students, **change), **options)
    assert said in str(error.value)


def correlated(a_b: float, a_c: float, b_c: float) -> pd.DataFrame:
    """300 cases with exactly these correlations."""
    cov = np.array([[1.0, a_b, a_c], [a_b, 1.0, b_c], [a_c, b_c, 1.0]])
    draw = np.random.default_rng(1).normal(size=(300, 3))
    draw = (draw - draw.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(draw.T))).T
    return pd.DataFrame(draw @ np.linalg.cholesky(cov).T, columns=list("abc"))


@pytest.mark.parametrize("correlations", [(0.3, 0.3, -0.3), (0.0, 0.5, 0.5)])
def test_a_fit_that_does_not_converge_has_a_reason_and_no_numbers(correlations):
    # no factor gives such correlations; lavaan does not end normally either
    fitted = fit("f =~ a + b + c", correlated(*correlations))
    assert fitted.status == "not_converged" and fitted.status_reason
    assert fitted.estimates.est.isna().all()
    assert fitted.fit_measures == {}


def test_a_negative_variance_is_reported_never_as_a_result():
    # the first loading would be sqrt(.8 * .8 / .4) > 1
    fitted = fit("f =~ a + b + c", correlated(0.8, 0.8, 0.4))
    assert fitted.status == "inadmissible"
    assert "Heywood" in fitted.status_reason and "a" in fitted.status_reason


def test_a_covariate_that_cannot_be_estimated_is_dropped_and_named(students):
    table = students.assign(twice=lambda d: 2 * d.age, same=1.0)
    model = PATHS.replace("grade", "grade + twice + same")
    ours = fit(model, table)
    assert ours.dropped == {"": ("twice", "same")}
    without = fit(PATHS, table)
    assert ours.row("indirect", ":=").est == pytest.approx(without.row("indirect", ":=").est, rel=1e-8)
    assert ours.fit_measures["df"] == without.fit_measures["df"]
    assert ours.fit_measures["logl"] == pytest.approx(without.fit_measures["logl"], abs=1e-6)


def test_a_covariate_dropped_in_one_group_stays_in_the_other(students):
    table = students.assign(ell=lambda d: np.where(d.race == "white", 0.0, d.index % 2))
    model = MODEL + "\nlatent ~ ell + age"
    ours = fit(model, table, group="race", group_equal=("loadings",), missing="fiml", fixed_x=False)
    assert ours.dropped == {"white": ("ell",)}
    listwise = fit(model, table, group="race", group_equal=("loadings",))
    assert ours.row("latent", "~", "ell", group="black").est == pytest.approx(
        listwise.row("latent", "~", "ell", group="black").est, rel=1e-6
    )


def test_a_path_model_is_least_squares(students):
    ours = fit("outcome ~ age + grade", students).estimates.set_index("rhs").est
    columns = np.column_stack([np.ones(N), students.age, students.grade])
    expected = np.linalg.lstsq(columns, students.outcome, rcond=None)[0]
    assert ours["age"] == pytest.approx(expected[1], rel=1e-9)
    assert ours["grade"] == pytest.approx(expected[2], rel=1e-9)


def test_full_information_on_complete_data_is_maximum_likelihood(students):
    one = fit(PATHS, students, meanstructure=True, information="observed")
    other = fit(PATHS, students, missing="fiml")
    np.testing.assert_allclose(one.estimates.est, other.estimates.est, rtol=1e-6)
    np.testing.assert_allclose(one.estimates.se, other.estimates.se, rtol=1e-6)


def test_results_do_not_depend_on_units_or_row_order(students):
    one = fit(PATHS, students)
    other = fit(
        PATHS, students.sample(frac=1, random_state=1).assign(outcome=lambda d: 1000 * d.outcome + 50)
    )
    np.testing.assert_allclose(one.estimates.std_all, other.estimates.std_all, rtol=1e-6)
    assert one.fit_measures["chisq"] == pytest.approx(other.fit_measures["chisq"], rel=1e-6)


def test_few_clusters_use_t_and_the_callers_data_stay_as_they_were(students):
    before = students.copy()
    fitted = fit(PATHS, students, cluster="classroom")
    row = fitted.row("outcome", "~", "age")
    assert fitted.df == 39
    # the 97.5 % point of t with 39 degrees of freedom, from a printed table
    assert (row.ci_upper - row.est) / row.se == pytest.approx(2.0227, abs=1e-4)
    pd.testing.assert_frame_equal(students, before)


def test_classes_that_hold_both_groups_sum_their_scores_over_groups(students):
    equal = ("loadings", "intercepts", "means", "residuals", "regressions", "lv.variances", "lv.covariances")
    model = MODEL + "\noutcome ~ latent"
    # the same parameters in both groups: the groups are one sample, so the cluster-robust SEs must be its own
    both = fit(model, students, group="race", group_equal=equal, cluster="classroom")
    one = fit(model, students, cluster="classroom")
    ours = both.row("outcome", "~", "latent", group=both.groups[0])
    assert ours.est == pytest.approx(one.row("outcome", "~", "latent").est, rel=1e-5)
    assert ours.se == pytest.approx(one.row("outcome", "~", "latent").se, rel=1e-5)


def test_the_engine_loads_with_numpy_and_pandas_alone():
    code = "import lib.sem.fit, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "scipy.stats",
        "scipy.special",
        "semopy",
        "statsmodels",
        "joblib",
        "sklearn",
        "pandera",
        "pingouin",
        "altair",
    }
    assert not heavy & set(loaded)
