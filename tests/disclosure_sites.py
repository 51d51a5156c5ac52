"""Small finished sites for the tests of the audit: clean ones from made-up students, and leaks planted in them.

``clean_site`` writes what the report writes (pages, charts, filters, downloads, a search index), every
number protected. Each entry of ``PLANTS`` puts one kind of leak into such a site.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib.analysis.estimates import estimates
from lib.disclosure.complementary import protect
from lib.disclosure.counts import linked_counts
from lib.disclosure.gate import release
from lib.disclosure.lattice import choose_lattice
from tests.disclosure_studies import SHARES, random_students, study_of

K = 10
FEWER, PROTECT = "not shown: fewer than 10 students", "not shown to protect another group"
FREE = ("race", "gender", "school")
PARTS = ("tables", "charts", "filters")


@dataclass
class Site:
    """Files of a site and the study behind it."""

    files: dict[str, bytes]
    study: object
    counts: dict[tuple[str, str], dict[frozenset, object]] = field(default_factory=dict)
    states: list[dict] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        for name, raw in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        return folder

    def add_to(self, name: str, text: str) -> None:
        self.files[name] = self.files[name].replace(b"</main>", text.encode() + b"</main>")


def page(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title><link rel="stylesheet" href="site.css"></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    ).encode()


def clean_site(seed: int, *, n: int = 0, parts: tuple[str, ...] = PARTS) -> Site:
    """A site without leaks, from students drawn by the seed; ``parts`` are the kinds of file it has."""
    rng = np.random.default_rng(seed)
    students = with_answers(random_students(seed, n or int(rng.integers(300, 900))), seed)
    study = study_of(students)
    site = Site({"index.html": page("Learning with others", prose(len(students)))}, study)
    if "tables" in parts:
        tables = "".join(
            count_table(site, columns) for columns in (("race", "school"), ("race", "grade_level"))
        )
        site.files["tables.html"] = page("Who took part", tables)
    if "charts" in parts:
        rows = result_rows(students)
        site.files["chart.html"] = page("Relations", chart(rows))
        site.files["downloads/estimates.csv"] = release(rows, study).rows.to_csv(index=False).encode()
        site.files["plot.png"] = png()
    if "filters" in parts:
        site.states = filter_states(study)
        site.files["filter.html"] = page("Subgroups", cube(site.states))
    site.files["search.js"] = b"window.lwoIndex = " + json.dumps(search_index()).encode() + b";"
    return site


def with_answers(students: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed + 10_000)
    answers = {f"env_peer_support_{i}": rng.integers(1, 5, len(students)).astype(float) for i in (1, 2, 3)}
    grades = {"grade_math_or_ela": rng.normal(78, 9, len(students)).round(1)}
    ids = [f"S{number:04d}" for number in rng.permutation(9000)[: len(students)]]
    return students.assign(student_id=ids, **answers, **grades)


def prose(n: int) -> str:
    return (
        f"<p>In all, {n} students in 4 schools took part; 138 teachers answered too. Students work in groups of 4 students "
        "at least 2 times a month. In 5 of 8 focus groups they said so (20 remarks). Groups of fewer than 10 students are "
        f'not shown. The association is <data class="num" value="0.69"><a href="#r1">0.69</a></data> (0.65 to 0.73), '
        "p &lt; .001, "
        f"n = {n // 10 * 10}. Of Grade 9 students, 46% work together weekly.</p>"
    )


def count_table(site: Site, columns: tuple[str, str]) -> str:
    """A protected count table with margins, as HTML."""
    students = site.study.students[list(columns)]
    linked = linked_counts(students, [columns])
    already = {key: value for seen in site.counts.values() for key, value in seen.items()}
    small = (linked.counts < K) | [isinstance(already.get(key), str) for key in linked.keys]
    shown = np.array([isinstance(already.get(key), int) for key in linked.keys])
    found = protect(linked, primary=np.array(small), k=K, always_shown=shown)
    entries: dict[frozenset, object] = {}
    for key, count, hidden in zip(linked.keys, linked.counts, found.hidden, strict=True):
        entries[key] = int(count) if not hidden else FEWER if count < K and found.worded_apart else PROTECT
    site.counts[columns] = entries
    return html_counts(entries, columns)


def html_counts(entries: dict, columns: tuple[str, str], across: list[str] | None = None) -> str:
    rows, every = (list(SHARES[column]) for column in columns)
    across = every + [""] if across is None else across
    head = "".join(f'<th scope="col">{label or "All"}</th>' for label in across)
    lines = ""
    for row in [*rows, ""]:
        cells = ""
        for column in across:
            key = frozenset(pair for pair in ((columns[0], row), (columns[1], column)) if pair[1])
            cells += f"<td>{entries.get(key, 0)}</td>"
        lines += f'<tr><th scope="row">{row or "All"}</th>{cells}</tr>'
    return (
        f"<table><caption>Number of students by {columns[0]} and {columns[1]}</caption>"
        f"<thead><tr><th>{columns[0]}</th>{head}</tr></thead><tbody>{lines}</tbody></table>"
    )


def result_rows(students: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for population, level in (("all", None), ("black", "black"), ("white", "white")):
        inside = students if level is None else students[students["race"] == level]
        for term in ("grade_math_or_ela",):
            rows.append(
                {
                    "model": "mean", "estimator": "mean", "population": population, "term": term, "unit": "points",
                    "estimate": inside[term].mean(), "std_error": inside[term].std() / len(inside) ** 0.5,
                    "n_obs": len(inside),
                }
            )  # fmt: skip
    return estimates(rows)


def chart(rows: pd.DataFrame) -> str:
    spec = {
        "mark": "bar",
        "data": {"values": rows[["population", "estimate", "n_obs"]].round(3).to_dict("records")},
    }
    data = {"rows": {row: {"what": "Grades", "n": "870", "model": "mean"} for row in rows["row_id"]}}
    return (
        '<figure><svg viewBox="0 0 720 400" aria-label="Grades of all, Black and White students"><title>Grades</title>'
        '<path d="M153.33333333333331,20.5L200.125,30"/></svg></figure>'
        f'<script type="application/json" id="spec">{json.dumps(spec)}</script>'
        f'<script type="application/json" id="page-data">{json.dumps(data)}</script>'
    )


def filter_states(study) -> list[dict]:
    lattice = choose_lattice(study, columns=FREE, max_depth=2, chapters=[])
    made = []
    for state, shown, students in zip(lattice.states, lattice.published, lattice.students, strict=True):
        levels = dict(state)
        n = int(students[0]) if shown else None
        mean = round(float(np.sin(students[0])) + 78, 3) if shown else None
        made.append({**{column: levels.get(column, "All") for column in FREE}, "n": n, "estimate": mean})
    return made


def cube(states: list[dict]) -> str:
    columnar = {name: [state[name] for state in states] for name in states[0]}
    return f'<script type="application/json" id="cube">{json.dumps({"cube": columnar})}</script>'


def search_index() -> list[dict]:
    words = "High-quality collaboration goes with a supportive classroom and with students' mind-sets."
    return [
        {"id": i, "title": f"Section {i}", "text": words, "href": f"c.html#s{i}", "page": f"p{i % 4}"}
        for i in range(40)
    ]


def png(chunks: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*one) for one in chunks) + body


Plant = Callable[[Site, np.random.Generator], None]


def raw_rows(site: Site, rng: np.random.Generator, *, ids: bool = False, n: int = 40) -> list[dict]:
    columns = ["race", "school", "env_peer_support_1", "env_peer_support_2", "grade_math_or_ela"]
    rows = site.study.students[(["student_id"] if ids else []) + columns]
    return rows.sample(n, random_state=int(rng.integers(1 << 30))).to_dict("records")


def one_id(site: Site, rng: np.random.Generator) -> str:
    return str(rng.choice(site.study.students["student_id"]))


def raw_csv(site: Site, rng: np.random.Generator, **more) -> str:
    return pd.DataFrame(raw_rows(site, rng, **more)).to_csv(index=False)


def script(value: object) -> str:
    return f'<script type="application/json">{json.dumps(value)}</script>'


def attribute(text: str) -> str:
    return html.escape(text, quote=True)


def chart_on_raw_rows(site, rng):
    site.add_to("chart.html", script({"mark": "bar", "data": {"values": raw_rows(site, rng)}}))


def unused_column(site, rng):
    values = [
        {"x": i, "y": i * 0.37, "student_id": row["student_id"]}
        for i, row in enumerate(raw_rows(site, rng, ids=True))
    ]
    site.add_to("chart.html", script({"data": {"values": values}, "encoding": {"x": {"field": "x"}}}))


def data_frame_shown(site, rng):
    site.add_to("tables.html", pd.DataFrame(raw_rows(site, rng)).to_html())


def widget_state(site, rng):
    state = {
        "m1": {
            "model_name": "AnyModel",
            "state": {"frame": pd.DataFrame(raw_rows(site, rng)).to_dict("list")},
        }
    }
    site.add_to(
        "filter.html",
        f'<script type="application/vnd.jupyter.widget-state+json">{json.dumps(state)}</script>',
    )


def traceback_shown(site, rng):
    site.add_to(
        "index.html",
        '<pre>Traceback (most recent call last):\n  File "x.py", line 3, in f\nValueError: 3.5</pre>',
    )


def log_line(site, rng):
    site.files["build.txt"] = b"2026-03-01 10:00:01 INFO papermill Executing cell 4\n"


def log_file(site, rng):
    site.files["run.log"] = b"done\n"


def svg_title(site, rng):
    site.add_to("chart.html", f"<svg><circle r='2'><title>{one_id(site, rng)}: 3.5</title></circle></svg>")


def png_text(site, rng):
    site.files["plot.png"] = png(((b"tEXt", b"Comment\0row of " + one_id(site, rng).encode()),))


def png_packed_text(site, rng):
    site.files["plot.png"] = png(((b"zTXt", b"data\0\0" + zlib.compress(raw_csv(site, rng).encode())),))


def download_of_rows(site, rng):
    site.files["downloads/students.csv"] = raw_csv(site, rng, ids=True).encode()


def download_without_ids(site, rng):
    site.files["downloads/extract.csv"] = raw_csv(site, rng).encode()


def stored_output(site, rng):
    output = {
        "output_type": "execute_result",
        "data": {"text/html": pd.DataFrame(raw_rows(site, rng)).to_html()},
    }
    notebook = {"cells": [{"cell_type": "code", "source": ["students"], "outputs": [output]}], "nbformat": 4}
    site.files["notebooks/rq1.ipynb"] = json.dumps(notebook).encode()


def papermill_metadata(site, rng):
    notebook = {
        "cells": [],
        "metadata": {"papermill": {"input_path": str(Path("/", "home", "anna/lwo/chapters/rq1.ipynb"))}},
        "nbformat": 4,
    }
    site.files["notebooks/rq1.ipynb"] = json.dumps(notebook).encode()


def absolute_path(site, rng):
    site.add_to("index.html", "<!-- built in /Users/anna/report/_build -->")


def data_attribute(site, rng):
    site.add_to("chart.html", f'<div data-rows="{attribute(json.dumps(raw_rows(site, rng)))}"></div>')


def base64_csv(site, rng):
    packed = base64.b64encode(raw_csv(site, rng, ids=True).encode()).decode()
    site.add_to("chart.html", f'<a download="x" href="data:text/csv;base64,{packed}">CSV</a>')


def gzipped_json(site, rng):
    site.files["data/cube.bin"] = gzip.compress(json.dumps(raw_rows(site, rng)).encode())


def base64_gzip(site, rng):
    packed = base64.b64encode(gzip.compress(json.dumps(raw_rows(site, rng)).encode())).decode()
    site.files["search.js"] += f'\nvar cube = "{packed}";'.encode()


def parquet_download(site, rng):
    buffer = io.BytesIO()
    pd.DataFrame(raw_rows(site, rng, ids=True)).to_parquet(buffer)
    site.files["downloads/table.parquet"] = buffer.getvalue()


def zipped_workbook(site, rng):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/sheet.csv", raw_csv(site, rng))
    site.files["downloads/all.zip"] = buffer.getvalue()


def search_index_rows(site, rng):
    text = " ".join(f"{row['student_id']} {row['race']}" for row in raw_rows(site, rng, ids=True))
    site.files["search.js"] += (
        f"\nwindow.more = {json.dumps([{'title': 'x', 'text': text}, {'title': 'y', 'text': ''}])};".encode()
    )


def aria_label(site, rng):
    site.add_to("chart.html", f'<svg aria-label="Point {one_id(site, rng)}"></svg>')


def error_with_value(site, rng):
    site.add_to(
        "index.html", f"<p>env_peer_support_3 is out of range for student no. {one_id(site, rng)[1:]}</p>"
    )


def script_literal(site, rng):
    site.files["search.js"] += f"\nconst points = {json.dumps(raw_rows(site, rng))};".encode()


def json_in_string(site, rng):
    site.add_to("filter.html", script({"state": json.dumps({"rows": raw_rows(site, rng)}), "more": 1}))


def column_of_answers(site, rng):
    site.add_to("filter.html", script({"q": site.study.students["env_peer_support_1"].tolist()}))


def source_map(site, rng):
    site.files["site.js.map"] = json.dumps(
        {"version": 3, "sources": [str(Path("/", "root", "app/site.js"))], "mappings": ""}
    ).encode()


def style_comment(site, rng):
    site.files["site.css"] = b"/* from C:\\Users\\anna\\theme.css */ body{margin:0}"


def residuals(site, rng):
    site.add_to("chart.html", script({"fit": {"residuals": rng.normal(size=60).round(4).tolist()}, "n": 60}))


def meta_tag(site, rng):
    site.files["index.html"] = site.files["index.html"].replace(
        b"<head>", f'<head><meta name="x" content="{one_id(site, rng)}">'.encode()
    )


def hidden_row_with_number(site, rng):
    rows = pd.read_csv(io.BytesIO(site.files["downloads/estimates.csv"]), dtype=object)
    rows.loc[0, ["status", "status_reason"]] = ["too_few", FEWER]
    site.files["downloads/estimates.csv"] = rows.to_csv(index=False).encode()


KINDS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        chart_on_raw_rows, unused_column, data_frame_shown, widget_state, traceback_shown, log_line, log_file, svg_title,
        png_text, png_packed_text, download_of_rows, download_without_ids, stored_output, papermill_metadata, absolute_path,
        data_attribute, base64_csv, gzipped_json, base64_gzip, parquet_download, zipped_workbook, search_index_rows,
        aria_label, error_with_value, script_literal, json_in_string, column_of_answers, source_map, style_comment,
        residuals, meta_tag, hidden_row_with_number,
    )
}  # fmt: skip


def small_cell_in_table(site, rng):
    columns = ("race", "school")
    entries = dict(site.counts[columns])
    cells = [key for key, value in entries.items() if len(key) == 2]
    entries[cells[int(rng.integers(len(cells)))]] = int(rng.integers(1, K))
    site.files["tables.html"] = page("Who took part", html_counts(entries, columns))


def small_cell_in_prose(site, rng):
    words = rng.choice(["Black students in School 4", "students of two races", "teachers", "White students"])
    site.add_to("index.html", f"<p>Of these, {int(rng.integers(1, K))} {words} said so.</p>")


def small_n_in_chart(site, rng):
    values = [
        {"population": "black", "estimate": 2.5, "n": 214},
        {"population": "asian", "estimate": 2.1, "n": int(rng.integers(1, K))},
    ]
    site.add_to("chart.html", script({"data": {"values": values}}))


def small_n_in_download(site, rng):
    rows = pd.read_csv(io.BytesIO(site.files["downloads/estimates.csv"]), dtype=object)
    rows.loc[len(rows) - 1, "n_obs"] = int(rng.integers(1, K))
    site.files["downloads/estimates.csv"] = rows.to_csv(index=False).encode()


def small_share_in_download(site, rng):
    rows = pd.read_csv(io.BytesIO(site.files["downloads/estimates.csv"]), dtype=object)
    n = int(rng.integers(20, 200))
    rows.loc[0, ["unit", "n_obs", "estimate"]] = ["percent", n, round(100 * int(rng.integers(1, 3)) / n, 3)]
    site.files["downloads/estimates.csv"] = rows.to_csv(index=False).encode()


def true_entries(site: Site, columns: tuple[str, ...]) -> dict[frozenset, int]:
    linked = linked_counts(site.study.students[list(columns)], [columns])
    return dict(zip(linked.keys, map(int, linked.counts), strict=True))


def primary_only(site, rng):
    """A table that hides its small cells and nothing beside them."""
    columns = ("race", "school")
    entries = {k: v if v >= K else FEWER for k, v in lone_small_cell(site, rng, columns).items()}
    site.files["tables.html"] = page("Who took part", html_counts(entries, columns))


def lone_small_cell(site: Site, rng: np.random.Generator, columns: tuple[str, str]) -> dict[frozenset, int]:
    """True counts where one inner cell alone is small, by moving students of the made-up study."""
    entries = {key: value for key, value in true_entries(site, columns).items() if len(key) == 2}
    entries = {key: max(value, K + 4 + int(rng.integers(0, 9))) for key, value in entries.items()}
    entries[list(entries)[int(rng.integers(len(entries)))]] = int(rng.integers(1, K))
    for column in columns:
        for level in SHARES[column]:
            entries[frozenset({(column, level)})] = sum(
                v for k, v in entries.items() if len(k) == 2 and (column, level) in k
            )
    entries[frozenset()] = sum(value for key, value in entries.items() if len(key) == 2)
    return entries


def across_two_tables(site, rng):
    """A table that protects its small cell by three others, and one elsewhere that prints one of the three."""
    columns = ("race", "school")
    entries = lone_small_cell(site, rng, columns)
    small = next(key for key, value in entries.items() if len(key) == 2 and value < K)
    race, school = dict(small)["race"], dict(small)["school"]
    other_race = str(rng.choice([level for level in SHARES["race"] if level != race]))
    other_school = str(rng.choice([level for level in SHARES["school"] if level != school]))
    corners = [
        frozenset({("race", r), ("school", s)}) for r in (race, other_race) for s in (school, other_school)
    ]
    first = {**entries, **dict.fromkeys(corners, PROTECT), small: FEWER}
    site.files["tables.html"] = page("Who took part", html_counts(first, columns))
    site.files["more.html"] = page("One school", html_counts(entries, columns, across=[other_school]))


def across_filter_states(site, rng):
    """One state more than the chooser allows: its rest, or a sum of states, is a small group."""
    students = site.study.students
    states = [dict(state) for state in site.states]
    order = rng.permutation(len(SHARES["race"]) * len(SHARES["school"]))
    pairs = [(race, school) for race in SHARES["race"] for school in SHARES["school"]]
    race, school = pairs[order[0]]
    inside = (students["race"] == race) & (students["school"] == school)
    n, part = int(inside.sum()) + 40, int(rng.integers(1, K))
    add = [
        {"race": race, "gender": "All", "school": school, "n": n, "estimate": 71.3},
        {"race": race, "gender": "female", "school": school, "n": n - part, "estimate": 71.1},
        {"race": race, "gender": "male", "school": school, "n": None, "estimate": None},
    ]
    site.files["filter.html"] = page(
        "Subgroups",
        cube(
            [
                {**one, "n": one["n"]}
                for one in add + [s for s in states if s["race"] == "All" and s["gender"] == "All"]
            ]
        ),
    )


def sum_of_states(site, rng):
    """Four states of which no pair differs by few, and whose sum does."""
    small = int(rng.integers(1, K))
    a, b, c = (int(value) for value in rng.integers(25, 200, 3))
    female, male = a + c, b + small
    states = [
        {"race": "All", "gender": "All", "school": "All", "n": a + b + c + small, "estimate": 70.0},
        {"race": "black", "gender": "All", "school": "All", "n": a + b, "estimate": 70.0},
        {"race": "All", "gender": "female", "school": "All", "n": female, "estimate": 70.0},
        {"race": "black", "gender": "female", "school": "All", "n": a, "estimate": 70.0},
        {"race": "white", "gender": "male", "school": "All", "n": None, "estimate": None},
        {
            "race": "All",
            "gender": "male",
            "school": "All",
            "n": male if male >= K else None,
            "estimate": 70.0,
        },
        {"race": "All", "gender": "All", "school": "school_1", "n": a + b - 3, "estimate": 70.0},
        {"race": "All", "gender": "All", "school": "school_2", "n": c + small + 3, "estimate": 70.0},
    ]
    site.files["filter.html"] = page("Subgroups", cube(states))


def across_releases(site, rng):
    """A state of this release differs by few from one of an earlier release (``site.released``)."""
    students = site.study.students
    sizes = students.groupby(["race", "school"]).size()
    race, school = rng.choice(sizes[sizes >= 2 * K].index.to_list())
    inside = students.index[(students["race"] == race) & (students["school"] == school)]
    few = int(rng.integers(1, K))
    other = str(rng.choice(list(SHARES["gender"])))
    own = next(gender for gender in SHARES["gender"] if gender != other)
    students.loc[inside, "gender"] = [own] * few + [other] * (len(inside) - few)
    site.released = [{"race": [str(race)], "school": [str(school)]}]
    rest = len(inside) - few
    state = {"race": str(race), "gender": other, "school": str(school), "n": rest, "estimate": 70.0}
    keep = [
        one for one in site.states if one["n"] is not None and one["race"] == "All" and one["gender"] == "All"
    ]
    site.files["filter.html"] = page("Subgroups", cube([*keep, state]))
    site.files.pop("downloads/estimates.csv", None)


NEEDS = {"small_cell_in_prose": (), "small_n_in_chart": ("charts",), "small_n_in_download": ("charts",),
         "small_share_in_download": ("charts",), "across_filter_states": ("filters",), "sum_of_states": ("filters",),
         "across_releases": ("filters",)}  # fmt: skip

COUNTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        small_cell_in_table, small_cell_in_prose, small_n_in_chart, small_n_in_download, small_share_in_download,
        primary_only, across_two_tables, across_filter_states, sum_of_states, across_releases,
    )
}  # fmt: skip
