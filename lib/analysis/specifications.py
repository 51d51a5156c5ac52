"""Specifications: defensible ways to reach one result, crossed (Simonsohn, Simmons & Nelson, 2020; Steegen et al., 2016).

A study folder may hold ``specifications.yml``: choices with their options, families of findings that share choices,
and the selection of each finding's rule that its curve draws. This module reads and checks the file, crosses the
choices of a family, takes out crossings that are impossible or the same model of the same columns of the same
students, counts both, and draws a balanced part of the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import numpy as np

from lib.errors import StudyError
from lib.study.codebook import Codebook, nearest
from lib.study.load import Study

LEDGER = "specifications"
MOVES = ("estimate", "error")
SETTINGS = {
    "set": str, "columns": list, "measure": str, "missing": str, "score": str, "record": str, "mediator": str,
    "grain": str, "drop": str, "percent": (int, float), "against": str, "errors": str, "each": str, "without": list,
}  # fmt: skip
KNOWN = {
    "measure": ("latent", "mean"), "missing": ("two_stage", "complete"), "grain": ("domain", "first", "last"),
    "score": ("mean", "first", "second", "corrected", "high"), "record": ("raw", "winsorized", "ranked"),
    "mediator": ("score", "corrected"), "against": ("reference", "others"), "errors": ("model", "classes"),
    "drop": ("least_varied",),
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One way to decide a choice; ``settings`` say what it does, ``label`` and ``reason`` why one might."""

    key: str
    label: str
    reason: str
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A decision with its options, the chapters' own first; ``moves`` is ``estimate`` or ``error``."""

    key: str
    label: str
    moves: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Curve:
    """A finding's family, the selection of its rule that its curve draws, and the direction it states for a difference."""

    family: str
    selection: str
    sign: int = 1


@dataclass(frozen=True)
class Plan:
    """Content of ``specifications.yml``: ``drawn`` specifications are estimated for each family, of
    which ``tested`` take part in the joint test; ``sets`` are the
    chapters' covariate sets for a ``scale`` and for a ``record``."""

    seed: int
    drawn: int
    permutations: int
    tested: int
    sets: dict[str, str]
    choices: dict[str, Choice]
    families: dict[str, tuple[str, ...]]
    findings: dict[str, Curve]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that some option holds constant."""
        options = (option for choice in self.choices.values() for option in choice.options)
        return tuple(dict.fromkeys(key for option in options for key in option.settings.get("columns", ())))

    def moving(self, family: str, moves: str = "estimate") -> tuple[Choice, ...]:
        """Choices of a family that move the estimate, or the error alone."""
        found = (self.choices[key] for key in self.families[family])
        return tuple(choice for choice in found if choice.moves == moves)


@dataclass(frozen=True)
class Crossing:
    """The crossings of a family, counted.

    Attributes
    ----------
    choices : tuple of Choice
        Those that move the estimate.
    crossed, duplicates, distinct : int
        All crossings; those that are another one under a new name; what remains.
    impossible : dict of str to int
        Crossings taken out, by reason.
    drawn : ndarray (S, C) of int
        The option of each choice in each specification drawn, the chapters' own first.
    """

    choices: tuple[Choice, ...]
    crossed: int
    impossible: dict[str, int]
    duplicates: int
    distinct: int
    drawn: np.ndarray

    @cached_property
    def together(self) -> tuple[dict, ...]:
        """What each drawn specification does."""
        return tuple(_merged(self.choices, places) for places in self.drawn)

    def settings(self, specification: int) -> dict:
        """What a drawn specification does: the settings of its options together."""
        return self.together[specification]


Resolve = Callable[[dict], tuple[object, str]]
"""From settings to what they come to (hashable), or to a reason why they are impossible."""


@dataclass(frozen=True)
class Aspect:
    """A part of what a specification comes to, and the only settings that this part depends on."""

    settings: tuple[str, ...]
    resolve: Resolve


def read_plan(study: Study) -> Plan | None:
    """The plan of a study folder; None where it has no ``specifications.yml``.

    Raises
    ------
    StudyError
        If an entry names a choice, column, setting or family that does not exist, or lacks a label or reason.
    """
    content = study.ledger(LEDGER)
    if content is None:
        return None
    _only(
        content,
        ("seed", "drawn", "permutations", "tested", "sets", "choices", "families", "findings"),
        LEDGER,
    )
    for name in ("seed", "drawn", "permutations", "tested"):
        if not isinstance(content.get(name), int) or content[name] < 1:
            raise StudyError(f"{LEDGER}.yml: {name} is no whole number above 0; give one")
    sets = content.get("sets", {})
    for kind in ("scale", "record"):
        _known(sets.get(kind), study.codebook.covariate_sets, f"sets, {kind}", "covariate set")
    choices = {key: _choice(key, entry, study.codebook) for key, entry in content.get("choices", {}).items()}
    families = {key: tuple(names) for key, names in content.get("families", {}).items()}
    for family, names in families.items():
        for name in names:
            _known(name, choices, f"family {family}", "choice")
    findings = {}
    for key, entry in content.get("findings", {}).items():
        _only(entry, ("family", "curve", "sign"), f"finding {key}")
        _known(entry.get("family"), families, f"finding {key}", "family")
        findings[str(key)] = Curve(entry["family"], str(entry.get("curve", "")), int(entry.get("sign", 1)))
    return Plan(
        content["seed"],
        content["drawn"],
        content["permutations"],
        content["tested"],
        sets,
        choices,
        families,
        findings,
    )


def cross(choices: tuple[Choice, ...], aspects: Sequence[Aspect], *, size: int, seed: int) -> Crossing:
    """Cross choices, keep distinct admissible specifications, and draw a balanced part of them.

    Parameters
    ----------
    choices : tuple of Choice
    aspects : sequence of Aspect
        What settings come to: crossings equal in all of them are the same model of the same columns and students. Or
        the reason why nobody could or may estimate them; the first one counts.
    size : int
        Specifications to draw; all where there are fewer.
    seed : int
        Of the draw.

    Returns
    -------
    Crossing
    """
    shape = tuple(len(choice.options) for choice in choices)
    impossible: Counter = Counter()
    left, content = np.ones(shape, bool), np.zeros(shape, np.int64)
    for aspect in aspects:
        numbers, reasons = _resolved(choices, aspect)
        for number, reason in reasons.items():
            out = left & (numbers == number)
            impossible[reason] += int(out.sum())
            left &= ~out
        content = content * (int(numbers.max()) + 1) + np.maximum(numbers, 0)
    places = np.argwhere(left)
    first = np.sort(np.unique(content[left], return_index=True)[1])
    kept = places[first]
    taken = {reason: count for reason, count in impossible.items() if count}
    return Crossing(choices, left.size, taken, len(places) - len(kept), len(kept), balanced(kept, size, seed))


def _resolved(choices: tuple[Choice, ...], aspect: Aspect) -> tuple[np.ndarray, dict[int, str]]:
    """A number for each thing that options come to, below zero with a reason where they are impossible.

    The array has an axis for each choice, of length 1 where the choice has nothing to do with it.
    """
    shape = [len(choice.options) if any(set(option.settings) & set(aspect.settings) for option in choice.options)
             else 1 for choice in choices]  # fmt: skip
    numbers, known, found = np.zeros(shape, np.int64), {}, {}
    reasons: dict[str, int] = {}
    for places in product(*map(range, shape)):
        settings = {
            name: value for name, value in _merged(choices, places).items() if name in aspect.settings
        }
        key = repr(sorted(settings.items()))
        if key not in known:
            content, reason = aspect.resolve(settings)
            known[key] = (
                reasons.setdefault(reason, -1 - len(reasons))
                if reason
                else found.setdefault(content, len(found))
            )
        numbers[places] = known[key]
    return numbers, {number: reason for reason, number in reasons.items()}


def _merged(choices: tuple[Choice, ...], places: Sequence[int]) -> dict:
    together: dict = {}
    for choice, at in zip(choices, places, strict=True):
        together |= choice.options[at].settings
    return together


def balanced(kept: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Rows (size, C) of ``kept`` (N, C) that hold every option of a choice about equally often; the first is always in."""
    if len(kept) <= size:
        return kept
    rng = np.random.default_rng(seed)
    rest = kept[1 + rng.permutation(len(kept) - 1)]
    options = np.ascontiguousarray(rest.T.astype(np.int16))
    weights = kept.max(0) + 1
    load, taken = np.zeros(len(rest), np.int64), [kept[0]]
    for _ in range(size - 1):
        for column, weight, option in zip(options, weights, taken[-1], strict=True):
            load += weight * (column == option)
        at = int(np.argmin(load))
        load[at] = np.iinfo(np.int64).max // 2
        taken.append(rest[at])
    return np.array(taken)


def _choice(key: str, entry: dict, codebook: Codebook) -> Choice:
    where = f"choice {key}"
    _only(entry, ("label", "moves", "options"), where)
    _known(entry.get("moves"), MOVES, where, "kind of move")
    options = [option for name, given in entry.get("options", {}).items()
               for option in _expand(_option(name, given, where), codebook, where)]  # fmt: skip
    if len(options) < 2 or not entry.get("label"):
        raise StudyError(f"{LEDGER}.yml, {where}: a choice needs a label and at least 2 options")
    return Choice(key, entry["label"], entry["moves"], tuple(options))


def _option(key: str, given: dict, where: str) -> Option:
    where = f"{where}, option {key}"
    for needed in ("label", "reason"):
        if not given.get(needed):
            raise StudyError(
                f"{LEDGER}.yml, {where} has no {needed}; every option says why one might take it"
            )
    settings = {name: value for name, value in given.items() if name not in ("label", "reason")}
    for name, value in settings.items():
        _known(name, SETTINGS, where, "setting")
        if not isinstance(value, SETTINGS[name]):
            raise StudyError(f"{LEDGER}.yml, {where}: {name} is of the wrong kind")
        if name in KNOWN:
            _known(value, KNOWN[name], where, name)
    return Option(str(key), given["label"], given["reason"], settings)


def _expand(option: Option, codebook: Codebook, where: str) -> list[Option]:
    """One option for each domain or scale of the exposure, or each level of a column; else the option itself."""
    settings = dict(option.settings)
    each = settings.pop("each", "")
    if settings.get("set") not in (None, "default"):
        _known(settings["set"], codebook.covariate_sets, where, "covariate set")
    for column in settings.get("columns", ()):
        _known(column, codebook.columns, where, "column")
    if not each:
        return [option]
    if each == "exposure_domain":
        named = {
            key: {"domain": key} for key, domain in codebook.domains.items() if domain.role == "exposure"
        }
    elif each == "exposure_scale":
        named = {scale.key: {"left_out": scale.key} for scale in codebook.scales_with("exposure")}
    else:
        _known(each, codebook.columns, where, "column")
        named = {f"{each}={level}": {"without": (each, level)} for level in codebook.columns[each].levels}
    return [
        replace(option, key=key, label=f"{option.label}: {codebook.label(key)}", settings=settings | extra)
        for key, extra in named.items()
    ]


def _only(entry: dict, allowed: tuple[str, ...], where: str) -> None:
    for name in entry:
        _known(name, allowed, where, "entry")


def _known(name: object, known, where: str, what: str) -> None:
    if name not in known:
        raise StudyError(f"{LEDGER}.yml, {where}: there is no {what} {name!r}{nearest(str(name), known)}")
