"""Hidden counts that can be worked out from what count tables print, within a table and across tables.

Each printed count is named by the levels it belongs to (a total by fewer levels), so that tables that
share a margin are linked. Totals give linear relations; a hidden count whose feasible interval (linear
programming, bounds from its wording included) is too narrow is a leak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from lib.disclosure.grids import columns_of
from lib.disclosure.leaks import Leak
from lib.disclosure.readers import Fragment
from lib.disclosure.smallcells import COUNT_CAPTION, COUNT_NAME, FREE, numbers
from lib.study.codebook import DisclosureSettings

TOTAL = re.compile(r"(?i)^(?:all\b.*|total.*|overall|sum|everyone|everybody|both|any|)$")
HIDDEN = re.compile(
    r"(?i)not shown|suppressed|withheld|fewer than|^\s*(?:<\s?\d+|\*+|[–—-]|hidden|null|none|nan)\s*$"
)
SMALL = re.compile(r"(?i)fewer than (\d+)|^\s*<\s?(\d+)")
HIDDEN_LIMIT = 300

Key = frozenset


@dataclass
class Printed:
    """Counts that agree with each other: values, hidden entries with their words, and sums."""

    values: dict[Key, float] = field(default_factory=dict)
    hidden: dict[Key, str] = field(default_factory=dict)
    sums: dict[tuple, tuple[Key, list[Key]]] = field(default_factory=dict)
    source: dict[Key, tuple[str, str]] = field(default_factory=dict)

    def shared(self, entries: dict[Key, object]) -> int:
        """Entries of a table that stand here too; -1 where a value differs."""
        known = [key for key in entries if key in self.source]
        both = [key for key in known if isinstance(entries[key], float) and key in self.values]
        return -1 if any(self.values[key] != entries[key] for key in both) else len(known)

    def add(
        self, entries: dict[Key, object], sums: list[tuple[Key, list[Key]]], source: tuple[str, str]
    ) -> None:
        """Add a table."""
        for key, value in entries.items():
            if isinstance(value, float):
                self.values[key] = value
                self.hidden.pop(key, None)
            elif key not in self.values:
                self.hidden[key] = value
            self.source.setdefault(key, source)
        for total, parts in sums:
            self.sums[total, frozenset(parts)] = total, parts


def collect(printed: list[Printed], fragment: Fragment) -> None:
    """Add a count table to those they agree with; tables that contradict speak of other students."""
    found = wide_counts(fragment.content, fragment.caption) or long_counts(fragment.content)
    if not found:
        return
    best = max(printed, key=lambda one: one.shared(found[0]), default=None)
    if best is None or best.shared(found[0]) < 1:
        best = Printed()
        printed.append(best)
    best.add(*found, (fragment.file, fragment.place))


def wide_counts(table: pd.DataFrame, caption: str) -> tuple[dict, list] | None:
    """Entries and sums of a table with a label column and one count column or more."""
    if table.shape[1] < 2 or len(table) < 2:
        return None
    columns = columns_of(table)
    first, *others = columns
    counted = [name for name in others if COUNT_NAME.match(name)]
    if COUNT_CAPTION.search(caption) and not FREE.search(caption):
        counted = others
    labels = [str(value).strip() for value in columns[first]]
    if not counted or len(set(labels)) != len(labels):
        return None
    subject = "" if len(counted) > 1 else first
    entries: dict[Key, object] = {}
    for name in counted:
        for label, value, text in zip(labels, numbers(columns[name]), map(str, columns[name]), strict=True):
            entry = _entry(value, text)
            if entry is not None:
                entries[_key(label, "" if COUNT_NAME.match(name) else name)] = entry
    rows = [label for label in labels if not _names_all(label)]
    across = [name for name in counted if not _names_all(name) and not COUNT_NAME.match(name)]
    down = [(_key("", column), [_key(row, column) for row in rows]) for column in [*across, ""]]
    along = [(_key(row, ""), [_key(row, column) for column in across]) for row in [*rows, ""]]
    kept = [*_holding(entries, down), *_holding(entries, along)]
    return (entries, kept) if kept or subject else None


def long_counts(table: pd.DataFrame) -> tuple[dict, list] | None:
    """Entries and sums of a table of records: group columns, margins left blank or called all, and a count."""
    names = [str(name) for name in table]
    counted = [name for name in names if COUNT_NAME.match(name)]
    if not counted or len(table) < 2 or "estimate" in names:
        return None
    groups = [name for name in names if name not in counted and not np.isfinite(numbers(table[name])).any()]
    groups = [
        name
        for name in groups
        if 1 < table[name].nunique(dropna=False) <= 40 and "status" not in name and "reason" not in name
    ]
    if not groups:
        return None
    entries: dict[Key, object] = {}
    words = (
        table[[name for name in names if "reason" in name or "status" in name]]
        .astype(str)
        .agg(" ".join, axis=1)
    )
    labels = list(zip(*(table[name].tolist() for name in groups), strict=True))
    texts = table[counted[0]].astype(str)
    for named, value, text, why in zip(labels, numbers(table[counted[0]]), texts, words, strict=True):
        key = frozenset(
            (name, str(label)) for name, label in zip(groups, named, strict=True) if not is_whole(label)
        )
        entry = _entry(value, why if HIDDEN.search(why) and not np.isfinite(value) else text)
        if entry is not None:
            entries.setdefault(key, entry)
    levels = {name: sorted({str(value) for value in table[name] if not is_whole(value)}) for name in groups}
    kept = []
    for name in groups:
        wholes = [key for key in entries if name not in {column for column, _ in key}]
        parts = [
            [key | {(name, level)} for level in levels[name] if key | {(name, level)} in entries]
            for key in wholes
        ]
        kept += _holding(entries, list(zip(wholes, parts, strict=True)))
    return entries, kept


def is_whole(value: object) -> bool:
    """Whether a label names everybody: blank, all, total."""
    return value is None or value != value or _names_all(str(value))


@cache
def _names_all(label: str) -> bool:
    return bool(TOTAL.match(label.strip()))


def _key(row: str, column: str) -> Key:
    return frozenset(label for label in (row, column) if not _names_all(label))


def _entry(value: float, text: str) -> float | str | None:
    if np.isfinite(value):
        return float(value) if value == round(value) and value >= 0 else None
    return text if HIDDEN.search(text) else None


def _holding(entries: dict, sums: list) -> list:
    """Sums in one direction of a table whose entries are all printed; none where a line in full view does not add up."""
    kept = []
    for total, parts in sums:
        if total not in entries or len(parts) < 2 or any(part not in entries for part in parts):
            continue
        known = [entries[part] for part in parts if isinstance(entries[part], float)]
        whole = len(known) == len(parts) and isinstance(entries[total], float)
        if whole and sum(known) != entries[total]:
            return []
        kept.append((total, parts))
    return kept


def derivable(printed: Printed, settings: DisclosureSettings) -> Iterator[Leak]:
    """Leaks of hidden counts that follow from what is printed."""
    sums = list(printed.sums.values())
    for names in _linked(printed, sums):
        inside = [(total, parts) for total, parts in sums if names & {total, *parts}]
        if len(names) > HIDDEN_LIMIT:
            continue
        found = _intervals(printed, sorted(names, key=str), inside, settings)
        for key, exact, narrow in found:
            if exact or (narrow and SMALL.search(printed.hidden[key])):
                file, place = printed.source[key]
                what = "can be worked out" if exact else f"lies in a range of fewer than {settings.k} numbers"
                yield Leak(
                    "derivable count",
                    file,
                    place,
                    f"a hidden count {what} from the totals; hide another count",
                )


def _linked(printed: Printed, sums: list) -> list[set]:
    """Hidden entries that hang together through sums."""
    groups: list[set] = []
    for total, parts in sums:
        names = {key for key in (total, *parts) if key in printed.hidden}
        if names:
            touching = [group for group in groups if group & names]
            groups = [group for group in groups if not group & names] + [names.union(*touching)]
    return groups


def _intervals(
    printed: Printed, names: list, sums: list, settings: DisclosureSettings
) -> Iterator[tuple[Key, bool, bool]]:
    """For each hidden entry: is it known exactly (wording used), is its interval too short (wording not used)."""
    from scipy.optimize import linprog

    place = {key: position for position, key in enumerate(names)}
    lines, values = np.zeros((len(sums), len(names))), np.zeros(len(sums))
    for number, (total, parts) in enumerate(sums):
        for key, sign in [(total, -1.0), *((part, 1.0) for part in parts)]:
            if key in place:
                lines[number, place[key]] += sign
            else:
                values[number] -= sign * printed.values[key]
    most = max(
        (printed.values[key] for total, parts in sums for key in (total, *parts) if key in printed.values),
        default=0,
    )
    free = [(0, most)] * len(names)
    worded = []
    for key in names:
        small = SMALL.search(printed.hidden[key])
        worded.append((0, float(small[1] or small[2]) - 1) if small else (0, most))
    for key in names:
        ends = {}
        for bounds, label in ((worded, "worded"), (free, "free")):
            cost = np.zeros(len(names))
            cost[place[key]] = 1.0
            both = [linprog(sign * cost, A_eq=lines, b_eq=values, bounds=bounds) for sign in (1, -1)]
            if any(one.status != 0 for one in both):
                return
            ends[label] = np.ceil(both[0].fun - 1e-6), np.floor(-both[1].fun + 1e-6)
        exact = ends["worded"][0] == ends["worded"][1]
        yield key, exact, ends["free"][1] - ends["free"][0] + 1 < settings.k
