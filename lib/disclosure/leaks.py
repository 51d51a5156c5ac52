"""A leak, and the telltales in words: paths, tracebacks, logs, ids, and the study's own records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lib.disclosure.readers import Fragment
from lib.study.load import Study

FILES = ("students", "teachers", "observations", "excerpts")
FOLDERS = ("home", "root", "Users", "tmp", "mnt", "srv", "opt", "private", "build", "builds", "workspace")
TELLTALES = (
    (
        "path",
        "an absolute path of the machine that built the site; remove it",
        re.compile(rf"(?<![\w./:-])/(?:{'|'.join(FOLDERS)})/[\w.-]+|:\\+Users\\+\w|\bfile:///\w"),
    ),
    (
        "traceback",
        "a Python traceback, which may quote a value; clear the output",
        re.compile(
            r"Traceback \(most recent call last\)|File \"[^\"\n]{1,200}\", line \d+, in "
            r"|Cell In\s?\[\d+\], line \d+|-{4,}> \d+ "
        ),
    ),
    (
        "log",
        "a log line; keep logs out of the site",
        re.compile(
            r"(?m)^\W*\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*\W.{0,40}\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b"
            r"|^(?:DEBUG|INFO|WARNING|ERROR):[\w.]+:"
        ),
    ),
    (
        "identifier",
        "what looks like one person's identifier; remove it",
        re.compile(
            r"(?i)\b(?:student|pupil|respondent|teacher)(?:s|_| )?(?:#|id\b|no\.|number)"
            r"\s{0,2}[:=#\"']{0,3}\s{0,2}[a-z]{0,4}[-_]?\d{2,}|\b\d{3}-\d{2}-\d{4}\b"
        ),
    ),
)
NEEDLES = {
    "path": (*(f"/{folder}/" for folder in FOLDERS), "Users", "file:///"),
    "traceback": ("Traceback", 'File "', "Cell In", "--> "),
    "log": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
}
NUMBERED = re.compile(
    r"(?:student|pupil|respondent|teacher)(?:s|_| )?(?:#|id\b|no\.|number)[^a-z\d]{0,7}[a-z]{0,4}[-_]?\d\d"
    r"|-\d\d-\d{4}\b"
)
STRAY = re.compile(
    r"(?:^|/)(?:\.ipynb_checkpoints|\.git|__pycache__)/|\.(?:log|pkl|pickle|joblib|sqlite3?|db|rds|sav|dta|feather|arrow|pyc|npy|npz)$",
    re.I,
)
TOKEN = re.compile(r"[\w.@-]{4,}")
TOKEN_BYTES = bytes(
    code if code < 128 and (chr(code).isalnum() or chr(code) in "_.@-") else 32 for code in range(256)
)
DECIMALS = re.compile(r"\.\d{4,}$")


@dataclass(frozen=True)
class Leak:
    """Something a published file gives away; the message repeats no student's value.

    Attributes
    ----------
    kind : str
        path, traceback, log, identifier, stray file, record, row-level, small count, hidden value,
        derivable count, or differencing.
    file, place : str
        The file below the site, and where in it.
    message : str
        What was found and what to do.
    """

    kind: str
    file: str
    place: str
    message: str


@dataclass(frozen=True)
class Records:
    """What of a study's records would betray a person if it stood in a page."""

    tokens: frozenset[str] = frozenset()
    columns: dict[str, pd.Series] = field(default_factory=dict, repr=False)
    names: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()

    @cached_property
    def _spelled(self) -> frozenset[bytes]:
        return frozenset(token.encode() for token in self.tokens)

    @cached_property
    def _foreign(self) -> bool:
        return not all(token.isascii() for token in self.tokens)

    def stand_in(self, text: str) -> bool:
        """Whether one of the tokens stands in a text, as a word or as the end of a sentence."""
        if not self.tokens:
            return False
        if self._foreign and not self.tokens.isdisjoint(TOKEN.findall(text)):
            return True
        words = text.encode("utf-8", "replace").translate(TOKEN_BYTES)
        ends = words.replace(b". ", b" ").rstrip(b".")
        return not (self._spelled.isdisjoint(words.split()) and self._spelled.isdisjoint(ends.split()))

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Every value of the numeric columns."""
        return frozenset(value for column in self.series for value in column.tolist())

    @cached_property
    def series(self) -> tuple[np.ndarray, ...]:
        """The numeric columns without what is missing, in the order of the records."""
        given = (column.to_numpy(float) for column in self.columns.values())
        return tuple(column[np.isfinite(column)] for column in given)


def records_of(study: Study | None) -> Records:
    """Ids, unusual values and answer columns of a study; empty without one."""
    if study is None:
        return Records()
    codebook = study.codebook
    known = {str(level) for column in codebook.columns.values() for level in column.levels}
    tokens: set[str] = set()
    columns: dict[str, pd.Series] = {}
    answers: set[str] = set()
    for file in FILES:
        table = getattr(study, file, None)
        if table is None:
            continue
        for name, values in table.items():
            column = codebook.columns.get(name)
            if pd.api.types.is_numeric_dtype(values):
                columns[name] = values
                answers.add(name)
            if column is not None and not (file == "excerpts" and column.role == "text"):
                tokens |= _unusual(values, known)
    names = {name for name, column in codebook.columns.items() if column.role == "id"}
    return Records(frozenset(tokens), columns, frozenset(names), frozenset(answers))


def _unusual(values: pd.Series, known: set[str]) -> set[str]:
    texts = values.dropna().astype(str).unique()
    if pd.api.types.is_numeric_dtype(values):
        return {text for text in texts if DECIMALS.search(text)}
    return {
        text
        for text in texts
        if text not in known and len(text) > 3 and re.search(r"\d", text) and TOKEN.fullmatch(text)
    }


def _may_hold(kind: str, text: str) -> bool:
    """Whether a text holds the words without which a telltale cannot stand in it; found faster than the telltale."""
    if kind == "identifier":
        return bool(NUMBERED.search(text.lower()))
    return any(needle in text for needle in NEEDLES[kind])


def suspicious(texts: list[str], records: Records, *, code: bool) -> bool:
    """Whether any of many texts may hold a telltale; far faster than one by one."""
    joined = "\n".join(texts)
    kinds = [(kind, pattern) for kind, _, pattern in TELLTALES if not code or kind == "path"]
    told = any(_may_hold(kind, joined) and pattern.search(joined) for kind, pattern in kinds)
    return told or not code and records.stand_in(joined)


def telltales(fragment: Fragment, records: Records) -> Iterator[Leak]:
    """Leaks in a text fragment."""
    text = fragment.content
    if fragment.place == "file name" and STRAY.search(text):
        yield Leak(
            "stray file",
            fragment.file,
            "file name",
            "a kind of file that a site does not need; do not publish it",
        )
    if len(text) < 4:
        return
    for kind, message, pattern in TELLTALES:
        if (fragment.kind != "code" or kind == "path") and pattern.search(text):
            yield Leak(kind, fragment.file, fragment.place, message)
    if fragment.kind != "code" and records.stand_in(text):
        yield Leak(
            "record",
            fragment.file,
            fragment.place,
            "a value that stands in the study's records only; remove it",
        )
