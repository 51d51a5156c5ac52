"""Faults seeded into a small copy of the shipped study: what is done to it, and what must be said.

Each entry of ``FAULTS``: name, what is done to the folder, the file, column and rule that the message must
name, and how many rows or entries it must count (None where the number is not the point).
"""

# ruff: noqa: E501 - one fault a line reads as the table it is
from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

SECRET = "zq77"  # stands for a student's value; no message may repeat it
ITEM, OTHER_ITEM = "hq_exchange_2", "ms_mastery_1"


def edit_table(folder: Path, change, name: str = "students.csv") -> None:
    """Apply a change to a table of text cells and write it back."""
    table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    changed = change(table)
    (table if changed is None else changed).to_csv(folder / name, index=False)


def edit_codebook(folder: Path, change) -> None:
    """Apply a change to the codebook as a mapping and write it back."""
    codebook = yaml.safe_load((folder / "codebook.yml").read_text())
    change(codebook)
    (folder / "codebook.yml").write_text(yaml.safe_dump(codebook, sort_keys=False))


def cells(column: str, value: str, count: int, name: str = "students.csv"):
    """Write a value into the first rows that hold an answer in a column."""

    def change(table):
        rows = table.index[table[column] != ""][:count]
        table.loc[rows, column] = value

    return lambda folder: edit_table(folder, change, name)


def column(name: str, value: str, file: str = "students.csv"):
    """Write one value into every row of a column."""
    return lambda folder: edit_table(folder, lambda table: table.__setitem__(name, value), file)


def entry(*path, to):
    """Set an entry of the codebook, named by its keys."""

    def change(codebook):
        for key in path[:-1]:
            codebook = codebook[key]
        codebook[path[-1]] = to

    return lambda folder: edit_codebook(folder, change)


def without(*path):
    """Remove an entry of the codebook, named by its keys."""

    def change(codebook):
        for key in path[:-1]:
            codebook = codebook[key]
        del codebook[path[-1]]

    return lambda folder: edit_codebook(folder, change)


def text(name: str, content: str | bytes):
    """Replace a whole file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def prefix(name: str, content: str):
    """Put a line before a file."""
    return lambda folder: (folder / name).write_text(content + (folder / name).read_text())


def renamed(old: str, new: str):
    return lambda folder: edit_table(folder, lambda table: table.rename(columns={old: new}))


def link(folder: Path) -> None:
    target = folder.parent / "elsewhere.csv"
    (folder / "students.csv").rename(target)
    (folder / "students.csv").symlink_to(target)


def parquet(folder: Path, *, cut: int | None = None) -> None:
    table = pd.read_csv(folder / "students.csv", dtype=str)
    table.to_parquet(folder / "students.parquet")
    if cut:
        whole = (folder / "students.parquet").read_bytes()
        (folder / "students.parquet").write_bytes(whole[: len(whole) // cut])
    entry("files", "students", to="students.parquet")(folder)


def parts(folder: Path, *, change=None, count: int = 2) -> None:
    table = pd.read_csv(folder / "students.csv", dtype=str)
    (folder / "parts").mkdir()
    for number in range(count):
        part = table.iloc[number::count]
        part = change(part) if change and number else part
        part.to_parquet(folder / "parts" / f"{number}.parquet")
    entry("files", "students", to="parts")(folder)


def ragged(folder: Path) -> None:
    lines = (folder / "students.csv").read_text().splitlines()
    (folder / "students.csv").write_text(
        "\n".join([*lines[:5], lines[5] + ",1,2", lines[6] + ",3", *lines[7:]])
    )


def latin(folder: Path) -> None:
    content = (folder / "teachers.csv").read_text().replace("school_1", "école_1")
    (folder / "teachers.csv").write_bytes(content.encode("latin-1"))


def long_line(folder: Path) -> None:
    with (folder / "students.csv").open("a") as handle:
        handle.write("x" * 1_200_000 + "\n")


def twice(folder: Path) -> None:
    edit_table(folder, lambda table: pd.concat([table, table.iloc[:3]]))


def only(name: str, level: str):
    """Keep the rows that hold a level."""
    return lambda folder: edit_table(folder, lambda table: table[table[name] == level])


def copied_item(folder: Path) -> None:
    edit_table(folder, lambda table: table.__setitem__("hq_exchange_1", table["hq_exchange_2"]))


def silent_answers(folder: Path) -> None:
    edit_table(
        folder, lambda table: table.__setitem__("answered_survey", ["no"] * 4 + ["yes"] * (len(table) - 4))
    )


def split_class(folder: Path) -> None:
    def change(table):
        row = table.index[table["school"] == "school_1"][0]
        table.loc[row, "school"] = "school_2"

    edit_table(folder, change)


def decimal_commas(folder: Path) -> None:
    edit_table(
        folder, lambda table: table.__setitem__("grade_prior", table["grade_prior"].str.replace(".", ","))
    )


def semicolons(folder: Path) -> None:
    content = (folder / "students.csv").read_text().replace(",", ";")
    (folder / "students.csv").write_text(content)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
STUDENTS, TEACHERS, BOOK = "students.csv", "teachers.csv", "codebook.yml"

FAULTS = [
    # files
    ("no codebook", lambda f: (f / BOOK).unlink(), BOOK, "", "file present", 1),
    ("no students", lambda f: (f / STUDENTS).unlink(), STUDENTS, "", "file present", 1),
    ("no teachers", lambda f: (f / TEACHERS).unlink(), TEACHERS, "", "file present", 1),
    ("empty file", text(STUDENTS, ""), STUDENTS, "", "not empty", 1),
    ("header only", lambda f: edit_table(f, lambda t: t.iloc[:0]), STUDENTS, "", "not empty", 1),
    ("ragged rows", ragged, STUDENTS, "", "rows as wide as the header", 2),
    ("wrong encoding", latin, TEACHERS, "", "encoding", 1),
    ("semicolons undeclared", semicolons, STUDENTS, "", "delimiter", 1),
    ("tab declared", entry("files", "students", to={"path": STUDENTS, "delimiter": "\t"}), STUDENTS, "", "delimiter", 1),
    ("very long line", long_line, STUDENTS, "", "line length", 1),
    ("open quote", prefix(TEACHERS, '"'), TEACHERS, "", "quotes", 1),
    ("binary file", text(STUDENTS, b"PAR1" + b"\x15\x04" * 50), STUDENTS, "", "CSV", 1),
    ("column named twice", renamed("ell", "special_ed"), STUDENTS, "", "column names once", 1),
    ("truncated Parquet", lambda f: parquet(f, cut=2), "students.parquet", "", "Parquet", 1),
    ("Parquet that is none", lambda f: (parquet(f), (f / "students.parquet").write_text(SECRET)), "students.parquet", "", "Parquet", 1),
    ("empty folder of parts", lambda f: ((f / "parts").mkdir(), entry("files", "students", to="parts")(f)), "parts", "", "parts", 1),
    ("parts unlike", lambda f: parts(f, change=lambda p: p.drop(columns="ell")), "parts", "", "parts alike", 1),
    ("symbolic link", link, STUDENTS, "", "no links", 1),
    ("codebook a link", lambda f: ((f / BOOK).rename(f / "b.yml"), (f / BOOK).symlink_to(f / "b.yml")), BOOK, "", "plain file", 1),
    ("path with ..", entry("files", "students", to="../students.csv"), BOOK, "files.students", "codebook: pattern", 1),
    ("absolute path", entry("files", "students", to="/etc/passwd"), BOOK, "files.students", "codebook: pattern", 1),
    ("folder in place of a file", lambda f: ((f / TEACHERS).unlink(), (f / TEACHERS).mkdir()), TEACHERS, "", "parts", 1),
    # YAML
    ("not YAML", text(BOOK, "title: [open\n"), BOOK, "", "plain YAML", 1),
    ("YAML bomb", text(BOOK, BOMB), BOOK, "", "no aliases", 1),
    ("YAML tag", text(BOOK, "title: !!python/object/apply:os.system ['true']\n"), BOOK, "", "plain YAML", 1),
    ("YAML unknown tag", text(BOOK, "title: !x y\n"), BOOK, "", "plain YAML", 1),
    ("YAML list", text(BOOK, "- a\n- b\n"), BOOK, "", "mapping", 1),
    ("YAML empty", text(BOOK, ""), BOOK, "", "mapping", 1),
    ("YAML two documents", prefix(BOOK, "a: 1\n---\n"), BOOK, "", "plain YAML", 1),
    ("YAML key twice", prefix(BOOK, "title: One\n"), BOOK, "", "unique keys", 1),
    ("YAML nested deeply", text(BOOK, "a: " + "[" * 60 + "]" * 60), BOOK, "", "plain YAML", 1),
    ("YAML not UTF-8", text(BOOK, "title: école\n".encode("latin-1")), BOOK, "", "encoding", 1),
    ("YAML with tabs", text(BOOK, "title: x\nfiles:\n\tstudents: y\n"), BOOK, "", "plain YAML", 1),
    ("YAML too large", text(BOOK, "title: x\n#" + "x" * 2_100_000), BOOK, "", "size", 1),
    # codebook, structure
    ("no title", without("title"), BOOK, "title", "codebook: required", 1),
    ("no columns", without("columns"), BOOK, "columns", "codebook: required", 1),
    ("no students file", without("files", "students"), BOOK, "files.students", "codebook: required", 1),
    ("misspelt key", entry("tresholds", to={}), BOOK, "", "codebook: additionalProperties", 1),
    ("unknown role", entry("scales", "hq_exchange", "role", to="exposer"), BOOK, "scales.hq_exchange.role", "codebook: enum", 1),
    ("unknown type", entry("columns", "gender", "type", to="factor"), BOOK, "columns.gender.type", "codebook: enum", 1),
    ("synthetic not said", entry("synthetic", to="maybe"), BOOK, "synthetic", "codebook: type", 1),
    ("scale without items", entry("scales", "hq_exchange", "items", to=[]), BOOK, "scales.hq_exchange.items", "codebook: minItems", 1),
    ("formula in a label", entry("columns", "gender", "label", to="=cmd|' /C calc'!A0"), BOOK, "columns.gender.label", "codebook: pattern", 1),
    ("script in a label", entry("scales", "hq_exchange", "label", to="<script>x</script>"), BOOK, "scales.hq_exchange.label", "codebook: pattern", 1),
    ("markup in a level", entry("columns", "gender", "levels", "female", to="<b>Girls</b>"), BOOK, "columns.gender.levels.female", "codebook: pattern", 1),
    ("endless label", entry("title", to="x" * 400), BOOK, "title", "codebook: maxLength", 1),
    ("threshold is text", entry("thresholds", "alpha", to="five"), BOOK, "thresholds.alpha", "codebook: type", 1),
    ("k of 1", entry("disclosure", "k", to=1), BOOK, "disclosure.k", "codebook: minimum", 1),
    ("unknown encoding", entry("files", "students", to={"path": STUDENTS, "encoding": "ebcdic"}), BOOK, "files.students.encoding", "codebook: enum", 1),
    ("blank in a column name", entry("columns", "my column", to={"label": "x"}), BOOK, "columns", "codebook: pattern", 1),
    # codebook, references
    ("item in two scales", entry("scales", "hq_exchange", "items", to=["hq_exchange_1", "hq_exchange_2", "hq_inclusion_1"]), BOOK, "hq_inclusion_1", "codebook: item in one scale", 2),
    ("reversed item elsewhere", entry("scales", "hq_exchange", "reversed", to=["hq_inclusion_1"]), BOOK, "hq_exchange", "codebook: reversed items", 1),
    ("low above high", entry("scales", "hq_exchange", "low", to=9), BOOK, "hq_exchange", "codebook: low below high", 1),
    ("too many answers asked", entry("scales", "hq_exchange", "min_answered", to=40), BOOK, "hq_exchange", "codebook: min_answered", 1),
    ("unknown domain", entry("scales", "hq_exchange", "domain", to="dynamics"), BOOK, "hq_exchange", "codebook: domain", 1),
    ("missing code is an answer", entry("scales", "hq_exchange", "missing_codes", to=[4]), BOOK, "hq_exchange", "codebook: missing codes", 1),
    ("one key, two meanings", entry("scales", "gender", to={"label": "x", "role": "mindset", "items": ["gender_1"]}), BOOK, "gender", "codebook: one meaning", 2),
    ("two ids", entry("columns", "class_id", "role", to="id"), BOOK, "students", "codebook: one id", 2),
    ("no id", entry("columns", "student_id", "role", to="covariate"), BOOK, "students", "codebook: one id", 0),
    ("category without levels", without("columns", "gender", "levels"), STUDENTS, "gender", None, None),
    ("unknown population column", entry("populations", "black", "where", to={"rase": "black"}), BOOK, "populations.black", "codebook: column", 1),
    ("unknown population level", entry("populations", "black", "where", to={"race": "blck"}), BOOK, "populations.black", "codebook: level", 1),
    ("unknown focal group", entry("focal", to="blak"), BOOK, "focal", "codebook: population", 1),
    ("one group twice", entry("focal", to="white"), BOOK, "focal", "codebook: two groups", 1),
    ("unknown covariate", entry("covariate_sets", "C_ENV", to=["gendr"]), BOOK, "C_ENV", "codebook: covariates", 1),
    ("unknown mediator", entry("mediators", to=["personalisation"]), BOOK, "mediators", "codebook: mediators", 1),
    ("unknown filter", entry("disclosure", "filter_columns", to=["rase"]), BOOK, "disclosure", "codebook: filters", 1),
    ("scale of an unknown file", without("files", "teachers"), BOOK, "benefits", "codebook: file", 1),
    ("exposure not named", without("exposure"), BOOK, "exposure", "codebook: exposure", 1),
    # columns
    ("missing column", lambda f: edit_table(f, lambda t: t.drop(columns=ITEM)), STUDENTS, ITEM, "column present", 1),
    ("misspelt column", renamed(ITEM, "hq_exchnge_2"), STUDENTS, ITEM, "column present", 1),
    ("item out of range", cells(ITEM, "7", 12), STUDENTS, ITEM, "range", 12),
    ("item below range", cells(ITEM, "0", 2), STUDENTS, ITEM, "range", 2),
    ("grade out of range", cells("grade_prior", "777.5", 3), STUDENTS, "grade_prior", "range", 3),
    ("text among numbers", cells(ITEM, SECRET, 5), STUDENTS, ITEM, "number", 5),
    ("half answers", cells(ITEM, "2.5", 4), STUDENTS, ITEM, "whole number", 4),
    ("infinite grade", cells("grade_prior", "inf", 1), STUDENTS, "grade_prior", "finite", 1),
    ("dates in a grade column", cells("grade_math_or_ela", "2017-05-04", 6), STUDENTS, "grade_math_or_ela", "date", 6),
    ("decimal commas", decimal_commas, STUDENTS, "grade_prior", "decimal comma", None),
    ("mixed types", cells("absences", SECRET, 9), STUDENTS, "absences", "number", 9),
    ("undeclared level", cells("race", SECRET, 7), STUDENTS, "race", "level", 7),
    ("level in capitals", cells("gender", "Female", 8), STUDENTS, "gender", "level", 8),
    ("undeclared missing code", cells(OTHER_ITEM, "-8", 3), STUDENTS, OTHER_ITEM, "range", 3),
    ("duplicate ids", twice, STUDENTS, "student_id", "unique", 3),
    ("empty ids", cells("student_id", "", 2), STUDENTS, "student_id", "required", 2),
    ("ids that match nothing", cells("class_id", SECRET, 4, TEACHERS), TEACHERS, "class_id", "ids that match", 4),
    ("visits of no class", cells("class_id", SECRET, 5, "observations.csv"), "observations.csv", "class_id", "ids that match", 5),
    ("class in two schools", split_class, STUDENTS, "class_id", "nested clusters", 1),
    ("all-missing column", column(ITEM, ""), STUDENTS, ITEM, "answered", 224),
    ("constant item", column(ITEM, "3"), STUDENTS, ITEM, "varies", 224),
    ("constant covariate", column("ell", "no"), STUDENTS, "ell", "varies", 224),
    ("one school only", only("school", "school_2"), STUDENTS, "school", "varies", None),
    ("copied item", copied_item, STUDENTS, "hq_exchange_2", "items apart", 1),
    ("formula in an id", cells("class_id", "=1+1", 2), STUDENTS, "class_id", "formula", 2),
    ("script in a remark", cells("summary", f"<script>{SECRET}</script>", 3, "excerpts.csv"), "excerpts.csv", "summary", "markup", 3),
    ("endless remark", cells("summary", SECRET * 900, 1, "excerpts.csv"), "excerpts.csv", "summary", "plain text", 1),
    ("answers without a survey", silent_answers, STUDENTS, "answered_survey", "answers without survey", None),
    # groups
    ("no focal group", cells("race", "white", 10_000), STUDENTS, "race", "population", 0),
    ("five students", lambda f: edit_table(f, lambda t: t.iloc[:5]), STUDENTS, "", "enough respondents", None),
    ("nobody answered", column("answered_survey", "no"), STUDENTS, "", "population", 0),
    ("nobody in a population", cells("school", "school_1", 10_000), STUDENTS, "school", "population", 0),
]  # fmt: skip
