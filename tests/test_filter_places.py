"""What takes a row's place in a view: the same result of other students, or nothing; never another result."""

from __future__ import annotations

import pytest

from lib.report.filter_places import places
from lib.show.marks import row_anchor

WILSON, CLASSES, GIVEN = "Wilson interval", "least squares", "least squares, given school"


def key(name: str, estimator: str, gap: str = "") -> dict:
    return {"key": name, "estimator": estimator} | ({"gap": gap} if gap else {})


CONTENT = {
    "dims": [
        {"name": "race", "values": ["", "black", "white"]},
        {"name": "subject", "values": ["", "math", "ela+none"]},
    ],
    "keys": [
        key("share||often", WILSON, CLASSES), key("share||often|Newcombe", "Newcombe", "Newcombe"),
        key("direct||grade", "SEM", "SEM"), key("adjusted mean||respect", CLASSES, CLASSES),
        key("adjusted mean equivalence|hedges_g|respect", CLASSES, CLASSES),
    ],
    "populations": {"all": {}, "black": {"race": "black"}, "white": {"race": "white"}},
}  # fmt: skip
SUBJECTS = "subject=ela & subject=math"


def row(term: str, model: str, **given: str) -> dict:
    about = {"population": "all", "group": "", "contrast": "", "estimator": "", "exhibit": ""} | given
    named = "|".join([model, *about.values(), term])
    return about | {"row_id": named, "term": term, "model": model}


def place(one: dict, home: dict | None = None, beside: tuple[dict, ...] = ()) -> object:
    mark = {"kind": "table", "label": "tbl-x", "rows": [one, *beside]}
    found = places({"cube": CONTENT, "home": home or {}}, [mark])
    anchor = row_anchor(one["row_id"])
    return found.get(f"tbl-x {anchor}", found.get(anchor))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row("often", "share", estimator=WILSON), "share||often"),
        (row("often", "share", estimator=WILSON, population=""), "="),
        (row("often", "share", estimator=WILSON, population="white"), "="),
        (row("often", "share", estimator="another"), None),
        (row("rare", "share", estimator=WILSON), None),
        (
            row("often", "share", estimator=WILSON, group="subject=ela"),
            {"key": "share||often", "of": {"subject": "ela+none"}},
        ),
        (row("often", "share", estimator=WILSON, group="school=one"), None),
        (
            row("often", "share", estimator=CLASSES, group=SUBJECTS, contrast="difference"),
            {"key": "share||often", "of": {"subject": "ela+none"}, "less": {"subject": "math"}},
        ),
        (
            row("often", "share", estimator="Newcombe", group=SUBJECTS, contrast="difference"),
            {"key": "share||often|Newcombe", "of": {"subject": "ela+none"}, "less": {"subject": "math"}},
        ),
        (row("often", "share", estimator="Fisher", group=SUBJECTS, contrast="difference"), None),
        (
            row("respect", "mean rating", estimator=GIVEN, group=SUBJECTS, contrast="difference"),
            {"key": "adjusted mean||respect", "of": {"subject": "ela+none"}, "less": {"subject": "math"}},
        ),
        (
            row("respect", "mean rating equivalence", estimator=GIVEN, group=SUBJECTS, contrast="difference"),
            {
                "key": "adjusted mean equivalence|hedges_g|respect",
                "of": {"subject": "ela+none"},
                "less": {"subject": "math"},
            },
        ),
        (
            row(
                "respect", "mean rating equivalence", estimator=CLASSES, group=SUBJECTS, contrast="difference"
            ),
            None,
        ),
    ],
)
def test_a_row_gives_way_to_the_same_result_or_to_none(given, expected):
    assert place(given) == expected


def test_a_page_of_two_groups_has_a_place_for_each_and_for_their_difference():
    home = {"race": "black", "vs": "white"}
    assert place(row("grade", "direct", population="black", estimator="SEM of both"), home) == "direct||grade"
    assert (
        place(row("grade", "direct", population="white", estimator="SEM of both"), home) == "b:direct||grade"
    )
    gap = row(
        "grade", "direct", population="black", group="white", contrast="difference", estimator="of both"
    )
    assert place(gap, home) == "gap:direct||grade"


def test_where_a_table_sets_estimators_side_by_side_each_gives_way_to_its_own_only():
    home = {"race": "black", "vs": "white"}
    about = {"population": "black", "group": "white", "contrast": "difference"}
    by_class, alone = (row("grade", "direct", estimator=way, **about) for way in ("SEM by class", "SEM"))
    assert place(by_class, home, (alone,)) == "" and place(alone, home, (by_class,)) == "gap:direct||grade"
    assert place(by_class, home) == "gap:direct||grade"
