"""Choices crossed: what is impossible or stands twice is taken out and counted, and a balanced part is drawn.

Two crossings are the same specification when they come to the same model of the same columns of the same students.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from lib.analysis.specifications import Choice


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
