"""Simulated studies: counts as printed, effects where planted and nowhere else, same seed same study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.errors import StudyError
from lib.study.calibrate import Move, choose_pairs, exchange, move_to
from lib.study.init import init_study
from lib.study.load import load_study
from lib.study.population import load_population, nullified, parameters, planted
from lib.study.read_codebook import load_codebook, read_yaml
from lib.study.simulate import simulate, write_study
from lib.study.simulate_excerpts import simulate_excerpts
from lib.study.simulate_parts import simulate_parts
from lib.study.simulate_roster import apportion
from lib.study.tables import convert_table, text_cells, typed_table
from lib.study.validate import check_study

DATA = Path(__file__).parents[1] / "data"
DRAWS = 200


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A study of the study's own size and printed remarks, with a seed that is not the shipped one's."""
    folder = tmp_path_factory.mktemp("drawn") / "study"
    return load_study(write_study(simulate(DATA, n=None, seed=7, printed=True), folder, source=DATA))


def test_student_counts_are_those_of_exhibit_6(drawn):
    students = drawn.population("all").frame
    assert (len(drawn.students), len(students)) == (892, 869)
    assert students["subject"].value_counts().to_dict() == {"math": 432, "ela": 429, "none": 8}
    by_school = students.groupby(["school", "subject"], observed=False).size().unstack()
    assert (by_school["math"].min(), by_school["math"].max()) == (79, 157)
    assert (by_school["ela"].min(), by_school["ela"].max()) == (62, 155)
    assert (by_school.sum(axis=1).min(), by_school.sum(axis=1).max()) == (149, 312)
    assert round(100 * (drawn.students["race"] == "black").mean()) == 46  # line 1887


def test_teacher_and_visit_counts_are_those_of_exhibit_7(drawn):
    teachers, visits = drawn.teachers, drawn.observations.drop_duplicates("visit_id")
    assert len(teachers) == 138
    ranges = {"math": (2, 11), "ela": (4, 10)}
    for subject, ends in ranges.items():
        counts = teachers[teachers["subject"] == subject]["school"].value_counts()
        assert (counts.min(), counts.max()) == ends
    assert (teachers["school"].value_counts().min(), teachers["school"].value_counts().max()) == (17, 56)
    told = teachers[teachers["interviewed"] == "yes"].groupby(["subject", "school"], observed=True).size()
    assert told["math"].agg(["sum", "min", "max"]).to_list() == [14, 2, 4]
    assert told["ela"].agg(["sum", "min", "max"]).to_list() == [14, 2, 4]
    seen = visits.groupby(["subject", "school"], observed=True).size()
    assert seen["math"].agg(["sum", "min", "max"]).to_list() == [14, 2, 5]
    assert seen["ela"].to_list() == [4, 4, 4, 4]
    items = [item for scale in drawn.codebook.scales_with("observed") for item in scale.items]
    assert len(items) == 16


def test_collaboration_is_seen_in_the_printed_range_of_classrooms(drawn):
    together = drawn.observations["activity"] == "collaborative"
    rooms = together.groupby(
        [drawn.observations["school"], drawn.observations["class_id"]], observed=True
    ).any()
    shares = rooms.groupby("school", observed=True).mean()
    assert round(100 * shares.min()) == 25 and round(100 * shares.max()) == 88  # lines 1430 and 1431
    assert abs(rooms.mean() - 0.5) <= 0.1  # line 1425


@pytest.mark.parametrize(
    ("theme", "focal_only", "mixed", "groups"),
    [
        ("lacks_relevance", 20, 4, None),  # line 1199
        ("exclusion", 12, 1, 3),  # lines 1217, 1221
        ("race_dynamics", 6, 3, 5),  # lines 1253 to 1256
        ("little_teacher_help", 7, 3, 6),  # lines 1352, 1613
        ("social_skills", None, None, 5),  # line 752
        ("seldom_interesting", None, None, 5),  # line 1507
        ("not_connected", None, None, 7),  # line 1508
        ("same_race_teams", None, None, 5),  # line 1247
        ("self_taught", None, None, 4),  # line 1614
    ],
)
def test_remarks_are_counted_as_printed(drawn, theme, focal_only, mixed, groups):
    remarks = drawn.excerpts[drawn.excerpts["theme"] == theme]
    counts = remarks["group_type"].value_counts()
    assert focal_only is None or counts["focal_only"] == focal_only
    assert mixed is None or counts["mixed"] == mixed
    assert groups is None or remarks["unit_id"].nunique() == groups


@pytest.mark.parametrize(
    ("theme", "count"),
    [("often", 17), ("discusses_relevance", 15), ("designs_relevant", 13), ("facilitator", 20), ("adjusts_role", 8),
     ("context_helps", 22), ("schedule_helps", 18), ("staff_collaboration_helps", 14)],
)  # fmt: skip
def test_interview_themes_are_counted_as_printed(drawn, theme, count):
    told = drawn.excerpts[drawn.excerpts["source"] == "interview"]
    assert told["unit_id"].nunique() == 28
    assert told[told["theme"] == theme]["unit_id"].nunique() == count


def test_focus_groups_are_two_in_each_school_with_26_students_of_each_type(drawn):
    groups = drawn.excerpts[drawn.excerpts["source"] == "focus_group"].drop_duplicates("unit_id")
    assert groups.groupby("school", observed=True).size().to_list() == [2, 2, 2, 2]
    assert groups.groupby("group_type", observed=True)["participants"].sum().to_list() == [26, 26]


def test_the_shipped_remarks_are_drawn_again_to_the_byte():
    seed = load_population(DATA / "population.yml")["calibration"]["seed"]
    remarks = simulate(DATA, n=None, seed=int(seed), printed=True).tables["excerpts"]
    assert remarks.to_csv(index=False, lineterminator="\n").encode() == (DATA / "excerpts.csv").read_bytes()


def mean_remarks(truth: dict) -> dict[str, float]:
    """Means over draws: remarks on a theme in either type of group, teachers who name a theme."""
    codebook, teachers = load_codebook(DATA), pd.read_csv(DATA / "teachers.csv", dtype=str)
    tables = [
        simulate_excerpts(
            truth["excerpts"], codebook, teachers, printed=False, rng=np.random.default_rng(seed)
        )
        for seed in range(DRAWS)
    ]
    counts = pd.concat(tables).groupby(["theme", "group_type"]).size() / DRAWS
    return {f"{theme} {kind}": mean for (theme, kind), mean in counts.items()}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        # lines 1199, 1217, 1221, 1566, 1568 and 1597 of the report
        ("all", {"lacks_relevance focal_only": 20, "lacks_relevance mixed": 4, "exclusion focal_only": 12,
                 "exclusion mixed": 1, "facilitator interview": 20, "designs_relevant interview": 13}),
        # nothing there: half of the groups make a remark (ln 2 each), half of the teachers name a theme
        ("", {"lacks_relevance focal_only": 4 * np.log(2), "lacks_relevance mixed": 4 * np.log(2),
              "facilitator interview": 14, "designs_relevant interview": 7}),
        ("1c-4", {"exclusion focal_only": 12, "exclusion mixed": 1, "facilitator interview": 14}),
        ("2c-1", {"lacks_relevance focal_only": 12, "lacks_relevance mixed": 12, "facilitator interview": 20}),
    ],
)  # fmt: skip
def test_remarks_are_drawn_around_what_was_printed_or_around_chance(kept, expected):
    truth = load_population(DATA / "population.yml")
    truth = truth if kept == "all" else planted(truth, kept) if kept else nullified(truth)
    found = mean_remarks(truth)
    for name, mean in expected.items():
        # a Poisson count's variance is its mean, a binomial's is less: 4.5 standard errors of the draws' mean
        assert abs(found[name] - mean) < 4.5 * np.sqrt(mean / DRAWS), name


def test_draws_of_remarks_vary_and_leave_nobody_silent():
    drawn = [simulate(DATA, n=300, seed=seed).tables["excerpts"] for seed in (1, 2)]
    assert len(drawn[0]) != len(drawn[1])
    assert {table["unit_id"].nunique() for table in drawn} == {8 + 28}
    for table in drawn:
        named = table.groupby("theme")["unit_id"].agg(set)
        assert named["designs_relevant"] <= named["discusses_relevance"]  # line 1568


def test_a_simulated_study_keeps_its_codebook(drawn):
    assert check_study(drawn.folder) == []


def test_a_table_in_memory_is_typed_as_its_file_is_loaded():
    simulated = simulate(DATA, n=300, seed=3)
    for kind, table in simulated.tables.items():
        columns = simulated.codebook.columns_of(kind)
        read = convert_table(text_cells(table, columns), columns)
        pd.testing.assert_frame_equal(typed_table(table, columns), read)


def test_same_seed_same_study_and_another_seed_another():
    one, same, other = (simulate(DATA, n=300, seed=seed).tables for seed in (3, 3, 4))
    for kind in one:
        pd.testing.assert_frame_equal(one[kind], same[kind])
    assert not one["students"].equals(other["students"])


def test_a_null_study_has_no_path_from_the_exposure(tmp_path):
    study = load_study(write_study(simulate(DATA, n=6000, seed=5, null=True), tmp_path / "s", source=DATA))
    students = study.population("all").frame
    exposure = students[[scale.key for scale in study.codebook.scales_with("exposure")]].mean(axis=1)
    outcomes = [
        scale.key for role in ("environment", "mindset") for scale in study.codebook.scales_with(role)
    ]
    # 4 standard errors of a correlation of zero at n = 5,800
    assert students[outcomes].corrwith(exposure).abs().max() < 4 / np.sqrt(5800)
    assert students["grade_math_or_ela"].corr(students["grade_prior"]) > 0.5
    assert exposure.corr(students["hq_exchange"]) > 0.6


def test_a_planted_finding_is_in_an_otherwise_null_study(tmp_path):
    simulated = simulate(DATA, n=6000, seed=5, null=True, plant="1a-1")
    study = load_study(write_study(simulated, tmp_path / "s", source=DATA))
    students = study.population("all").frame
    exposure = students[[scale.key for scale in study.codebook.scales_with("exposure")]].mean(axis=1)
    assert students["env_peer_support"].corr(exposure) > 0.5
    focal, reference = (study.population(name).frame["hq_respectful"] for name in ("focal", "reference"))
    assert abs(focal.mean() - reference.mean()) < 4 * students["hq_respectful"].std() * np.sqrt(
        1 / 2600 + 1 / 1400
    )


def test_every_parameter_says_where_it_is_from():
    content, faults = read_yaml(DATA / "population.yml")
    entries = parameters(content)
    assert not faults and len(entries) > 50
    for name, entry in entries:
        assert ("published" in entry) != ("assumed" in entry), name
        assert entry.get("assumed", "x") and set(entry.get("published", {"exhibit": 1, "line": 1})) == {
            "exhibit",
            "line",
        }


def test_an_unmarked_parameter_is_refused(tmp_path):
    (tmp_path / "population.yml").write_text("a: {b: {value: 1}}\n")
    with pytest.raises(StudyError, match=r"1 parameters .* neither or both published and assumed: a\.b"):
        load_population(tmp_path / "population.yml")


def test_nullified_keeps_loadings_and_leaves_the_truth_alone():
    truth = load_population(DATA / "population.yml")
    null = nullified(truth)
    assert set(null["paths"]["total"].values()) == {0.0} and truth["paths"]["total"]["ms_social_se"] > 0
    assert null["exposure"]["loadings"] == truth["exposure"]["loadings"]
    assert null["exposure"]["class_icc"] == 0 and truth["exposure"]["class_icc"] > 0


def test_every_finding_that_a_rule_decides_can_be_planted_and_others_are_refused_by_name():
    truth, rules = (load_population(DATA / "population.yml"), load_study(DATA).rules)
    plants = truth["null_study"]["plants"]
    assert set(plants) == {key for key, rule in rules.items() if not rule.undecidable}
    for finding, kept in plants.items():
        zeroed = set(truth["null_study"]["zeroed"]) - set(kept)
        assert planted(truth, finding) == nullified(truth, keep=tuple(kept)) and len(zeroed) + len(
            kept
        ) == len(truth["null_study"]["zeroed"]), finding
    with pytest.raises(
        StudyError, match=rf"'1b-s4' needs .* {len(plants)} can be planted: 1a-1, 1a-2, .*, 3c-s1$"
    ):
        planted(truth, "1b-s4")


@pytest.mark.parametrize(("n", "message"), [(50, "50 students are too few")])
def test_too_small_a_study_is_refused(n, message):
    with pytest.raises(StudyError, match=message):
        simulate(DATA, n=n, seed=1)


def test_a_study_is_never_written_over_another(tmp_path):
    (tmp_path / "x.csv").write_text("x")
    with pytest.raises(StudyError, match="is not empty"):
        write_study(simulate(DATA, n=300, seed=1), tmp_path, source=DATA)
    with pytest.raises(StudyError, match="is not empty"):
        simulate_parts(DATA, tmp_path, n=1000, seed=1)


def test_parts_are_a_study_and_do_not_depend_on_each_other(tmp_path):
    folder = simulate_parts(DATA, tmp_path / "parts", n=2400, seed=11, part_size=1200)
    study = load_study(folder)
    assert len(study.students) == 2400 and study.students["student_id"].is_unique and study.teachers is None
    again = simulate_parts(DATA, tmp_path / "again", n=2400, seed=11, part_size=1200)
    for name in ("part-00000.parquet", "part-00001.parquet"):
        assert (folder / "students" / name).read_bytes() == (again / "students" / name).read_bytes()
    first = pd.read_parquet(folder / "students/part-00000.parquet")
    assert not first["grade_prior"].equals(
        pd.read_parquet(folder / "students/part-00001.parquet")["grade_prior"]
    )


def test_apportioned_numbers_sum_to_the_total():
    # known by construction: Hamilton's method on 10 seats
    assert apportion(np.array([0.47, 0.33, 0.20]), 10).tolist() == [5, 3, 2]
    assert apportion(np.array([1, 1, 1]), 10).sum() == 10


def test_an_exchange_keeps_every_margin_of_its_cells():
    table = pd.DataFrame({"cell": list("aabb"), "x": [1, 2, 3, 4], "y": [5, 6, 7, 8]})
    changed = exchange(table, [(0, 1)], ("x",))
    assert changed["x"].tolist() == [2, 1, 3, 4] and changed["y"].tolist() == [5, 6, 7, 8]


def test_answers_are_exchanged_until_the_value_is_reached():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {"cell": rng.integers(0, 5, 500), "x": rng.normal(size=500), "y": rng.normal(size=500)}
    )

    def correlation(one: pd.DataFrame) -> float:
        return float(one["x"].corr(one["y"]))

    def move(one: pd.DataFrame) -> Move:
        return Move(("x",), one["x"].to_numpy(), one["y"].to_numpy(), np.ones(500, dtype=bool))

    moved = move_to(
        table, cells=["cell"], measure=correlation, prepare=move, target=0.3, tolerance=0.001, seed=1
    )
    assert abs(correlation(moved.table) - 0.3) <= 0.001 and moved.n_pairs > 0
    for cell, rows in table.groupby("cell"):
        assert sorted(rows["x"]) == sorted(moved.table.loc[table["cell"] == cell, "x"])
    pairs, gain = choose_pairs(table, move(table), cells=["cell"], gain=5.0, rng=np.random.default_rng(1))
    assert 0 < gain <= 5.0 and len({row for pair in pairs for row in pair}) == 2 * len(pairs)


def test_init_writes_a_codebook_that_its_own_files_keep(tmp_path):
    for name in ("students.csv", "teachers.csv", "excerpts.csv"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    path = init_study(tmp_path)
    assert [fault for fault in check_study(tmp_path) if fault.severity != "warning"] == []
    text = path.read_text()
    assert (
        text.count("# guess") > 50
        and "hq_exchange_scale:" in text
        and 'student_id: {label: "Student id"' in text
    )
    with pytest.raises(StudyError, match="already holds a codebook.yml"):
        init_study(tmp_path)


@pytest.mark.parametrize(
    ("source", "guesses"),
    [
        ("bfi/answers.tsv", ['delimiter: "\\t"', 'missing_codes: ["NA"]', "items: [A1, A2, A3, A4, A5]"]),
        ("holzinger_swineford/tests.csv", ['delimiter: ";", encoding: "utf-8", decimal: ","', "x1: {"]),
    ],
)
def test_init_guesses_dialect_and_missing_words(tmp_path, source, guesses):
    (tmp_path / Path(source).name).write_bytes((DATA.parent / "tests/studies" / source).read_bytes())
    text = init_study(tmp_path).read_text()
    assert [guess for guess in guesses if guess not in text] == []
    assert [fault for fault in check_study(tmp_path) if fault.severity != "warning"] == []


def test_init_refuses_a_folder_without_tables(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"")
    with pytest.raises(StudyError, match="holds 0 tables"):
        init_study(tmp_path)
